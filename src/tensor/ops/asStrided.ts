/** Views with strides given by hand. Windows may overlap: their gradients are then added up. */
import { ShapeError } from "../../errors.js";
import { record } from "../autograd.js";
import { composite } from "../scopes.js";
import { at, checkShape, elementCount, formatShape, type Shape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { div } from "./arithmetic.js";
import { sumTo } from "./broadcast.js";
import { contiguous, viewOf, zerosFor } from "./layout.js";

/** Where the elements of an array lie in one-dimensional memory. */
interface Layout {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
}

/**
 * A view of x's storage in which element (i, j, …) lies at offset + i·strides[0] + j·strides[1] + …, counted in
 * elements from the start of the storage; `offset` is x's own by default. Several elements may be one place in memory;
 * the gradient of a place is the sum over them.
 *
 * @throws ShapeError where the view would reach outside the storage, or a stride is negative.
 * @see https://pytorch.org/docs/stable/generated/torch.as_strided.html
 */
export function asStrided(x: Tensor, shape: Shape, strides: readonly number[], offset?: number): Tensor {
  commonKernels("asStrided", x);
  checkShape("asStrided", shape);
  const layout = { shape: [...shape], strides: [...strides], offset: offset ?? x.offset };
  checkLayout(layout, x.storage.length);
  const out = viewOf(x, layout.shape, layout.strides, layout.offset, "asStrided");
  const source = { shape: x.shape, strides: x.strides, offset: x.offset };
  return record("asStrided", out, [x], [], (g) => [() => composite(() => sourceGrad(g, layout, source))]);
}

/** The gradient of x, laid out as `source`, of a view laid out as `layout`. */
function sourceGrad(g: Tensor, layout: Layout, source: Layout): Tensor {
  if (g.numel() === 0 || elementCount(source.shape) === 0) return zerosFor(g, source.shape, "asStridedGrad");
  const start = Math.min(layout.offset, source.offset);
  const length = Math.max(lastPlace(layout), lastPlace(source)) + 1 - start;
  const once = layout.shape.map((extent, axis) => (layout.strides[axis] === 0 ? 1 : extent));
  const places = addUp(sumTo(g, once), { ...layout, shape: once, offset: layout.offset - start }, length);
  const from = { ...source, offset: source.offset - start };
  const grad = windowsOf(places, from);
  if (areDisjoint(source, allAxes(source))) return grad;
  // Several elements of x are one place: each gets its share, so that they add up to the gradient of the place.
  const ones = Tensor.allocate(source.shape, g.dtype, g.device, "asStridedGrad");
  ones.kernels.fill(ones, 1);
  return div(grad, windowsOf(addUp(ones, from, length), from));
}

/** A view of `flat`, which is one-dimensional and dense. */
function windowsOf(flat: Tensor, layout: Layout): Tensor {
  const out = viewOf(flat, layout.shape, layout.strides, flat.offset + layout.offset, "asStrided");
  const length = flat.numel();
  return record("asStrided", out, [flat], [], (g) => [() => addUp(g, layout, length)]);
}

/** Adds each element of `g` to its place in `length` zeros: the gradient of `windowsOf`, which is its gradient in turn. */
function addUp(g: Tensor, layout: Layout, length: number): Tensor {
  const kernels = commonKernels("asStridedGrad", g);
  const out = zerosFor(g, [length], "asStridedGrad");
  // Elements that are one place must not meet in one launch: the axes that bring them together are walked one by one.
  const together = disjointAxes(layout);
  const shape = layout.shape.map((extent, axis) => (together.includes(axis) ? extent : 1));
  const steps = layout.shape.map((extent, axis) => (together.includes(axis) ? 1 : extent));
  forEachPosition(steps, (position) => {
    const reach = (strides: readonly number[]) => position.reduce((sum, p, axis) => sum + p * at(strides, axis), 0);
    const part = { buffer: g.buffer, dtype: g.dtype, shape, strides: g.strides, offset: g.offset + reach(g.strides) };
    const place = {
      buffer: out.buffer,
      dtype: out.dtype,
      shape,
      strides: layout.strides,
      offset: layout.offset + reach(layout.strides),
    };
    kernels.binary("add", place, part, place);
  });
  return record("asStridedGrad", out, [g], [], (gg) => [() => composite(() => windowsOf(contiguous(gg), layout))]);
}

/** Axes, the longest first, along which no place is met twice. */
function disjointAxes(layout: Layout): number[] {
  const chosen: number[] = [];
  const byExtent = allAxes(layout).sort((a, b) => at(layout.shape, b) - at(layout.shape, a));
  for (const axis of byExtent) {
    if (areDisjoint(layout, [...chosen, axis])) chosen.push(axis);
  }
  return chosen;
}

/** Whether each step along an axis leaps over all that the axes with smaller strides reach. */
function areDisjoint({ shape, strides }: Layout, axes: readonly number[]): boolean {
  const moving = axes.filter((axis) => at(shape, axis) > 1).sort((a, b) => at(strides, a) - at(strides, b));
  let reach = 0;
  for (const axis of moving) {
    if (at(strides, axis) <= reach) return false;
    reach += (at(shape, axis) - 1) * at(strides, axis);
  }
  return true;
}

function forEachPosition(shape: Shape, visit: (position: readonly number[]) => void): void {
  const position = shape.map(() => 0);
  for (let left = elementCount(shape); left > 0; left--) {
    visit(position);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = at(position, axis) + 1;
      position[axis] = next < at(shape, axis) ? next : 0;
      if (next < at(shape, axis)) break;
    }
  }
}

function allAxes({ shape }: Layout): number[] {
  return shape.map((_, axis) => axis);
}

function lastPlace({ shape, strides, offset }: Layout): number {
  return shape.reduce((sum, extent, axis) => sum + (extent - 1) * at(strides, axis), offset);
}

function checkLayout(layout: Layout, length: number): void {
  const { shape, strides, offset } = layout;
  if (strides.length !== shape.length || !strides.every((stride) => Number.isInteger(stride) && stride >= 0)) {
    throw new ShapeError(
      `asStrided: got strides ${formatShape(strides)} for shape ${formatShape(shape)}; expected ${shape.length} whole numbers of 0 or more. ` +
        `Give each axis its step in elements.`,
    );
  }
  if (!Number.isInteger(offset) || offset < 0) {
    throw new ShapeError(
      `asStrided: got offset ${offset}; expected a whole number of 0 or more. Count from the start of the storage.`,
    );
  }
  if (elementCount(shape) > 0 && lastPlace(layout) >= length) {
    throw new ShapeError(
      `asStrided: got shape ${formatShape(shape)}, strides ${formatShape(strides)} and offset ${offset}, which reach element ${lastPlace(layout)}; ` +
        `expected a view within the storage of ${length} elements. Make the shape, the strides or the offset smaller.`,
    );
  }
}
