/** What a case of the kernel table works with: memory of one kernel set, filled with numbers that are always the same. */
import type { DType, KernelSet, Strided, TypedArray } from "../../src/kernels/kernelSet.js";

/** How an array lies in its buffer; dense from element 0 on unless told otherwise. */
export interface Layout {
  /** Elements before the first one. */
  readonly offset?: number;
  /** The axes from the outermost to the innermost in memory: [1, 0] is a transposed matrix. */
  readonly order?: readonly number[];
  /** Each element takes the place of this many. */
  readonly spread?: number;
  /** Axes along which one stretch of memory is repeated (stride 0). */
  readonly repeat?: readonly number[];
  /** Axes that are read backwards (negative stride). */
  readonly reverse?: readonly number[];
}

/** The named results of one case. */
export type Outputs = Record<string, number[]>;

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Every index of a shape, in row-major order. */
export function* indicesOf(shape: readonly number[]): Generator<number[]> {
  const size = sizeOf(shape);
  for (let flat = 0; flat < size; flat += 1) {
    const index = new Array<number>(shape.length);
    let rest = flat;
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      const extent = shape[axis] ?? 1;
      index[axis] = rest % extent;
      rest = Math.floor(rest / extent);
    }
    yield index;
  }
}

/** Where an element lies. */
export function placeOf(x: Strided, index: readonly number[]): number {
  return index.reduce((place, i, axis) => place + i * (x.strides[axis] ?? 0), x.offset);
}

/** Where all elements lie, in row-major order. */
function placesOf(x: Strided): number[] {
  let places = [x.offset];
  x.shape.forEach((extent, axis) => {
    const stride = x.strides[axis] ?? 0;
    const further = new Array<number>(places.length * extent);
    let next = 0;
    for (const place of places) for (let i = 0; i < extent; i += 1) further[next++] = place + i * stride;
    places = further;
  });
  return places;
}

export function typedArray(dtype: DType, values: readonly number[]): TypedArray {
  switch (dtype) {
    case "float16":
    case "float32":
      return new Float32Array(values);
    case "float64":
      return new Float64Array(values);
    case "int32":
      return new Int32Array(values);
    case "bool":
      return new Uint8Array(values.map((value) => (value === 0 ? 0 : 1)));
  }
}

/** Fills the gaps of buffers whose whole content is looked at. */
const gapValue = 1;

export class KernelBench {
  readonly kernels: KernelSet;
  private seed: number;

  constructor(kernels: KernelSet, seed = 1) {
    this.kernels = kernels;
    this.seed = seed;
  }

  /** The next number of a small generator, uniform in [0, 1). */
  random(): number {
    this.seed = (Math.imul(this.seed, 1664525) + 1013904223) | 0;
    return (this.seed >>> 8) / 2 ** 24;
  }

  /** `count` numbers that suit the dtype: floats in [-2, 2), integers in [-9, 9], bools. */
  numbers(dtype: DType, count: number): number[] {
    return Array.from({ length: count }, () => {
      const u = this.random();
      if (dtype === "bool") return u < 0.5 ? 0 : 1;
      return dtype === "int32" ? Math.floor(u * 19) - 9 : u * 4 - 2;
    });
  }

  /** Whole numbers in [0, limit). */
  integers(count: number, limit: number): number[] {
    return Array.from({ length: count }, () => Math.floor(this.random() * limit));
  }

  /** An input with the given elements (in row-major order, whatever the layout), or with arbitrary ones. */
  input(dtype: DType, shape: readonly number[], values?: readonly number[], layout: Layout = {}): Strided {
    const { x, length } = this.place(dtype, shape, layout);
    const elements = values ?? this.numbers(dtype, sizeOf(shape));
    const memory = new Array<number>(length).fill(gapValue);
    let next = 0;
    for (const place of placesOf(x)) memory[place] = elements[next++ % elements.length] ?? 0;
    this.kernels.write(x.buffer, dtype, 0, typedArray(dtype, memory));
    return x;
  }

  /** An output that nothing was written to yet. */
  output(dtype: DType, shape: readonly number[], layout: Layout = {}): Strided {
    return this.place(dtype, shape, layout).x;
  }

  /** The elements in row-major order. */
  async read(x: Strided): Promise<number[]> {
    const places = placesOf(x);
    const length = places.reduce((end, place) => Math.max(end, place + 1), 0);
    const memory = await this.kernels.read(x.buffer, x.dtype, 0, length);
    return places.map((place) => memory[place] ?? Number.NaN);
  }

  /** The whole buffer of an `input` with this layout, gaps included. */
  async readAll(x: Strided, layout: Layout): Promise<number[]> {
    return Array.from(await this.kernels.read(x.buffer, x.dtype, 0, lengthOf(x.shape, layout)));
  }

  private place(dtype: DType, shape: readonly number[], layout: Layout): { x: Strided; length: number } {
    const length = lengthOf(shape, layout);
    const strides = new Array<number>(shape.length).fill(0);
    let stride = layout.spread ?? 1;
    const order = layout.order ?? shape.map((_, axis) => axis);
    for (const axis of [...order].reverse()) {
      if (layout.repeat?.includes(axis)) continue;
      strides[axis] = stride;
      stride *= shape[axis] ?? 1;
    }
    let offset = layout.offset ?? 0;
    for (const axis of layout.reverse ?? []) {
      const step = strides[axis] ?? 0;
      offset += step * ((shape[axis] ?? 1) - 1);
      strides[axis] = -step;
    }
    const buffer = this.kernels.alloc(dtype, length);
    return { x: { buffer, dtype, shape, strides, offset }, length };
  }
}

function lengthOf(shape: readonly number[], layout: Layout): number {
  const held = shape.filter((_, axis) => !layout.repeat?.includes(axis));
  return (layout.offset ?? 0) + sizeOf(held) * (layout.spread ?? 1);
}

/** One row of the table. */
export interface KernelCase {
  readonly name: string;
  /** The dtypes that the set must support for this case to run. */
  readonly dtypes: readonly DType[];
  /** How far float32 results may be apart, relative to the larger of 1 and their size; 1e-5 unless given. */
  readonly tolerance?: number;
  readonly run: (bench: KernelBench) => Promise<Outputs>;
}
