import { add_, div, mul_, sqrt, square, sub, sub_ } from "../tensor/ops/arithmetic.js";
import { tidy } from "../tensor/scopes.js";
import { inStretches } from "../tensor/stretches.js";
import type { Tensor } from "../tensor/tensor.js";
import { Optimizer, type ParamGroupInit, type ParamState, type PenaltyOptions } from "./optimizer.js";
import { penalised, softThreshold } from "./penalties.js";

/** Settings of {@link RMSprop}. */
export interface RMSpropOptions extends PenaltyOptions {
  /** Decay of the running mean of the gradient's square. Default 0.99. */
  alpha?: number;
  /** Added to the denominator. Default 1e-8. */
  eps?: number;
  /** Share of the last step that is taken again. Default 0. */
  momentum?: number;
  /** Whether to divide by the running variance in place of the running mean square. Default false. */
  centered?: boolean;
}

interface RMSpropState extends ParamState {
  step: number;
  squareAvg: Tensor;
}

const defaults: Required<RMSpropOptions> = {
  lr: 1e-2,
  alpha: 0.99,
  eps: 1e-8,
  weightDecay: 0,
  momentum: 0,
  centered: false,
  maximize: false,
  l1: 0,
  l1Mode: "proximal",
};

/** What a step reads and changes; the last two are there where the settings want them. */
type Stretch = Record<"parameter" | "grad" | "squareAvg" | "momentumBuffer" | "gradAvg", Tensor>;

/**
 * RMSprop: steps divided by the root of the running mean of the gradient's square. Default learning rate 1e-2.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.RMSprop.html
 * @see A. Graves: Generating sequences with recurrent neural networks, 2013, equations 38 to 45, for the centered form
 */
export class RMSprop extends Optimizer<RMSpropOptions> {
  constructor(params: Iterable<Tensor> | Iterable<ParamGroupInit<RMSpropOptions>>, options: RMSpropOptions = {}) {
    super("RMSprop", params, defaults, options);
  }

  protected override checkOptions({ alpha, eps, momentum }: Required<RMSpropOptions>): void {
    this.checkNumber("alpha", alpha, 0);
    this.checkNumber("eps", eps, 0);
    this.checkNumber("momentum", momentum, 0);
  }

  protected override update(parameter: Tensor, grad: Tensor, options: Required<RMSpropOptions>): void {
    const { lr, alpha, eps, momentum, centered } = options;
    const state = this.stateOf<RMSpropState>(parameter, () => ({ step: 0, squareAvg: this.zerosLike(parameter) }));
    // Settings may change between steps.
    if (momentum > 0) state.momentumBuffer ??= this.zerosLike(parameter);
    if (centered) state.gradAvg ??= this.zerosLike(parameter);
    state.step += 1;
    const { squareAvg, momentumBuffer, gradAvg } = state;
    const tensors = {
      parameter,
      grad,
      squareAvg,
      ...(momentum > 0 && { momentumBuffer }),
      ...(centered && { gradAvg }),
    };
    inStretches(tensors as Stretch, ({ parameter, grad, squareAvg, momentumBuffer, gradAvg }) => {
      tidy(() => {
        const g = penalised(parameter, grad, options);
        add_(mul_(squareAvg, alpha), square(g), { alpha: 1 - alpha });
        if (centered) add_(gradAvg, sub(g, gradAvg), { alpha: 1 - alpha });
        const scale = add_(sqrt(centered ? sub(squareAvg, square(gradAvg)) : squareAvg), eps);
        const step = momentum > 0 ? add_(mul_(momentumBuffer, momentum), div(g, scale)) : div(g, scale);
        sub_(parameter, step, { alpha: lr });
        softThreshold(parameter, options);
      });
    });
  }
}
