/** Elements overwritten in place: with one value, with another tensor, or with random numbers. */
import { ArgumentError, ShapeError } from "../../errors.js";
import { isFloating, newTypedArray, type TypedArray } from "../../kernels/dtype.js";
import { checkInPlace, record, recordInPlace } from "../autograd.js";
import { checkFloating } from "../dtype.js";
import { elementOf } from "../elements.js";
import { floatArray } from "../factory.js";
import { checkOptions } from "../options.js";
import { defaultGenerator, type Generator } from "../random.js";
import { at, broadcastShapes, formatShape, sameShape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { expanded, gradFor } from "./broadcast.js";
import { checkWritable, overlaps } from "./elementwise.js";
import { zerosFor } from "./layout.js";

/** Settings of a fill with random numbers. */
export interface GeneratorOptions {
  /** Where the numbers come from. Default: the default generator, which `manualSeed` seeds. */
  readonly generator?: Generator;
}

/** Numbers that one call may draw so that each is drawn on its own; see {@link Generator.fillNormal}. */
const SINGLE_NORMALS = 15;

/**
 * Puts `value` into every element.
 *
 * @throws DTypeError where int32 does not hold it.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.fill_.html
 */
export function fill_(x: Tensor, value: number | boolean): Tensor {
  return fillWith("fill_", x, value);
}

/** Puts 0 into every element. @see https://pytorch.org/docs/stable/generated/torch.Tensor.zero_.html */
export function zero_(x: Tensor): Tensor {
  return fillWith("zero_", x, 0);
}

/**
 * Puts the elements of `source` into `x`, broadcast to its shape and cast to its dtype. The gradient of `x` flows on to
 * `source`.
 *
 * @throws ShapeError where the shape of `source` does not broadcast to that of `x`.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.copy_.html
 */
export function copy_(x: Tensor, source: Tensor): Tensor {
  const kernels = commonKernels("copy_", x, source);
  const { shape } = x;
  if (source.ndim > x.ndim || !sameShape(broadcastShapes("copy_", shape, source.shape), shape)) {
    throw new ShapeError(
      `copy_: got shape ${formatShape(source.shape)} to put into ${formatShape(shape)}; expected a shape that broadcasts to it. Reshape the source.`,
    );
  }
  const inputs = isFloating(x.dtype) ? [x, source] : [x];
  checkWritable("copy_", x);
  checkInPlace("copy_", x, inputs);
  const meta = { shape: source.shape, dtype: source.dtype };
  if (overlaps(x, source)) {
    const apart = Tensor.allocate(source.shape, source.dtype, source.device, "copy_");
    kernels.copy(source, apart);
    kernels.copy(expanded(apart, shape), x);
    apart.dispose();
  } else {
    kernels.copy(expanded(source, shape), x);
  }
  return recordInPlace("copy_", x, inputs, [], (g) => [() => zerosFor(g, shape, "copy_"), () => gradFor(meta, g)]);
}

/**
 * Draws every element evenly from [from, to).
 *
 * @throws ArgumentError unless `from <= to`, and both are finite.
 * @throws DTypeError for a dtype without fractions.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.uniform_.html
 */
export function uniform_(x: Tensor, from = 0, to = 1, options: GeneratorOptions = {}): Tensor {
  checkOptions("uniform_", options, ["generator"]);
  return overwrite("uniform_", x, () => {
    const values = floatArray("uniform_", x.dtype, x.numel());
    generatorOf(options).fillUniform(values, from, to);
    return () => writeInMemoryOrder(x, values);
  });
}

/**
 * Draws every element from the normal distribution with the given mean and standard deviation.
 *
 * @throws ArgumentError unless both are finite and `std >= 0`.
 * @throws DTypeError for a dtype without fractions.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.normal_.html
 */
export function normal_(x: Tensor, mean = 0, std = 1, options: GeneratorOptions = {}): Tensor {
  checkOptions("normal_", options, ["generator"]);
  return overwrite("normal_", x, () => {
    const values = floatArray("normal_", x.dtype, x.numel());
    const generator = generatorOf(options);
    // PyTorch draws in blocks only where the memory has no gaps.
    const step = x.isContiguous() ? Math.max(values.length, 1) : SINGLE_NORMALS;
    for (let i = 0; i === 0 || i < values.length; i += step) {
      generator.fillNormal(values.subarray(i, i + step), mean, std);
    }
    return () => writeInMemoryOrder(x, values);
  });
}

/**
 * Makes every element 1 with probability `p`, else 0.
 *
 * @throws ArgumentError unless p is from 0 to 1.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.bernoulli_.html
 */
export function bernoulli_(x: Tensor, p = 0.5, options: GeneratorOptions = {}): Tensor {
  checkOptions("bernoulli_", options, ["generator"]);
  return overwrite("bernoulli_", x, () => {
    const values = newTypedArray(x.dtype, x.numel());
    generatorOf(options).fillBernoulli(values, p);
    return () => writeInMemoryOrder(x, values);
  });
}

/**
 * Ones and zeros in the shape and dtype of `p`, each element 1 with the probability in its place. The gradient for `p`
 * is 0.
 *
 * @throws ArgumentError where a probability on the CPU is not from 0 to 1; elsewhere it counts as the nearer of the two.
 * @throws DTypeError for probabilities without fractions.
 * @see https://pytorch.org/docs/stable/generated/torch.bernoulli.html
 */
export function bernoulli(p: Tensor, options: GeneratorOptions = {}): Tensor {
  checkOptions("bernoulli", options, ["generator"]);
  const kernels = commonKernels("bernoulli", p);
  checkFloating("bernoulli", p.dtype);
  if (kernels.readSync !== null) checkProbabilities(p.dataSync());
  const { shape, dtype, device } = p;
  const values = floatArray("bernoulli", dtype, p.numel());
  generatorOf(options).fillUniform(values, 0, 1);
  const draws = Tensor.allocate(shape, dtype, device, "bernoulli");
  kernels.write(draws.buffer, dtype, 0, values);
  const chosen = Tensor.allocate(shape, "bool", device, "bernoulli");
  kernels.compare("lt", draws, p, chosen);
  kernels.copy(chosen, draws);
  chosen.dispose();
  return record("bernoulli", draws, [p], [], (g) => [() => zerosFor(g, shape, "bernoulli")]);
}

function fillWith(name: string, x: Tensor, value: number | boolean): Tensor {
  return overwrite(name, x, () => {
    const element = elementOf(name, value, x.dtype);
    return () => x.kernels.fill(x, element);
  });
}

/** Runs an op after which nothing is left of the old elements. `prepare` checks the arguments and gives the write. */
function overwrite(name: string, x: Tensor, prepare: () => () => void): Tensor {
  commonKernels(name, x);
  checkWritable(name, x);
  checkInPlace(name, x, [x]);
  prepare()();
  const { shape } = x;
  return recordInPlace(name, x, [x], [], (g) => [() => zerosFor(g, shape, name)]);
}

/** Writes `values` in the order in which the elements lie in memory: PyTorch's order for random fills. */
function writeInMemoryOrder(x: Tensor, values: TypedArray): void {
  const { kernels, buffer, dtype, offset } = x;
  if (x.isContiguous()) {
    kernels.write(buffer, dtype, offset, values);
    return;
  }
  const axes = x.shape.map((_, axis) => axis).sort((a, b) => at(x.strides, b) - at(x.strides, a));
  const shape = axes.map((axis) => at(x.shape, axis));
  const strides = axes.map((axis) => at(x.strides, axis));
  const dense = Tensor.allocate(shape, dtype, x.device, "fill");
  kernels.write(dense.buffer, dtype, 0, values);
  kernels.copy(dense, { buffer, dtype, shape, strides, offset });
  dense.dispose();
}

function checkProbabilities(values: TypedArray): void {
  const wrong = values.findIndex((p) => !(p >= 0 && p <= 1));
  if (wrong < 0) return;
  throw new ArgumentError(
    `bernoulli: got ${values[wrong]} as element ${wrong}; expected probabilities from 0 to 1. Use sigmoid or clamp first.`,
  );
}

function generatorOf(options: GeneratorOptions): Generator {
  return options.generator ?? defaultGenerator;
}
