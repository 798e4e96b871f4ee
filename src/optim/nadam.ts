import { ArgumentError } from "../errors.js";
import { add_, div, div_, mul_, sqrt, square, sub, sub_ } from "../tensor/ops/arithmetic.js";
import { tidy } from "../tensor/scopes.js";
import { inStretches } from "../tensor/stretches.js";
import type { Tensor } from "../tensor/tensor.js";
import { Optimizer, type ParamGroupInit, type ParamState, type PenaltyOptions } from "./optimizer.js";
import { penalised, softThreshold } from "./penalties.js";

/** Settings of {@link NAdam}. */
export interface NAdamOptions extends PenaltyOptions {
  /** Decay of the running means of the gradient and of its square. Default [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** Added to the denominator. Default 1e-8. */
  eps?: number;
  /** How fast the momentum rises towards betas[0]. Default 4e-3. */
  momentumDecay?: number;
  /** Whether the weight decay shrinks the weights themselves, as in AdamW, in place of entering the gradient. Default false. */
  decoupledWeightDecay?: boolean;
}

interface NAdamState extends ParamState {
  step: number;
  muProduct: number;
  expAvg: Tensor;
  expAvgSq: Tensor;
}

const defaults: Required<NAdamOptions> = {
  lr: 2e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  momentumDecay: 4e-3,
  decoupledWeightDecay: false,
  maximize: false,
  l1: 0,
  l1Mode: "proximal",
};

/**
 * NAdam: Adam that looks ahead along its momentum. Default learning rate 2e-3.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.NAdam.html
 * @see T. Dozat: Incorporating Nesterov momentum into Adam, 2016
 */
export class NAdam extends Optimizer<NAdamOptions> {
  constructor(params: Iterable<Tensor> | Iterable<ParamGroupInit<NAdamOptions>>, options: NAdamOptions = {}) {
    super("NAdam", params, defaults, options);
  }

  protected override checkOptions({ betas, eps, momentumDecay }: Required<NAdamOptions>): void {
    if (!Array.isArray(betas) || betas.length !== 2) {
      throw new ArgumentError(`NAdam: got betas = ${String(betas)}; expected two numbers. Write [0.9, 0.999].`);
    }
    this.checkNumber("betas[0]", betas[0], 0, 1);
    this.checkNumber("betas[1]", betas[1], 0, 1);
    this.checkNumber("eps", eps, 0);
    this.checkNumber("momentumDecay", momentumDecay, 0);
  }

  protected override update(parameter: Tensor, grad: Tensor, options: Required<NAdamOptions>): void {
    const { lr, eps, weightDecay, momentumDecay, decoupledWeightDecay } = options;
    const [beta1, beta2] = options.betas;
    const state = this.stateOf<NAdamState>(parameter, () => ({
      step: 0,
      muProduct: 1,
      expAvg: this.zerosLike(parameter),
      expAvgSq: this.zerosLike(parameter),
    }));
    state.step += 1;
    const { step, expAvg, expAvgSq } = state;
    // The momentum of step t.
    const momentum = (t: number): number => beta1 * (1 - 0.5 * 0.96 ** (t * momentumDecay));
    const [mu, muNext] = [momentum(step), momentum(step + 1)];
    state.muProduct *= mu;
    const { muProduct } = state;
    inStretches({ parameter, grad, expAvg, expAvgSq }, ({ parameter, grad, expAvg, expAvgSq }) => {
      tidy(() => {
        if (decoupledWeightDecay && weightDecay !== 0) mul_(parameter, 1 - lr * weightDecay);
        const g = penalised(parameter, grad, decoupledWeightDecay ? { ...options, weightDecay: 0 } : options);
        add_(expAvg, sub(g, expAvg), { alpha: 1 - beta1 });
        add_(mul_(expAvgSq, beta2), square(g), { alpha: 1 - beta2 });
        const scale = add_(div_(sqrt(expAvgSq), Math.sqrt(1 - beta2 ** step)), eps);
        sub_(parameter, div(g, scale), { alpha: (lr * (1 - mu)) / (1 - muProduct) });
        sub_(parameter, div(expAvg, scale), { alpha: (lr * muNext) / (1 - muProduct * muNext) });
        softThreshold(parameter, options);
      });
    });
  }
}
