import { add, add_, div, mul, mul_, sqrt, square, sub_ } from "../tensor/ops/arithmetic.js";
import { tidy } from "../tensor/scopes.js";
import { inStretches } from "../tensor/stretches.js";
import type { Tensor } from "../tensor/tensor.js";
import { Optimizer, type ParamGroupInit, type ParamState, type PenaltyOptions } from "./optimizer.js";
import { penalised, softThreshold } from "./penalties.js";

/** Settings of {@link Adadelta}. */
export interface AdadeltaOptions extends PenaltyOptions {
  /** Decay of the running means of the squares of gradient and step. Default 0.9. */
  rho?: number;
  /** Added to both means before their roots are taken. Default 1e-6. */
  eps?: number;
}

interface AdadeltaState extends ParamState {
  step: number;
  squareAvg: Tensor;
  accDelta: Tensor;
}

const defaults: Required<AdadeltaOptions> = {
  lr: 1,
  rho: 0.9,
  eps: 1e-6,
  weightDecay: 0,
  maximize: false,
  l1: 0,
  l1Mode: "proximal",
};

/**
 * Adadelta: steps as long as those before, in proportion to how the gradient compares with those before. Default learning rate 1.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.Adadelta.html
 * @see M. D. Zeiler: ADADELTA, https://arxiv.org/abs/1212.5701, algorithm 1
 */
export class Adadelta extends Optimizer<AdadeltaOptions> {
  constructor(params: Iterable<Tensor> | Iterable<ParamGroupInit<AdadeltaOptions>>, options: AdadeltaOptions = {}) {
    super("Adadelta", params, defaults, options);
  }

  protected override checkOptions({ rho, eps }: Required<AdadeltaOptions>): void {
    this.checkNumber("rho", rho, 0, 1);
    this.checkNumber("eps", eps, 0);
  }

  protected override update(parameter: Tensor, grad: Tensor, options: Required<AdadeltaOptions>): void {
    const { lr, rho, eps } = options;
    const state = this.stateOf<AdadeltaState>(parameter, () => ({
      step: 0,
      squareAvg: this.zerosLike(parameter),
      accDelta: this.zerosLike(parameter),
    }));
    state.step += 1;
    const { squareAvg, accDelta } = state;
    inStretches({ parameter, grad, squareAvg, accDelta }, ({ parameter, grad, squareAvg, accDelta }) => {
      tidy(() => {
        const g = penalised(parameter, grad, options);
        add_(mul_(squareAvg, rho), square(g), { alpha: 1 - rho });
        const delta = mul(div(sqrt(add(accDelta, eps)), sqrt(add(squareAvg, eps))), g);
        add_(mul_(accDelta, rho), square(delta), { alpha: 1 - rho });
        sub_(parameter, delta, { alpha: lr });
        softThreshold(parameter, options);
      });
    });
  }
}
