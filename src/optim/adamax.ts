import { ArgumentError } from "../errors.js";
import { abs, add, add_, div, maximum, mul, sub, sub_ } from "../tensor/ops/arithmetic.js";
import { copy_ } from "../tensor/ops/fill.js";
import { tidy } from "../tensor/scopes.js";
import { inStretches } from "../tensor/stretches.js";
import type { Tensor } from "../tensor/tensor.js";
import { Optimizer, type ParamGroupInit, type ParamState, type PenaltyOptions } from "./optimizer.js";
import { penalised, softThreshold } from "./penalties.js";

/** Settings of {@link Adamax}. */
export interface AdamaxOptions extends PenaltyOptions {
  /** Decay of the running mean of the gradient, and of its running maximum. Default [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** Added to the gradient's size. Default 1e-8. */
  eps?: number;
}

interface AdamaxState extends ParamState {
  step: number;
  expAvg: Tensor;
  expInf: Tensor;
}

const defaults: Required<AdamaxOptions> = {
  lr: 2e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  maximize: false,
  l1: 0,
  l1Mode: "proximal",
};

/**
 * Adamax: Adam with the running maximum of the gradient's size in the place of its running mean square. Default learning rate 2e-3.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.Adamax.html
 * @see D. P. Kingma, J. Ba: Adam, https://arxiv.org/abs/1412.6980, algorithm 2
 */
export class Adamax extends Optimizer<AdamaxOptions> {
  constructor(params: Iterable<Tensor> | Iterable<ParamGroupInit<AdamaxOptions>>, options: AdamaxOptions = {}) {
    super("Adamax", params, defaults, options);
  }

  protected override checkOptions({ betas, eps }: Required<AdamaxOptions>): void {
    if (!Array.isArray(betas) || betas.length !== 2) {
      throw new ArgumentError(`Adamax: got betas = ${String(betas)}; expected two numbers. Write [0.9, 0.999].`);
    }
    this.checkNumber("betas[0]", betas[0], 0, 1);
    this.checkNumber("betas[1]", betas[1], 0, 1);
    this.checkNumber("eps", eps, 0);
  }

  protected override update(parameter: Tensor, grad: Tensor, options: Required<AdamaxOptions>): void {
    const { lr, eps } = options;
    const [beta1, beta2] = options.betas;
    const state = this.stateOf<AdamaxState>(parameter, () => ({
      step: 0,
      expAvg: this.zerosLike(parameter),
      expInf: this.zerosLike(parameter),
    }));
    state.step += 1;
    const { step, expAvg, expInf } = state;
    inStretches({ parameter, grad, expAvg, expInf }, ({ parameter, grad, expAvg, expInf }) => {
      tidy(() => {
        const g = penalised(parameter, grad, options);
        add_(expAvg, sub(g, expAvg), { alpha: 1 - beta1 });
        copy_(expInf, maximum(mul(expInf, beta2), add(abs(g), eps)));
        sub_(parameter, div(expAvg, expInf), { alpha: lr / (1 - beta1 ** step) });
        softThreshold(parameter, options);
      });
    });
  }
}
