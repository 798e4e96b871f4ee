import { ArgumentError } from "../../errors.js";
import { checkFloating } from "../dtype.js";
import { runScope } from "../memory.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import { at, checkShape } from "../shape.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { planesOf } from "../window.js";
import { adaptiveSize, adaptiveWindows, evenWindows } from "./adaptiveWindows.js";
import { add, mul } from "./arithmetic.js";
import { max } from "./extremes.js";
import { gather } from "./indexing.js";
import { stack } from "./joining.js";
import { maxPool2d, maxPool2dWithIndices } from "./pooling.js";
import { narrow } from "./slicing.js";

/** Settings of {@link adaptiveMaxPool2d}. */
export interface AdaptiveMaxPool2dOptions {
  /** Refused when true: call {@link adaptiveMaxPool2dWithIndices}, whose result has another type. */
  readonly returnIndices?: boolean;
}

/** One number for both axes, or [height, width]; null keeps the extent of the input. */
export type OutputSize = number | null | readonly [number | null, number | null];

/**
 * The maxima of as many windows as `outputSize` says, however large the input is. Window i of n along an axis of extent H
 * reaches from floor(i·H/n) to ceil((i + 1)·H/n). The gradient flows to the maximum, to the first one on ties.
 *
 * [N, C, H, W] → [N, C, H′, W′], or without N.
 *
 * @param outputSize one number for both axes, or [height, width]; null keeps the extent of the input
 * @throws ShapeError where the input is no image.
 * @throws ArgumentError where the output size is no whole number of 1 or more, or `returnIndices` is true.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool2d.html
 */
export function adaptiveMaxPool2d(x: Tensor, outputSize: OutputSize, options: AdaptiveMaxPool2dOptions = {}): Tensor {
  checkOptions("adaptiveMaxPool2d", options, ["returnIndices"]);
  if (options.returnIndices === true) {
    throw new ArgumentError(
      `adaptiveMaxPool2d: got returnIndices true; expected false, as this function always returns one tensor. ` +
        `Call adaptiveMaxPool2dWithIndices(x, outputSize), which returns [values, indices].`,
    );
  }
  const { rows, columns, kernel, stride } = windowsOf("adaptiveMaxPool2d", x, outputSize);
  if (kernel !== null) return maxPool2d(x, kernel, { stride });
  // Columns first: so the first row with the maximum wins, and in it the first column.
  return composite(() => alongAxis(alongAxis(x, x.ndim - 1, columns)[0], x.ndim - 2, rows)[0]);
}

/**
 * As {@link adaptiveMaxPool2d}, with the place row·W + column of each maximum in its plane: [values, indices], indices int32.
 *
 * @throws ShapeError where the input is no image.
 * @throws ArgumentError where the output size is no whole number of 1 or more.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool2d.html
 */
export function adaptiveMaxPool2dWithIndices(x: Tensor, outputSize: OutputSize): [Tensor, Tensor] {
  const { rows, columns, kernel, stride } = windowsOf("adaptiveMaxPool2dWithIndices", x, outputSize);
  if (kernel !== null) return maxPool2dWithIndices(x, kernel, { stride });
  const vertical = x.ndim - 2;
  return runScope(
    () => {
      const [inRow, column] = alongAxis(x, x.ndim - 1, columns);
      const [values, row] = alongAxis(inRow, vertical, rows);
      return [values, add(mul(row, at(x.shape, x.ndim - 1)), gather(column, vertical, row))] as [Tensor, Tensor];
    },
    (pooled) => pooled,
    (handle) => handle.discard(),
  );
}

/** How many windows there are, and where they are all alike and evenly spaced, the pool that has them. */
function windowsOf(
  where: string,
  x: Tensor,
  outputSize: OutputSize,
): { rows: number; columns: number; kernel: [number, number] | null; stride: [number, number] } {
  commonKernels(where, x);
  checkFloating(where, x.dtype);
  const { height, width } = planesOf(where, x.shape);
  const [rows, columns] = adaptiveSize(where, outputSize, height, width);
  checkShape(where, [...x.shape.slice(0, -2), rows, columns]);
  const vertical = evenWindows(height, rows);
  const horizontal = evenWindows(width, columns);
  if (vertical === null || horizontal === null) return { rows, columns, kernel: null, stride: [1, 1] };
  const stride: [number, number] = [vertical.stride, horizontal.stride];
  return { rows, columns, kernel: [vertical.kernel, horizontal.kernel], stride };
}

/** Maxima, and their places along the axis. */
function alongAxis(x: Tensor, axis: number, count: number): [values: Tensor, places: Tensor] {
  const found = adaptiveWindows(at(x.shape, axis), count).map(([start, end]) => {
    const { values, indices } = max(narrow(x, axis, start, end - start), axis);
    return [values, add(indices, start)] as const;
  });
  return [
    stack(
      found.map(([values]) => values),
      axis,
    ),
    stack(
      found.map(([, places]) => places),
      axis,
    ),
  ];
}
