import { add_, div, sqrt, square, sub_ } from "../tensor/ops/arithmetic.js";
import { fill_ } from "../tensor/ops/fill.js";
import { tidy } from "../tensor/scopes.js";
import { inStretches } from "../tensor/stretches.js";
import type { Tensor } from "../tensor/tensor.js";
import { Optimizer, type ParamGroupInit, type ParamState, type PenaltyOptions } from "./optimizer.js";
import { penalised, softThreshold } from "./penalties.js";

/** Settings of {@link Adagrad}. */
export interface AdagradOptions extends PenaltyOptions {
  /** How fast the learning rate falls: after n steps it is lr / (1 + n·lrDecay). Default 0. */
  lrDecay?: number;
  /** What the sums of squares begin with. Default 0. */
  initialAccumulatorValue?: number;
  /** Added to the denominator. Default 1e-10. */
  eps?: number;
}

interface AdagradState extends ParamState {
  step: number;
  sum: Tensor;
}

const defaults: Required<AdagradOptions> = {
  lr: 1e-2,
  lrDecay: 0,
  weightDecay: 0,
  initialAccumulatorValue: 0,
  eps: 1e-10,
  maximize: false,
  l1: 0,
  l1Mode: "proximal",
};

/**
 * Adagrad: steps divided by the root of the sum of all squares of the gradient so far. Default learning rate 1e-2. As
 * everywhere, the threshold of a proximal `l1` is lr·l1, which neither `lrDecay` nor the division changes.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.Adagrad.html and Duchi, Hazan and Singer, JMLR 12, 2011
 */
export class Adagrad extends Optimizer<AdagradOptions> {
  constructor(params: Iterable<Tensor> | Iterable<ParamGroupInit<AdagradOptions>>, options: AdagradOptions = {}) {
    super("Adagrad", params, defaults, options);
  }

  protected override checkOptions({ lrDecay, initialAccumulatorValue, eps }: Required<AdagradOptions>): void {
    this.checkNumber("lrDecay", lrDecay, 0);
    this.checkNumber("initialAccumulatorValue", initialAccumulatorValue, 0);
    this.checkNumber("eps", eps, 0);
  }

  protected override update(parameter: Tensor, grad: Tensor, options: Required<AdagradOptions>): void {
    const { lr, lrDecay, eps, initialAccumulatorValue } = options;
    const state = this.stateOf<AdagradState>(parameter, () => ({
      step: 0,
      sum: fill_(this.zerosLike(parameter), initialAccumulatorValue),
    }));
    inStretches({ parameter, grad, sum: state.sum }, ({ parameter, grad, sum }) => {
      tidy(() => {
        const g = penalised(parameter, grad, options);
        add_(sum, square(g));
        const step = div(g, add_(sqrt(sum), eps));
        sub_(parameter, step, { alpha: lr / (1 + state.step * lrDecay) });
        softThreshold(parameter, options);
      });
    });
    state.step += 1;
  }
}
