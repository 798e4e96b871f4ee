import { ArgumentError, ShapeError } from "../errors.js";
import { withGradMode } from "../tensor/autograd.js";
import { formatShape } from "../tensor/shape.js";
import { commonKernels, type Tensor } from "../tensor/tensor.js";
import type { NumberOrPair } from "../tensor/window.js";
import { checkCount } from "./arguments.js";
import { Conv2d, type Conv2dLayerOptions } from "./convolution.js";
import { inLayer } from "./errorPlace.js";
import { fieldsOf, type Held } from "./fields.js";
import { Linear, type LinearOptions } from "./linear.js";
import { type Layer, Module } from "./module.js";

/** A layer that is made when the first input tells what is missing. Its parameters have the paths that they would have without it. */
abstract class Lazy<L extends Layer> extends Module {
  #layer: L | null = null;

  /** The layer for an input such as `x`, on the input's device and of its dtype unless others were given. */
  protected abstract make(x: Tensor): L;

  protected abstract readonly kind: string;

  /** The layer itself, or null before the first input. */
  get layer(): L | null {
    return this.#layer;
  }

  forward(x: Tensor): Tensor {
    if (this.#layer === null) {
      const layer = inLayer(this, () => {
        commonKernels(this.kind, x);
        return withGradMode(true, () => this.make(x));
      });
      layer.train(this.training);
      this.#layer = layer;
    }
    const layer = this.#layer;
    return inLayer(this, () => layer.forward(x));
  }

  override checkComplete(path: string): void {
    if (this.#layer !== null) return;
    throw new ArgumentError(
      `${path === "" ? "" : `${path}: `}${this.kind}: got no input yet; expected one before its parameters are asked for. ` +
        "Run the model once first: noGrad(() => model.forward(zeros(shape))).",
    );
  }

  protected override fields(): Iterable<Held<object>> {
    return this.#layer === null ? super.fields() : fieldsOf(this.#layer);
  }

  override extraRepr(): string {
    return this.#layer?.extraRepr() ?? "not made yet";
  }
}

/**
 * {@link Linear} whose number of input features is that of its first input. Until then it has no parameters, and whoever
 * asks for those of the model is told so: run the model once before the optimizer is made.
 *
 * @throws ArgumentError where `outFeatures` is not a whole number of 1 or more.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.LazyLinear.html
 */
export class LazyLinear extends Lazy<Linear> {
  readonly outFeatures: number;
  readonly #options: LinearOptions;

  constructor(outFeatures: number, options: LinearOptions = {}) {
    super();
    checkCount("LazyLinear", "outFeatures", outFeatures);
    this.outFeatures = outFeatures;
    this.#options = { ...options };
  }

  protected get kind(): string {
    return "LazyLinear";
  }

  protected make(x: Tensor): Linear {
    const features = x.shape.at(-1);
    if (features === undefined) {
      throw new ShapeError(
        "LazyLinear: got an input without axes; expected [..., features]. Give it an axis of features.",
      );
    }
    return new Linear(features, this.outFeatures, { ...placeOf(x), ...this.#options });
  }
}

/**
 * {@link Conv2d} whose number of input channels is that of its first input, [N, C, H, W] or [C, H, W]. Until then it has no
 * parameters; see {@link LazyLinear}.
 *
 * @throws ArgumentError where `outChannels` is not a whole number of 1 or more.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.LazyConv2d.html
 */
export class LazyConv2d extends Lazy<Conv2d> {
  readonly outChannels: number;
  readonly #kernelSize: NumberOrPair;
  readonly #options: Conv2dLayerOptions;

  constructor(outChannels: number, kernelSize: NumberOrPair, options: Conv2dLayerOptions = {}) {
    super();
    checkCount("LazyConv2d", "outChannels", outChannels);
    this.outChannels = outChannels;
    this.#kernelSize = kernelSize;
    this.#options = { ...options };
  }

  protected get kind(): string {
    return "LazyConv2d";
  }

  protected make(x: Tensor): Conv2d {
    const channels = x.shape.at(-3);
    if (channels === undefined || x.ndim > 4) {
      throw new ShapeError(
        `LazyConv2d: got an input of shape ${formatShape(x.shape)}; expected [N, C, H, W] or [C, H, W]. Reshape it.`,
      );
    }
    return new Conv2d(channels, this.outChannels, this.#kernelSize, { ...placeOf(x), ...this.#options });
  }
}

function placeOf(x: Tensor): Pick<LinearOptions, "dtype" | "device"> {
  return x.dtype === "float64" ? { dtype: "float64", device: x.device } : { device: x.device };
}
