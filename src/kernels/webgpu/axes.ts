/** Walks over strided arrays: their axes made as few as can be, and the text that finds an element. */
import type { Strided } from "../kernelSet.js";
import { at } from "../strides.js";

/** Axes that one launch can walk over; of more, the outermost are walked by the host. */
export const MOST_AXES = 8;

/** Arrays of one shape, walked together. */
export interface Walk {
  readonly shape: readonly number[];
  /** For each array. */
  readonly strides: readonly (readonly number[])[];
  readonly offsets: readonly number[];
}

/** `x` with other strides, shape, …. Arguments of kernels are tensors, whose properties an object spread does not copy. */
export function relaid(x: Strided, changes: Partial<Strided>): Strided {
  const { buffer, dtype, shape, strides, offset } = x;
  return { buffer, dtype, shape, strides, offset, ...changes };
}

/** Drops axes of extent 1, and joins neighbours that every array steps over as over one. */
export function walkOver(shape: readonly number[], arrays: readonly Strided[]): Walk {
  const extents: number[] = [];
  const strides: number[][] = arrays.map(() => []);
  for (let axis = 0; axis < shape.length; axis++) {
    const extent = at(shape, axis);
    if (extent === 1) continue;
    const last = extents.length - 1;
    const joins = last >= 0 && arrays.every((x, i) => strides[i]?.[last] === at(x.strides, axis) * extent);
    if (joins) extents[last] = at(extents, last) * extent;
    else extents.push(extent);
    arrays.forEach((x, i) => {
      const own = strides[i];
      if (own !== undefined) own[joins ? last : extents.length - 1] = at(x.strides, axis);
    });
  }
  return { shape: extents, strides, offsets: arrays.map((x) => x.offset) };
}

/** Calls `launch` for walks of at most {@link MOST_AXES} axes that make up `walk`. */
export function inParts(walk: Walk, launch: (part: Walk) => void): void {
  if (walk.shape.length <= MOST_AXES) {
    launch(walk);
    return;
  }
  const [extent = 0, ...shape] = walk.shape;
  const strides = walk.strides.map((own) => own.slice(1));
  for (let i = 0; i < extent; i++) {
    const offsets = walk.offsets.map((offset, array) => offset + i * (walk.strides[array]?.[0] ?? 0));
    inParts({ shape, strides, offsets }, launch);
  }
}

/** Uniforms of a walk: extents, then offset and strides of each array. Goes with {@link walkNumbers}. */
export function walkUniforms(rank: number, names: readonly string[]): Record<string, "u32" | "i32"> {
  const fields: Record<string, "u32" | "i32"> = {};
  for (let axis = 0; axis < rank; axis++) fields[`n${axis}`] = "u32";
  for (const name of names) {
    fields[`${name}Start`] = "i32";
    for (let axis = 0; axis < rank; axis++) fields[`${name}Step${axis}`] = "i32";
  }
  return fields;
}

/** The numbers for {@link walkUniforms}, put behind `numbers`. */
export function walkNumbers(walk: Walk, numbers: number[]): void {
  for (const extent of walk.shape) numbers.push(extent);
  walk.offsets.forEach((offset, array) => {
    numbers.push(offset);
    for (const stride of walk.strides[array] ?? []) numbers.push(stride);
  });
}

/**
 * Text that sets `<name>At` of each array to the place of the element that the u32 expression `flat` counts out.
 * The text declares `rest`.
 */
export function walkText(rank: number, names: readonly string[], flat: string): string {
  const lines = names.map((name) => `var ${name}At = u.${name}Start;`);
  lines.push(`var rest = ${flat};`);
  for (let axis = rank - 1; axis >= 0; axis--) {
    // The outermost axis takes what is left.
    const place = axis === 0 ? "rest" : `rest % u.n${axis}`;
    lines.push(`{ let i = i32(${place});`);
    for (const name of names) lines.push(`${name}At += i * u.${name}Step${axis};`);
    lines.push(axis === 0 ? "}" : `rest /= u.n${axis}; }`);
  }
  return lines.join("\n  ");
}
