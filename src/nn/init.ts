/**
 * Ways to fill new parameters. Each fills its tensor in place, records nothing, and returns the tensor. With the same seed
 * they give PyTorch's own numbers.
 *
 * @see https://pytorch.org/docs/stable/nn.init.html
 * @module
 */
import { ArgumentError, ShapeError } from "../errors.js";
import { withGradMode } from "../tensor/autograd.js";
import { normal_ as drawNormal_, uniform_ as drawUniform_, fill_ } from "../tensor/ops/fill.js";
import type { Generator } from "../tensor/random.js";
import { elementCount, formatShape } from "../tensor/shape.js";
import type { Tensor } from "../tensor/tensor.js";
import { checkChoice, checkOptions } from "./arguments.js";

export {
  type DiracOptions,
  dirac_,
  eye_,
  type OrthogonalOptions,
  orthogonal_,
  sparse_,
  truncNormal_,
} from "./initShaped.js";

/** Settings of what draws random numbers. */
export interface RandomInitOptions {
  /** Where the numbers come from. Default: the default generator, which `manualSeed` seeds. */
  readonly generator?: Generator;
}

/** Settings of {@link xavierUniform_} and {@link xavierNormal_}. */
export interface XavierOptions extends RandomInitOptions {
  /** Factor of the standard deviation; see {@link calculateGain}. Default 1. */
  readonly gain?: number;
}

/** Settings of {@link kaimingUniform_} and {@link kaimingNormal_}. */
export interface KaimingOptions extends RandomInitOptions {
  /** Negative slope of the leaky ReLU that follows. Default 0. */
  readonly a?: number;
  /** Whether the variance is kept in the forward pass ("fanIn", the default) or in the backward pass ("fanOut"). */
  readonly mode?: FanMode;
  /** What follows the layer. Default "leakyRelu". */
  readonly nonlinearity?: Nonlinearity;
}

/** Which side of a weight is counted: the elements that each output is summed from, or the outputs that each input goes to. */
export type FanMode = "fanIn" | "fanOut";

/** What follows a layer, or the layer itself where nothing does. */
export type Nonlinearity =
  | "linear"
  | "conv1d"
  | "conv2d"
  | "conv3d"
  | "convTranspose1d"
  | "convTranspose2d"
  | "convTranspose3d"
  | "sigmoid"
  | "tanh"
  | "relu"
  | "leakyRelu"
  | "selu";

const gains: { readonly [Name in Exclude<Nonlinearity, "leakyRelu">]: number } = {
  linear: 1,
  conv1d: 1,
  conv2d: 1,
  conv3d: 1,
  convTranspose1d: 1,
  convTranspose2d: 1,
  convTranspose3d: 1,
  sigmoid: 1,
  tanh: 5 / 3,
  relu: Math.SQRT2,
  selu: 3 / 4,
};

/** Fills with numbers drawn evenly from [a, b). @throws ArgumentError unless a ≤ b, both finite. */
export function uniform_<T extends Tensor>(tensor: T, a = 0, b = 1, options: RandomInitOptions = {}): T {
  checkOptions("init.uniform_", options, ["generator"]);
  withGradMode(false, () => drawUniform_(tensor, a, b, options));
  return tensor;
}

/** Fills with normally distributed numbers. @throws ArgumentError unless both are finite and std ≥ 0. */
export function normal_<T extends Tensor>(tensor: T, mean = 0, std = 1, options: RandomInitOptions = {}): T {
  checkOptions("init.normal_", options, ["generator"]);
  withGradMode(false, () => drawNormal_(tensor, mean, std, options));
  return tensor;
}

/** Fills with one value. @throws ArgumentError where `value` is no number. */
export function constant_<T extends Tensor>(tensor: T, value: number): T {
  withGradMode(false, () => fill_(tensor, value));
  return tensor;
}

/** Fills with zeros. */
export function zeros_<T extends Tensor>(tensor: T): T {
  return constant_(tensor, 0);
}

/** Fills with ones. */
export function ones_<T extends Tensor>(tensor: T): T {
  return constant_(tensor, 1);
}

/**
 * Fills with numbers drawn evenly from ±gain·√(6 / (fanIn + fanOut)), so that variances stay alike in both directions.
 *
 * @throws ShapeError where the tensor has fewer than 2 axes.
 * @see X. Glorot, Y. Bengio: Understanding the difficulty of training deep feedforward neural networks, 2010, equation 16
 */
export function xavierUniform_<T extends Tensor>(tensor: T, options: XavierOptions = {}): T {
  const bound = Math.sqrt(3) * xavierStd("init.xavierUniform_", tensor, options);
  return uniform_(tensor, -bound, bound, generatorOf(options));
}

/** As {@link xavierUniform_} with a normal distribution of deviation gain·√(2 / (fanIn + fanOut)). @throws ShapeError where the tensor has fewer than 2 axes. */
export function xavierNormal_<T extends Tensor>(tensor: T, options: XavierOptions = {}): T {
  return normal_(tensor, 0, xavierStd("init.xavierNormal_", tensor, options), generatorOf(options));
}

/**
 * Fills with numbers drawn evenly from ±gain·√(3 / fan), so that variances survive rectifiers.
 *
 * @throws ShapeError where the tensor has fewer than 2 axes.
 * @throws ArgumentError where mode or nonlinearity is unknown.
 * @see K. He et al.: Delving deep into rectifiers, 2015, equation 10
 */
export function kaimingUniform_<T extends Tensor>(tensor: T, options: KaimingOptions = {}): T {
  const bound = Math.sqrt(3) * kaimingStd("init.kaimingUniform_", tensor, options);
  return uniform_(tensor, -bound, bound, generatorOf(options));
}

/** As {@link kaimingUniform_} with a normal distribution of deviation gain / √fan. @throws ShapeError, ArgumentError as there. */
export function kaimingNormal_<T extends Tensor>(tensor: T, options: KaimingOptions = {}): T {
  return normal_(tensor, 0, kaimingStd("init.kaimingNormal_", tensor, options), generatorOf(options));
}

/**
 * The factor by which a layer's standard deviation should grow to make up for what follows it: 1 for a layer alone and for
 * sigmoid, 5/3 for tanh, √2 for ReLU, √(2 / (1 + slope²)) for leaky ReLU, 3/4 for SELU.
 *
 * @param param the negative slope of a leaky ReLU, 0.01 by default
 * @throws ArgumentError where the nonlinearity is unknown.
 * @see https://pytorch.org/docs/stable/nn.init.html#torch.nn.init.calculate_gain
 */
export function calculateGain(nonlinearity: Nonlinearity, param = 0.01): number {
  checkChoice("init.calculateGain", "nonlinearity", nonlinearity, [...Object.keys(gains), "leakyRelu"]);
  if (nonlinearity !== "leakyRelu") return gains[nonlinearity];
  if (!Number.isFinite(param)) {
    throw new ArgumentError(
      `init.calculateGain: got slope ${String(param)}; expected a finite number. Pass the negative slope of the leaky ReLU.`,
    );
  }
  return Math.sqrt(2 / (1 + param ** 2));
}

/**
 * How many elements each output of a weight [outputs, inputs, …] is summed from, and how many outputs each input goes to.
 *
 * @throws ShapeError where the tensor has fewer than 2 axes.
 */
export function calculateFanInAndFanOut(tensor: Tensor): { fanIn: number; fanOut: number } {
  return fans("init.calculateFanInAndFanOut", tensor);
}

function fans(where: string, tensor: Tensor): { fanIn: number; fanOut: number } {
  const [outputs, inputs, ...window] = tensor.shape;
  if (outputs === undefined || inputs === undefined) {
    throw new ShapeError(
      `${where}: got a tensor of shape ${formatShape(tensor.shape)}; expected at least 2 axes, outputs by inputs. Use uniform_ or normal_ with bounds of your own.`,
    );
  }
  const taps = elementCount(window);
  return { fanIn: inputs * taps, fanOut: outputs * taps };
}

function generatorOf({ generator }: RandomInitOptions): RandomInitOptions {
  return generator === undefined ? {} : { generator };
}

function xavierStd(where: string, tensor: Tensor, options: XavierOptions): number {
  checkOptions(where, options, ["gain", "generator"]);
  const { gain = 1 } = options;
  const { fanIn, fanOut } = fans(where, tensor);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
}

function kaimingStd(where: string, tensor: Tensor, options: KaimingOptions): number {
  checkOptions(where, options, ["a", "mode", "nonlinearity", "generator"]);
  const { a = 0, mode = "fanIn", nonlinearity = "leakyRelu" } = options;
  checkChoice(where, "mode", mode, ["fanIn", "fanOut"]);
  const fan = fans(where, tensor)[mode];
  return calculateGain(nonlinearity, a) / Math.sqrt(fan);
}
