/** Class labels: whole numbers that choose along the class axis, checked before anything is computed. */
import { ArgumentError, DTypeError, ShapeError } from "../../errors.js";
import { formatShape, sameShape } from "../shape.js";
import type { Tensor } from "../tensor.js";

/** The axis of the classes in an input [C] or [N, C, …]. */
export function classAxis(input: Tensor): 0 | 1 {
  return input.ndim === 1 ? 0 : 1;
}

/** Number of classes of an input [C] or [N, C, …]. */
export function classCount(input: Tensor): number {
  return input.shape[classAxis(input)] ?? 1;
}

/**
 * Checks labels for an input [C] or [N, C, …]. Returns whether some may equal `ignoreIndex`.
 *
 * The values are looked at where the device can be read at once.
 *
 * @throws DTypeError where they are not int32.
 * @throws ShapeError where their shape is not that of the input without the class axis.
 * @throws ArgumentError where one is neither a class nor `ignoreIndex`.
 */
export function checkLabels(where: string, input: Tensor, target: Tensor, ignoreIndex: number): boolean {
  if (target.dtype !== "int32") {
    throw new DTypeError(
      `${where}: got labels of ${target.dtype} and shape ${formatShape(target.shape)}; expected int32. Cast them with .int().`,
    );
  }
  const axis = classAxis(input);
  const expected = input.shape.filter((_, i) => i !== axis);
  if (!sameShape(target.shape, expected)) {
    throw new ShapeError(
      `${where}: got labels of shape ${formatShape(target.shape)} for an input of shape ${formatShape(input.shape)}; ` +
        `expected ${formatShape(expected)}, the input's shape without its class axis. Reshape one of them.`,
    );
  }
  if (target.kernels.readSync === null) return true;
  const classes = classCount(input);
  const labels = target.dataSync();
  let ignored = false;
  for (let position = 0; position < labels.length; position++) {
    const label = labels[position] ?? Number.NaN;
    if (label === ignoreIndex) ignored = true;
    else if (label < 0 || label >= classes) {
      throw new ArgumentError(
        `${where}: got the label ${label} at position ${position}; expected 0 to ${classes - 1} for ${classes} classes, or the ` +
          `ignoreIndex ${ignoreIndex}. Correct the labels, or give the model more classes.`,
      );
    }
  }
  return ignored;
}
