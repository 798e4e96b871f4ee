import { ArgumentError } from "../errors.js";
import { sgdStep } from "../tensor/optimizerSteps.js";
import type { Tensor } from "../tensor/tensor.js";
import { Optimizer, type ParamGroupInit, type PenaltyOptions } from "./optimizer.js";

/** Settings of {@link SGD}. */
export interface SGDOptions extends PenaltyOptions {
  /** Share of the last step that is taken again. Default 0. */
  momentum?: number;
  /** Share by which the gradient is dampened on its way into the momentum. Default 0. */
  dampening?: number;
  /** Whether to look ahead along the momentum. Default false. */
  nesterov?: boolean;
}

const defaults: Required<SGDOptions> = {
  lr: 1e-3,
  momentum: 0,
  dampening: 0,
  weightDecay: 0,
  nesterov: false,
  maximize: false,
  l1: 0,
  l1Mode: "proximal",
};

/**
 * Stochastic gradient descent, with momentum, L2 and L1 penalties. Default learning rate 1e-3.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.SGD.html
 */
export class SGD extends Optimizer<SGDOptions> {
  constructor(params: Iterable<Tensor> | Iterable<ParamGroupInit<SGDOptions>>, options: SGDOptions = {}) {
    super("SGD", params, defaults, options);
  }

  protected override checkOptions({ momentum, dampening, nesterov }: Required<SGDOptions>): void {
    this.checkNumber("momentum", momentum, 0);
    this.checkNumber("dampening", dampening, 0);
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      throw new ArgumentError(
        `SGD: got nesterov with momentum ${momentum} and dampening ${dampening}; expected a momentum above 0 and no dampening. Set both so.`,
      );
    }
  }

  protected override update(parameter: Tensor, grad: Tensor, options: Required<SGDOptions>): void {
    if (options.momentum === 0) {
      sgdStep(parameter, grad, null, { ...options, firstStep: false });
      return;
    }
    const firstStep = !this.state.has(parameter);
    const { momentumBuffer } = this.stateOf(parameter, () => ({ momentumBuffer: this.zerosLike(parameter) }));
    sgdStep(parameter, grad, momentumBuffer, { ...options, firstStep });
  }
}
