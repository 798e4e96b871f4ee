import { ArgumentError, ShapeError } from "../../errors.js";
import { record } from "../autograd.js";
import { elementOf } from "../elements.js";
import { at, checkShape, formatShape, type Shape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { addRuns, copyRuns, fillsAll, type Run } from "./runs.js";

/** What padding is filled with: one value, the mirror image, the edge, or the other end. */
export type PadMode = "constant" | "reflect" | "replicate" | "circular";

const modes: readonly string[] = ["constant", "reflect", "replicate", "circular"] satisfies PadMode[];

/** How many places come before and after one axis; negative where places are cut off. */
interface Sides {
  readonly before: number;
  readonly after: number;
}

/**
 * The tensor with places added at the ends of its last axes: `padding` is [before, after] of the last axis, then of the
 * one before it, and so on. A negative number cuts places off. With mode `"reflect"` the padding is the mirror image of
 * the inside without the edge and must be smaller than the extent; with `"replicate"` it repeats the edge; with
 * `"circular"` what is not cut off continues at the other end, once at most; `value` is for `"constant"` alone.
 * Every mode pads any number of axes.
 *
 * @throws ShapeError where the padding does not fit the shape.
 * @throws ArgumentError where the mode is unknown, or takes no value.
 * @throws DTypeError where int32 does not hold the value.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.pad.html
 */
export function pad(x: Tensor, padding: readonly number[], mode: PadMode = "constant", value = 0): Tensor {
  const kernels = commonKernels("pad", x);
  checkMode(mode, value);
  const element = elementOf("pad", value, x.dtype);
  const sides = sidesOf(x.shape, padding);
  sides.forEach((side, axis) => {
    checkSides(x.shape, axis, side, mode);
  });
  const shape = sides.map(({ before, after }, axis) => before + at(x.shape, axis) + after);
  checkShape("pad", shape);
  const runs = runsFor(x.shape, sides, mode);
  const out = Tensor.allocate(shape, x.dtype, x.device, "pad");
  if (!fillsAll(runs, shape)) kernels.fill(out, element);
  copyRuns(x, out, runs);
  const from = x.shape;
  const places = [...padding];
  return record("pad", out, [x], [], (g) => [
    () => {
      if (mode !== "constant") return padGrad(g, from, places, mode);
      return pad(
        g,
        places.map((count) => -count),
      );
    },
  ]);
}

/** Adds to each place the gradients of its copies in the padding. */
function padGrad(g: Tensor, shape: Shape, padding: readonly number[], mode: PadMode): Tensor {
  commonKernels("padGrad", g);
  const out = Tensor.allocate(shape, g.dtype, g.device, "padGrad");
  addRuns(g, out, runsFor(shape, sidesOf(shape, padding), mode));
  return record("padGrad", out, [g], [], (gg) => [() => pad(gg, padding, mode)]);
}

/** For each axis where its padded places come from, first the inside, then the padding. */
function runsFor(shape: Shape, sides: readonly Sides[], mode: PadMode): Run[][] {
  return sides.map(({ before, after }, axis) => {
    const extent = at(shape, axis);
    const inside = { first: Math.max(0, -before), end: extent - Math.max(0, -after) };
    const runs: Run[] = [{ to: inside.first + before, from: inside.first, length: inside.end - inside.first, step: 1 }];
    // Places are counted from the first one of x: the padding is what lies below 0 and from `extent` on.
    const addPadding = (first: number, end: number): void => {
      const length = end - first;
      const run = { to: first + before, length };
      const low = first < 0;
      if (mode === "reflect") runs.push({ ...run, from: low ? -first : 2 * (extent - 1) - first, step: -1 });
      if (mode === "replicate") runs.push({ ...run, from: low ? 0 : extent - 1, step: 0 });
      if (mode === "circular")
        runs.push({ ...run, from: low ? first + inside.end : first - extent + inside.first, step: 1 });
    };
    if (before > 0) addPadding(-before, 0);
    if (after > 0) addPadding(extent, extent + after);
    return runs.filter((run) => run.length > 0);
  });
}

function sidesOf(shape: Shape, padding: readonly number[]): Sides[] {
  if (!Array.isArray(padding) || padding.length % 2 !== 0 || padding.length > 2 * shape.length) {
    throw new ShapeError(
      `pad: got padding ${formatList(padding)} for shape ${formatShape(shape)}; expected two numbers for each padded axis, at most ${2 * shape.length}. ` +
        `List [before, after] of the last axis first.`,
    );
  }
  if (!padding.every(Number.isInteger)) {
    throw new ShapeError(`pad: got padding ${formatShape(padding)}; expected whole numbers. Round them.`);
  }
  return shape.map((_, axis) => {
    const place = 2 * (shape.length - 1 - axis);
    return { before: padding[place] ?? 0, after: padding[place + 1] ?? 0 };
  });
}

function checkMode(mode: PadMode, value: number): void {
  if (!modes.includes(mode)) {
    throw new ArgumentError(
      `pad: got mode ${JSON.stringify(mode)}; expected one of ${modes.join(", ")}. Name one of them.`,
    );
  }
  if (mode !== "constant" && value !== 0) {
    throw new ArgumentError(
      `pad: got the value ${value} with mode "${mode}"; expected a value with mode "constant" alone. Leave it out.`,
    );
  }
}

function checkSides(shape: Shape, axis: number, { before, after }: Sides, mode: PadMode): void {
  const extent = at(shape, axis);
  const got = `pad: got padding [${before}, ${after}] on axis ${axis} of shape ${formatShape(shape)}`;
  const left = extent - Math.max(0, -before) - Math.max(0, -after);
  if (left < 0) {
    throw new ShapeError(
      `${got}; expected to cut off at most its ${extent} places. Make the negative padding smaller.`,
    );
  }
  const most = Math.max(before, after);
  if (most <= 0) return;
  if (mode === "reflect" && most >= extent) {
    throw new ShapeError(
      `${got} with mode "reflect"; expected less than the extent ${extent}. Pad less, or use mode "circular" or "replicate".`,
    );
  }
  if (mode === "circular" && most > left) {
    throw new ShapeError(
      `${got} with mode "circular"; expected at most the ${left} places that are not cut off. Pad less, or pad twice.`,
    );
  }
  if (mode === "replicate" && extent === 0) {
    throw new ShapeError(
      `${got} with mode "replicate"; expected an axis that has an edge. Check for empty tensors first.`,
    );
  }
}

function formatList(padding: unknown): string {
  return Array.isArray(padding) ? formatShape(padding) : String(padding);
}
