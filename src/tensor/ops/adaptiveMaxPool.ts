import { checkFloating } from "../dtype.js";
import { composite } from "../scopes.js";
import { at, checkShape } from "../shape.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { planesOf } from "../window.js";
import { adaptiveSize, adaptiveWindows, evenWindows } from "./adaptiveWindows.js";
import { max } from "./extremes.js";
import { stack } from "./joining.js";
import { maxPool2d } from "./pooling.js";
import { narrow } from "./slicing.js";

/**
 * The maxima of as many windows as `outputSize` says, however large the input is. Window i of n along an axis of extent H
 * reaches from floor(i·H/n) to ceil((i + 1)·H/n). The gradient flows to the maximum, to the first one on ties.
 *
 * [N, C, H, W] → [N, C, H′, W′], or without N.
 *
 * @param outputSize one number for both axes, or [height, width]; null keeps the extent of the input
 * @throws ShapeError where the input is no image.
 * @throws ArgumentError where the output size is no whole number of 1 or more.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool2d.html
 */
export function adaptiveMaxPool2d(
  x: Tensor,
  outputSize: number | null | readonly [number | null, number | null],
): Tensor {
  commonKernels("adaptiveMaxPool2d", x);
  checkFloating("adaptiveMaxPool2d", x.dtype);
  const { height, width } = planesOf("adaptiveMaxPool2d", x.shape);
  const [rows, columns] = adaptiveSize("adaptiveMaxPool2d", outputSize, height, width);
  checkShape("adaptiveMaxPool2d", [...x.shape.slice(0, -2), rows, columns]);
  const vertical = evenWindows(height, rows);
  const horizontal = evenWindows(width, columns);
  if (vertical !== null && horizontal !== null) {
    return maxPool2d(x, [vertical.kernel, horizontal.kernel], { stride: [vertical.stride, horizontal.stride] });
  }
  // Columns first: so the first row with the maximum wins, and in it the first column.
  return composite(() => alongAxis(alongAxis(x, x.ndim - 1, columns), x.ndim - 2, rows));
}

function alongAxis(x: Tensor, axis: number, count: number): Tensor {
  const windows = adaptiveWindows(at(x.shape, axis), count);
  return stack(
    windows.map(([start, end]) => max(narrow(x, axis, start, end - start), axis).values),
    axis,
  );
}
