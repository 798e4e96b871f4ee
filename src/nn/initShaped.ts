/** Ways to fill new parameters that look at their shape: identities, orthogonal and sparse matrices; and cut-off normals. */
import { ArgumentError, ShapeError } from "../errors.js";
import { withGradMode } from "../tensor/autograd.js";
import { tensor as fromData } from "../tensor/create.js";
import { erf } from "../tensor/ops/elementary.js";
import { copy_ } from "../tensor/ops/fill.js";
import { defaultGenerator } from "../tensor/random.js";
import { composite } from "../tensor/scopes.js";
import { at, elementCount, formatShape } from "../tensor/shape.js";
import type { Tensor } from "../tensor/tensor.js";
import { checkCount, checkDType, checkOptions, checkRange } from "./arguments.js";
import type { RandomInitOptions } from "./init.js";
import { orthonormalColumns } from "./orthonormal.js";

/** Settings of {@link orthogonal_}. */
export interface OrthogonalOptions extends RandomInitOptions {
  /** Factor of the matrix. Default 1. */
  readonly gain?: number;
}

/** Settings of {@link dirac_}. */
export interface DiracOptions {
  /** Groups of channels, each an identity by itself. Default 1. */
  readonly groups?: number;
}

/**
 * Fills with normally distributed numbers of which those outside [a, b] were drawn again.
 *
 * @throws ArgumentError unless all are finite, std > 0 and a < b.
 * @see https://pytorch.org/docs/stable/nn.init.html#torch.nn.init.trunc_normal_
 */
export function truncNormal_<T extends Tensor>(
  tensor: T,
  mean = 0,
  std = 1,
  a = -2,
  b = 2,
  options: RandomInitOptions = {},
): T {
  checkOptions("init.truncNormal_", options, ["generator"]);
  checkRange("init.truncNormal_", "mean", mean, -Infinity, Infinity);
  checkRange("init.truncNormal_", "std", std, Number.MIN_VALUE, Infinity);
  if (!(Number.isFinite(a) && Number.isFinite(b) && a < b)) {
    throw new ArgumentError(
      `init.truncNormal_: got the bounds ${a} and ${b}; expected finite numbers, the first below the second. Correct them.`,
    );
  }
  const values = floatsFor("init.truncNormal_", tensor);
  const generator = options.generator ?? defaultGenerator;
  const below = (x: number): number => (1 + erfOf((x - mean) / (std * Math.SQRT2))) / 2;
  if (below(b) - below(a) > 0.3) {
    const [low, high] = [a, b].map(values instanceof Float32Array ? Math.fround : Number) as [number, number];
    const isOutside = (value: number): boolean => value < low || value > high;
    generator.fillNormal(values, mean, std);
    for (const again = values.slice(); values.some(isOutside); ) {
      generator.fillNormal(again, mean, std);
      for (let i = 0; i < values.length; i++) if (isOutside(values[i] ?? 0)) values[i] = again[i] ?? 0;
    }
  } else {
    drawFromTail(values, { mean, std, a, b }, (into, from, to) => generator.fillUniform(into, from, to));
  }
  return filled(tensor, values);
}

type Floats = Float32Array | Float64Array;

/** Few normal numbers lie in [a, b]: even ones from there are taken with the probability that they have beside the likeliest. */
function drawFromTail(
  values: Floats,
  { mean, std, a, b }: { mean: number; std: number; a: number; b: number },
  fillUniform: (into: Floats, from: number, to: number) => void,
): void {
  const round = values instanceof Float32Array ? Math.fround : Number;
  const peak = -0.5 * ((Math.max(a, Math.min(mean, b)) - mean) / std) ** 2;
  // Rounded where PyTorch rounds, so that the same numbers are taken.
  const logChance = (x: number): number =>
    round(round(round(round(round(x - round(mean)) / round(std)) ** 2) * -0.5) - round(peak));
  const [candidates, chances] = [values.slice(), values.slice()];
  const waiting = new Uint8Array(values.length).fill(1);
  for (let left = values.length; left > 0; ) {
    fillUniform(candidates, a, b);
    fillUniform(chances, 0, 1);
    for (let i = 0; i < values.length; i++) {
      if (waiting[i] === 0) continue;
      const candidate = candidates[i] ?? 0;
      values[i] = candidate;
      if (round(Math.log(chances[i] ?? 0)) > logChance(candidate)) continue;
      waiting[i] = 0;
      left--;
    }
  }
}

function erfOf(x: number): number {
  const found = composite(() => erf(fromData(x, { dtype: "float64", device: "cpu" })));
  const value = found.itemSync();
  found.dispose();
  return Number(value);
}

/**
 * Fills a weight [rows, …] with a random matrix [rows, columns] whose rows, or columns where these are fewer, are orthogonal
 * and of length `gain`.
 *
 * @throws ShapeError where the tensor has fewer than 2 axes.
 * @see A. Saxe et al.: Exact solutions to the nonlinear dynamics of learning in deep linear neural networks, 2013
 * @see https://pytorch.org/docs/stable/nn.init.html#torch.nn.init.orthogonal_
 */
export function orthogonal_<T extends Tensor>(tensor: T, options: OrthogonalOptions = {}): T {
  const where = "init.orthogonal_";
  checkOptions(where, options, ["gain", "generator"]);
  const { gain = 1, generator = defaultGenerator } = options;
  checkRange(where, "gain", gain, -Infinity, Infinity);
  const [rows, ...rest] = tensor.shape;
  if (rows === undefined || rest.length === 0) throw axesError(where, tensor, "at least 2 axes");
  const values = floatsFor(where, tensor);
  if (values.length === 0) return tensor;
  const columns = elementCount(rest);
  generator.fillNormal(values, 0, 1);
  const wide = rows < columns;
  const q = orthonormalColumns(
    Math.max(rows, columns),
    Math.min(rows, columns),
    (row, column) => values[wide ? column * columns + row : row * columns + column] ?? 0,
  );
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const entry = wide ? q[row]?.[column] : q[column]?.[row];
      values[row * columns + column] = gain * (entry ?? 0);
    }
  }
  return filled(tensor, values);
}

/** Fills a matrix with the identity: 1 on the diagonal, 0 elsewhere. @throws ShapeError unless it has 2 axes. */
export function eye_<T extends Tensor>(tensor: T): T {
  if (tensor.ndim !== 2) throw axesError("init.eye_", tensor, "2 axes");
  const values = floatsFor("init.eye_", tensor);
  const [rows, columns] = [at(tensor.shape, 0), at(tensor.shape, 1)];
  for (let i = 0; i < Math.min(rows, columns); i++) values[i * columns + i] = 1;
  return filled(tensor, values);
}

/**
 * Fills the weight [outputs, inputs, …] of a convolution so that it gives its input back, as far as there are channels: 1 in
 * the middle of the window of output i from input i of each group, 0 elsewhere.
 *
 * @throws ShapeError unless it has 3 to 5 axes.
 * @throws ArgumentError where groups do not divide the outputs.
 * @see https://pytorch.org/docs/stable/nn.init.html#torch.nn.init.dirac_
 */
export function dirac_<T extends Tensor>(tensor: T, options: DiracOptions = {}): T {
  checkOptions("init.dirac_", options, ["groups"]);
  const { groups = 1 } = options;
  checkCount("init.dirac_", "groups", groups);
  const [outputs = 0, inputs = 0, ...window] = tensor.shape;
  if (tensor.ndim < 3 || tensor.ndim > 5) throw axesError("init.dirac_", tensor, "3 to 5 axes");
  if (outputs % groups !== 0) {
    throw new ArgumentError(
      `init.dirac_: got groups ${groups} for ${outputs} outputs; expected a number that divides them. Correct groups.`,
    );
  }
  const values = floatsFor("init.dirac_", tensor);
  const middle = window.reduce((place, extent) => place * extent + Math.floor(extent / 2), 0);
  const taps = elementCount(window);
  const perGroup = outputs / groups;
  for (let output = 0; output < outputs; output++) {
    const input = output % perGroup;
    if (input < inputs) values[(output * inputs + input) * taps + middle] = 1;
  }
  return filled(tensor, values);
}

/**
 * Fills a matrix with normally distributed numbers, of which in each column ⌈sparsity · rows⌉ at random are 0.
 *
 * @throws ShapeError unless it has 2 axes.
 * @throws ArgumentError where sparsity is not from 0 to 1.
 * @see https://pytorch.org/docs/stable/nn.init.html#torch.nn.init.sparse_
 */
export function sparse_<T extends Tensor>(tensor: T, sparsity: number, std = 0.01, options: RandomInitOptions = {}): T {
  checkOptions("init.sparse_", options, ["generator"]);
  checkRange("init.sparse_", "sparsity", sparsity, 0, 1);
  checkRange("init.sparse_", "std", std, 0, Infinity);
  if (tensor.ndim !== 2) throw axesError("init.sparse_", tensor, "2 axes");
  const values = floatsFor("init.sparse_", tensor);
  const generator = options.generator ?? defaultGenerator;
  generator.fillNormal(values, 0, std);
  const [rows, columns] = [at(tensor.shape, 0), at(tensor.shape, 1)];
  const zeros = Math.ceil(sparsity * rows);
  for (let column = 0; column < columns; column++) {
    for (const row of generator.permutation(rows).subarray(0, zeros)) values[row * columns + column] = 0;
  }
  return filled(tensor, values);
}

function axesError(where: string, tensor: Tensor, expected: string): ShapeError {
  return new ShapeError(
    `${where}: got a tensor of shape ${formatShape(tensor.shape)}; expected ${expected}. Use uniform_ or normal_ for others.`,
  );
}

/** Zeros for the elements of a tensor, where it has fractions. */
function floatsFor(where: string, tensor: Tensor): Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> {
  checkDType(where, tensor.dtype);
  return tensor.dtype === "float64" ? new Float64Array(tensor.numel()) : new Float32Array(tensor.numel());
}

/** Puts the elements, in row-major order, into the tensor. */
function filled<T extends Tensor>(tensor: T, values: Floats): T {
  withGradMode(false, () => {
    const source = fromData(values, { shape: tensor.shape, dtype: tensor.dtype, device: tensor.device });
    copy_(tensor, source);
    source.dispose();
  });
  return tensor;
}
