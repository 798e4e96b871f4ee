/** How a view of memory, given by strides, is read from an array that fills the memory: by slices, transposes and reshapes. */
import { at, denseStrides, elementCount, type Shape } from "../../../tensor/shape.js";

/** Elements at offset + i·strides[0] + j·strides[1] + …, all strides above 0 (those of axes of extent 1 do not matter). */
export interface View {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
}

/** One axis of an array that fills the memory, and what the view takes of it. */
export interface Span {
  readonly extent: number;
  readonly start: number;
  readonly count: number;
  readonly step: number;
  /** The axis of the view that runs along it; null where the view stays in one place. */
  readonly axis: number | null;
}

/**
 * The view as a part of an array of shape `frame`, of which neighbouring axes may have to be joined: the extents of the
 * result are those of the array to slice. Null where there is none: where places overlap, say.
 */
export function locate(frame: Shape, view: View): Span[] | null {
  return place(frame, view) ?? place(refine(frame, view), view);
}

/** The array of `length` elements whose axes are cut where the strides of `view` say. */
export function refine(frame: Shape, { strides }: Pick<View, "strides">): number[] {
  let result = [...frame];
  for (const stride of [...strides].sort((a, b) => b - a)) {
    const dense = denseStrides(result);
    const axis = result.findIndex((extent, i) => at(dense, i) < stride && stride < at(dense, i) * extent);
    if (axis < 0) continue;
    const inner = stride / at(dense, axis);
    const outer = (at(result, axis) * at(dense, axis)) / stride;
    if (Number.isInteger(inner) && Number.isInteger(outer)) {
      result = [...result.slice(0, axis), outer, inner, ...result.slice(axis + 1)];
    }
  }
  return result;
}

function place(frame: Shape, { shape, strides, offset }: View): Span[] | null {
  const dense = denseStrides(frame);
  const moving = shape.map((_, axis) => axis).filter((axis) => at(shape, axis) > 1);
  moving.sort((a, b) => at(strides, a) - at(strides, b) || b - a);
  const spans: Span[] = [];
  const digit = (place: number, extent: number): number => Math.floor(offset / at(dense, place)) % extent;
  let next = frame.length - 1;
  const stay = (): void => {
    const extent = at(frame, next);
    spans.unshift({ extent, start: digit(next, extent), count: 1, step: 1, axis: null });
    next--;
  };
  for (const axis of moving) {
    const [count, stride] = [at(shape, axis), at(strides, axis)];
    while (next > 0 && at(dense, next - 1) <= stride && stride % at(dense, next - 1) === 0) stay();
    if (next < 0 || at(dense, next) > stride || stride % at(dense, next) !== 0) return null;
    const inner = next;
    const step = stride / at(dense, inner);
    let extent = at(frame, inner);
    let start = digit(inner, extent);
    while (start + (count - 1) * step >= extent) {
      next--;
      if (next < 0) return null;
      extent *= at(frame, next);
      start = digit(inner, extent);
    }
    spans.unshift({ extent, start, count, step, axis });
    next--;
  }
  while (next >= 0) stay();
  return spans;
}

/** Where each element of the view lies in memory, in the view's own order. */
export function placesOf({ shape, strides, offset }: View): number[] {
  const places: number[] = [];
  const position = shape.map(() => 0);
  for (let left = elementCount(shape); left > 0; left--) {
    places.push(position.reduce((sum, p, axis) => sum + p * at(strides, axis), offset));
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = at(position, axis) + 1;
      position[axis] = next < at(shape, axis) ? next : 0;
      if (next < at(shape, axis)) break;
    }
  }
  return places;
}
