import { ArgumentError } from "../errors.js";
import { adamStep } from "../tensor/optimizerSteps.js";
import type { Tensor } from "../tensor/tensor.js";
import { Optimizer, type ParamGroupInit, type ParamState, type PenaltyOptions } from "./optimizer.js";

/** Settings of {@link Adam} and {@link AdamW}. */
export interface AdamOptions extends PenaltyOptions {
  /** Decay of the running means of the gradient and of its square. Default [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** Added to the denominator. Default 1e-8. */
  eps?: number;
  /** Whether to divide by the greatest mean square so far. Default false. */
  amsgrad?: boolean;
}

interface AdamState extends ParamState {
  step: number;
  expAvg: Tensor;
  expAvgSq: Tensor;
}

const defaults: Required<AdamOptions> = {
  lr: 1e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  amsgrad: false,
  maximize: false,
  l1: 0,
  l1Mode: "proximal",
};

/** What Adam and AdamW share: all but where the weight decay goes. */
abstract class AdamBase extends Optimizer<AdamOptions> {
  protected abstract readonly decoupled: boolean;

  protected override checkOptions({ betas, eps }: Required<AdamOptions>): void {
    if (!Array.isArray(betas) || betas.length !== 2) {
      throw new ArgumentError(`Adam: got betas = ${String(betas)}; expected two numbers. Write [0.9, 0.999].`);
    }
    this.checkNumber("betas[0]", betas[0], 0, 1);
    this.checkNumber("betas[1]", betas[1], 0, 1);
    this.checkNumber("eps", eps, 0);
  }

  protected override update(parameter: Tensor, grad: Tensor, options: Required<AdamOptions>): void {
    const state = this.stateOf<AdamState>(parameter, () => ({
      step: 0,
      expAvg: this.zerosLike(parameter),
      expAvgSq: this.zerosLike(parameter),
    }));
    if (options.amsgrad) state.maxExpAvgSq ??= this.zerosLike(parameter);
    const vMax = options.amsgrad ? (state.maxExpAvgSq as Tensor) : null;
    state.step += 1;
    const [beta1, beta2] = options.betas;
    // Field by field: to spread the options takes longer than a small parameter's step.
    adamStep(parameter, grad, state.expAvg, state.expAvgSq, vMax, {
      lr: options.lr,
      beta1,
      beta2,
      eps: options.eps,
      weightDecay: options.weightDecay,
      decoupled: this.decoupled,
      maximize: options.maximize,
      step: state.step,
      l1: options.l1,
      l1Mode: options.l1Mode,
    });
  }
}

/**
 * Adam: steps scaled by running means of the gradient and of its square. Default learning rate 1e-3. `weightDecay` is
 * added to the gradient.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.Adam.html and Kingma and Ba, https://arxiv.org/abs/1412.6980
 */
export class Adam extends AdamBase {
  protected override readonly decoupled = false;

  constructor(params: Iterable<Tensor> | Iterable<ParamGroupInit<AdamOptions>>, options: AdamOptions = {}) {
    super("Adam", params, defaults, options);
  }
}

/**
 * AdamW: Adam whose weight decay (default 1e-2) shrinks the weights themselves and stays out of the running means.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.AdamW.html and Loshchilov and Hutter, https://arxiv.org/abs/1711.05101
 */
export class AdamW extends AdamBase {
  protected override readonly decoupled = true;

  constructor(params: Iterable<Tensor> | Iterable<ParamGroupInit<AdamOptions>>, options: AdamOptions = {}) {
    super("AdamW", params, { ...defaults, weightDecay: 1e-2 }, options);
  }
}
