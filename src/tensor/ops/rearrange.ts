/** The same elements in another order along their axes. */
import { ArgumentError, ShapeError } from "../../errors.js";
import { record } from "../autograd.js";
import { composite } from "../scopes.js";
import { at, formatShape, normalizeAxes, normalizeAxis } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { clone, flatten, reshape, transpose } from "./layout.js";
import { copyRuns, type Run } from "./runs.js";

/**
 * A copy with the order of elements reversed along each of `dims`.
 *
 * @throws ShapeError where an axis is out of range or named twice.
 * @see https://pytorch.org/docs/stable/generated/torch.flip.html
 */
export function flip(x: Tensor, dims: number | readonly number[]): Tensor {
  commonKernels("flip", x);
  const axes = normalizeAxes("flip", dims, x.ndim);
  const out = Tensor.allocate(x.shape, x.dtype, x.device, "flip");
  const runs = x.shape.map((length, axis): Run[] => {
    if (length === 0) return [];
    return axes.includes(axis)
      ? [{ to: 0, from: length - 1, length, step: -1 }]
      : [{ to: 0, from: 0, length, step: 1 }];
  });
  copyRuns(x, out, runs);
  return record("flip", out, [x], [], (g) => [() => flip(g, axes)]);
}

/**
 * A copy that is turned by `k` right angles in the plane of two axes, from the first towards the second.
 *
 * @throws ShapeError where the axes are not two different ones, or out of range.
 * @throws ArgumentError where `k` is no whole number.
 * @see https://pytorch.org/docs/stable/generated/torch.rot90.html
 */
export function rot90(x: Tensor, k = 1, dims: readonly [number, number] = [0, 1]): Tensor {
  commonKernels("rot90", x);
  if (!Number.isInteger(k)) {
    throw new ArgumentError(`rot90: got k = ${String(k)}; expected a whole number of right angles. Round it.`);
  }
  const [from = 0, to = 0, ...others] = dims.map((dim) => normalizeAxis("rot90", dim, x.ndim));
  if (from === to || others.length > 0) {
    throw new ShapeError(
      `rot90: got the axes ${formatShape(dims)}; expected two, those of the plane. Name two different axes.`,
    );
  }
  const quarters = ((k % 4) + 4) % 4;
  if (quarters === 0) return clone(x);
  if (quarters === 2) return flip(x, [from, to]);
  return composite(() => transpose(flip(x, quarters === 1 ? to : from), from, to));
}

/**
 * A copy with all elements moved `shifts` places towards the end along `dims`; what leaves at the end comes back at the
 * start. Without `dims` the tensor is rolled as if it had one axis.
 *
 * @throws ShapeError where the numbers of shifts and axes differ, or an axis is out of range.
 * @see https://pytorch.org/docs/stable/generated/torch.roll.html
 */
export function roll(x: Tensor, shifts: number | readonly number[], dims?: number | readonly number[] | null): Tensor {
  commonKernels("roll", x);
  const steps = typeof shifts === "number" ? [shifts] : [...shifts];
  const axes = typeof dims === "number" ? [dims] : (dims ?? null);
  if (!steps.every(Number.isInteger)) {
    throw new ShapeError(`roll: got shifts ${formatShape(steps)}; expected whole numbers. Round them.`);
  }
  if (steps.length !== (axes?.length ?? 1)) {
    throw new ShapeError(
      `roll: got ${steps.length} shifts for ${axes === null ? "no axes" : `${axes.length} axes`}; ` +
        `expected one shift for each axis. Name as many axes in dims as there are shifts.`,
    );
  }
  if (axes === null) return composite(() => reshape(rollAxes(flatten(x), steps), x.shape));
  const all = x.shape.map(() => 0);
  axes.forEach((dim, index) => {
    const axis = normalizeAxis("roll", dim, x.ndim);
    if (axis < x.ndim) all[axis] = at(all, axis) + at(steps, index);
  });
  return rollAxes(x, all);
}

/** Rolls each axis by its own shift. */
function rollAxes(x: Tensor, shifts: readonly number[]): Tensor {
  const out = Tensor.allocate(x.shape, x.dtype, x.device, "roll");
  const runs = x.shape.map((extent, axis): Run[] => {
    if (extent === 0) return [];
    const shift = ((at(shifts, axis) % extent) + extent) % extent;
    const ahead: Run = { to: shift, from: 0, length: extent - shift, step: 1 };
    return shift === 0 ? [ahead] : [ahead, { to: 0, from: extent - shift, length: shift, step: 1 }];
  });
  copyRuns(x, out, runs);
  return record("roll", out, [x], [], (g) => [
    () =>
      rollAxes(
        g,
        shifts.map((shift) => -shift),
      ),
  ]);
}
