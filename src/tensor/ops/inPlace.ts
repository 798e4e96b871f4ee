/** Ops in place that have no kernel of their own: the result is worked out beside the tensor, and put into it. */
import { DTypeError, ShapeError } from "../../errors.js";
import { checkInPlace, isRecording } from "../autograd.js";
import { checkFloating } from "../dtype.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import { broadcastShapes, formatShape, sameShape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { cumsum } from "./accumulating.js";
import { celu, selu } from "./composedActivations.js";
import { tril, triu } from "./diagonals.js";
import { ceil, cos, erf, expm1, floor, lerp, log1p, reciprocal, round, rsqrt, sin } from "./elementary.js";
import { checkWritable } from "./elementwise.js";
import { copy_ } from "./fill.js";
import { hardsigmoid, hardswish } from "./hardActivations.js";
import { type ScatterOptions, scatter } from "./indexing.js";
import { clone } from "./layout.js";
import { maskedFill } from "./masking.js";
import { threshold as thresholded } from "./shrinkActivations.js";
import { elu, mish, silu } from "./smoothActivations.js";

/** x = sin x, in place. */
export function sin_(x: Tensor): Tensor {
  return overwriteFloating("sin_", x, sin);
}

/** x = cos x, in place. */
export function cos_(x: Tensor): Tensor {
  return overwriteFloating("cos_", x, cos);
}

/** x = erf(x), in place. */
export function erf_(x: Tensor): Tensor {
  return overwriteFloating("erf_", x, erf);
}

/** x = log(1 + x), in place. */
export function log1p_(x: Tensor): Tensor {
  return overwriteFloating("log1p_", x, log1p);
}

/** x = eˣ − 1, in place. */
export function expm1_(x: Tensor): Tensor {
  return overwriteFloating("expm1_", x, expm1);
}

/** x = 1 / √x, in place. */
export function rsqrt_(x: Tensor): Tensor {
  return overwriteFloating("rsqrt_", x, rsqrt);
}

/** x = 1 / x, in place. */
export function reciprocal_(x: Tensor): Tensor {
  return overwriteFloating("reciprocal_", x, reciprocal);
}

/** x = round(x), in place. */
export function round_(x: Tensor): Tensor {
  return overwriteNumbers("round_", x, round);
}

/** x = floor(x), in place. */
export function floor_(x: Tensor): Tensor {
  return overwriteNumbers("floor_", x, floor);
}

/** x = ceil(x), in place. */
export function ceil_(x: Tensor): Tensor {
  return overwriteNumbers("ceil_", x, ceil);
}

/** x = elu(x), in place. */
export function elu_(x: Tensor, alpha = 1): Tensor {
  return overwriteFloating("elu_", x, (original) => elu(original, alpha));
}

/** x = celu(x), in place. */
export function celu_(x: Tensor, alpha = 1): Tensor {
  return overwriteFloating("celu_", x, (original) => celu(original, alpha));
}

/** x = selu(x), in place. */
export function selu_(x: Tensor): Tensor {
  return overwriteFloating("selu_", x, selu);
}

/** x = silu(x), in place. */
export function silu_(x: Tensor): Tensor {
  return overwriteFloating("silu_", x, silu);
}

/** x = mish(x), in place. */
export function mish_(x: Tensor): Tensor {
  return overwriteFloating("mish_", x, mish);
}

/** x = hardswish(x), in place. */
export function hardswish_(x: Tensor): Tensor {
  return overwriteFloating("hardswish_", x, hardswish);
}

/** x = hardsigmoid(x), in place. */
export function hardsigmoid_(x: Tensor): Tensor {
  return overwriteFloating("hardsigmoid_", x, hardsigmoid);
}

/** x where x is above the threshold, else `value`, in place. */
export function threshold_(x: Tensor, threshold: number, value: number): Tensor {
  return overwrite("threshold_", x, (original) => thresholded(original, threshold, value));
}

/** x = x + weight·(end − x), in place. */
export function lerp_(x: Tensor, end: Tensor, weight: Tensor | number): Tensor {
  return overwrite("lerp_", x, (original) => lerp(original, end, weight), end, weight);
}

/** {@link maskedFill} in place. */
export function maskedFill_(x: Tensor, mask: Tensor, value: number | boolean | Tensor): Tensor {
  return overwrite("maskedFill_", x, (original) => maskedFill(original, mask, value), mask);
}

/** {@link scatter} in place. */
export function scatter_(
  x: Tensor,
  dim: number,
  index: Tensor,
  src: Tensor | number,
  options: ScatterOptions = {},
): Tensor {
  checkOptions("scatter_", options, ["reduce"]);
  return overwrite("scatter_", x, (original) => scatter(original, dim, index, src, options));
}

/** {@link cumsum} in place. */
export function cumsum_(x: Tensor, dim: number): Tensor {
  return overwriteNumbers("cumsum_", x, (original) => cumsum(original, dim));
}

/** {@link tril} in place. */
export function tril_(x: Tensor, diagonal = 0): Tensor {
  return overwrite("tril_", x, (original) => tril(original, diagonal));
}

/** {@link triu} in place. */
export function triu_(x: Tensor, diagonal = 0): Tensor {
  return overwrite("triu_", x, (original) => triu(original, diagonal));
}

/** Of `others`, which are broadcast with `x`, none may make the result larger. */
function overwrite(name: string, x: Tensor, fn: (original: Tensor) => Tensor, ...others: readonly unknown[]): Tensor {
  const operands = others.filter((other) => other instanceof Tensor);
  commonKernels(name, x, ...operands);
  checkWritable(name, x);
  checkInPlace(name, x, [x]);
  const shape = broadcastShapes(name, x.shape, ...operands.map((operand) => operand.shape));
  if (!sameShape(shape, x.shape)) {
    throw new ShapeError(
      `${name}: got a result of shape ${formatShape(shape)} to put into ${formatShape(x.shape)}; expected the same shape. Use ${name.slice(0, -1)}.`,
    );
  }
  // Derivatives want the elements as they were.
  return composite(() => copy_(x, fn(isRecording([x]) ? clone(x) : x)));
}

/** {@link overwrite} by a function whose results are fractions. */
function overwriteFloating(name: string, x: Tensor, fn: (original: Tensor) => Tensor): Tensor {
  commonKernels(name, x);
  checkFloating(name, x.dtype);
  return overwrite(name, x, fn);
}

/** {@link overwrite} by a function that leaves whole numbers whole, and makes them of bools. */
function overwriteNumbers(name: string, x: Tensor, fn: (original: Tensor) => Tensor): Tensor {
  commonKernels(name, x);
  if (x.dtype === "bool") {
    throw new DTypeError(
      `${name}: got a tensor of bool; expected numbers, which the result is made of. Use ${name.slice(0, -1)}, or cast it with .int() first.`,
    );
  }
  return overwrite(name, x, fn);
}
