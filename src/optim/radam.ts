import { ArgumentError } from "../errors.js";
import { add_, div, mul_, sqrt, square, sub, sub_ } from "../tensor/ops/arithmetic.js";
import { tidy } from "../tensor/scopes.js";
import { inStretches } from "../tensor/stretches.js";
import type { Tensor } from "../tensor/tensor.js";
import { Optimizer, type ParamGroupInit, type ParamState, type PenaltyOptions } from "./optimizer.js";
import { penalised, softThreshold } from "./penalties.js";

/** Settings of {@link RAdam}. */
export interface RAdamOptions extends PenaltyOptions {
  /** Decay of the running means of the gradient and of its square. Default [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** Added to the denominator. Default 1e-8. */
  eps?: number;
  /** Whether the weight decay shrinks the weights themselves, as in AdamW, in place of entering the gradient. Default false. */
  decoupledWeightDecay?: boolean;
}

interface RAdamState extends ParamState {
  step: number;
  expAvg: Tensor;
  expAvgSq: Tensor;
}

const defaults: Required<RAdamOptions> = {
  lr: 1e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  decoupledWeightDecay: false,
  maximize: false,
  l1: 0,
  l1Mode: "proximal",
};

/**
 * RAdam: Adam that goes along its momentum alone until the mean square of the gradient is known well enough, and is careful
 * for a while afterwards. Default learning rate 1e-3.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.RAdam.html
 * @see L. Liu et al.: On the Variance of the Adaptive Learning Rate and Beyond, https://arxiv.org/abs/1908.03265, algorithm 2
 */
export class RAdam extends Optimizer<RAdamOptions> {
  constructor(params: Iterable<Tensor> | Iterable<ParamGroupInit<RAdamOptions>>, options: RAdamOptions = {}) {
    super("RAdam", params, defaults, options);
  }

  protected override checkOptions({ betas, eps }: Required<RAdamOptions>): void {
    if (!Array.isArray(betas) || betas.length !== 2) {
      throw new ArgumentError(`RAdam: got betas = ${String(betas)}; expected two numbers. Write [0.9, 0.999].`);
    }
    this.checkNumber("betas[0]", betas[0], 0, 1);
    this.checkNumber("betas[1]", betas[1], 0, 1);
    this.checkNumber("eps", eps, 0);
  }

  protected override update(parameter: Tensor, grad: Tensor, options: Required<RAdamOptions>): void {
    const { lr, eps, weightDecay, decoupledWeightDecay } = options;
    const [beta1, beta2] = options.betas;
    const state = this.stateOf<RAdamState>(parameter, () => ({
      step: 0,
      expAvg: this.zerosLike(parameter),
      expAvgSq: this.zerosLike(parameter),
    }));
    state.step += 1;
    const { step, expAvg, expAvgSq } = state;
    const rectification = rectificationAt(step, beta2);
    inStretches({ parameter, grad, expAvg, expAvgSq }, ({ parameter, grad, expAvg, expAvgSq }) => {
      tidy(() => {
        if (decoupledWeightDecay && weightDecay !== 0) mul_(parameter, 1 - lr * weightDecay);
        const g = penalised(parameter, grad, decoupledWeightDecay ? { ...options, weightDecay: 0 } : options);
        add_(expAvg, sub(g, expAvg), { alpha: 1 - beta1 });
        add_(mul_(expAvgSq, beta2), square(g), { alpha: 1 - beta2 });
        const alpha = lr / (1 - beta1 ** step);
        if (rectification === null) sub_(parameter, expAvg, { alpha });
        else {
          const careful = alpha * rectification * Math.sqrt(1 - beta2 ** step);
          sub_(parameter, div(expAvg, add_(sqrt(expAvgSq), eps)), { alpha: careful });
        }
        softThreshold(parameter, options);
      });
    });
  }
}

/** How careful step `step` is; null where the mean square is not known well enough yet. */
function rectificationAt(step: number, beta2: number): number | null {
  const most = 2 / (1 - beta2) - 1;
  const length = most - (2 * step * beta2 ** step) / (1 - beta2 ** step);
  if (length <= 5) return null;
  return Math.sqrt(((length - 4) * (length - 2) * most) / ((most - 4) * (most - 2) * length));
}
