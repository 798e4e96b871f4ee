/** What a tensor looks like as text: PyTorch's form, with this library's names. */
import type { TypedArray } from "../kernels/kernelSet.js";
import { elementFormat } from "./numberFormat.js";
import { at, denseStrides, elementCount, formatShape, type Shape } from "./shape.js";
import type { Tensor } from "./tensor.js";

/** Characters of a line. */
const LINE_WIDTH = 80;

/** Tensors with more elements are abbreviated. */
const MAX_WHOLE = 1000;

/** Elements that stay at either end of an abbreviated axis. */
const EDGE = 3;

const PREFIX = "tensor(";

/**
 * The tensor as text: its elements, and of dtype, device and history what is not the default. It never throws: what
 * cannot be read is told by its shape and the reason.
 */
export function formatTensor(x: Tensor): string {
  if (x.isReleased) return outline(x, "given back");
  if (x.numel() === 0) {
    const shape = x.ndim === 1 ? [] : [`shape=${formatShape(x.shape)}`];
    const dtype = x.dtype === "float32" ? [] : [`dtype=${x.dtype}`];
    return assemble("[]", [...device(x), ...shape, ...dtype, ...history(x)]);
  }
  try {
    const shown = readShown(x);
    if (shown === null) return outline(x, "read it with await t.data()");
    const dtype = x.dtype === "float32" || x.dtype === "bool" ? [] : [`dtype=${x.dtype}`];
    return assemble(layOut(x, shown), [...device(x), ...dtype, ...history(x)]);
  } catch (error) {
    return outline(x, `not readable: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The elements that the text shows, in row-major order. */
interface Shown {
  readonly values: TypedArray;
  readonly shape: Shape;
}

/** Reads the elements to show and no others; null where the device cannot be read at once. */
function readShown(x: Tensor): Shown | null {
  const { kernels, buffer, dtype } = x;
  if (kernels.readSync === null) return null;
  const abbreviated = x.numel() > MAX_WHOLE;
  const shape = x.shape.map((extent) => (abbreviated && extent > 2 * EDGE ? 2 * EDGE : extent));
  const strides = denseStrides(shape);
  let blocks: { shape: Shape; from: number; to: number }[] = [{ shape: [], from: x.offset, to: 0 }];
  x.shape.forEach((extent, axis) => {
    if (shape[axis] === extent) {
      blocks = blocks.map((block) => ({ ...block, shape: [...block.shape, extent] }));
      return;
    }
    const jump = (extent - EDGE) * at(x.strides, axis);
    const land = EDGE * at(strides, axis);
    blocks = blocks.flatMap(({ shape, from, to }) => [
      { shape: [...shape, EDGE], from, to },
      { shape: [...shape, EDGE], from: from + jump, to: to + land },
    ]);
  });
  const count = elementCount(shape);
  const copy = kernels.alloc(dtype, count);
  try {
    for (const block of blocks) {
      kernels.copy(
        { buffer, dtype, shape: block.shape, strides: x.strides, offset: block.from },
        { buffer: copy, dtype, shape: block.shape, strides, offset: block.to },
      );
    }
    return { values: kernels.readSync(copy, dtype, 0, count), shape };
  } finally {
    kernels.free(copy);
  }
}

/** The elements in nested brackets, in lines of limited width. */
function layOut(x: Tensor, { values, shape }: Shown): string {
  const { width, write } = elementFormat(values, x.dtype);
  let position = 0;
  const next = (): string => write(values[position++] ?? Number.NaN);

  const layOutAxis = (axis: number, indent: number): string => {
    if (axis === shape.length) return next();
    const last = axis === shape.length - 1;
    const parts = Array.from({ length: at(shape, axis) }, () => (last ? next() : layOutAxis(axis + 1, indent + 1)));
    if (shape[axis] !== x.shape[axis]) parts.splice(EDGE, 0, last ? " ..." : "...");
    const margin = " ".repeat(indent + 1);
    if (!last) return `[${parts.join(`,${"\n".repeat(shape.length - axis - 1)}${margin}`)}]`;
    const perLine = Math.max(1, Math.floor((LINE_WIDTH - indent) / (width + 2)));
    const lines: string[] = [];
    for (let i = 0; i < parts.length; i += perLine) lines.push(parts.slice(i, i + perLine).join(", "));
    return `[${lines.join(`,\n${margin}`)}]`;
  };
  return layOutAxis(0, PREFIX.length);
}

/** Adds what follows the elements, on a new line where the last one is full. */
function assemble(elements: string, suffixes: readonly string[]): string {
  let text = PREFIX + elements;
  let room = LINE_WIDTH - (text.length - text.lastIndexOf("\n") + 1);
  for (const suffix of suffixes) {
    if (suffix.length + 2 > room) {
      text += `,\n${" ".repeat(PREFIX.length)}${suffix}`;
      room = LINE_WIDTH - PREFIX.length - suffix.length;
    } else {
      text += `, ${suffix}`;
      room -= suffix.length + 2;
    }
  }
  return `${text})`;
}

/** For a tensor whose elements are out of reach. */
function outline(x: Tensor, reason: string): string {
  const suffixes = [`shape=${formatShape(x.shape)}`, `dtype=${x.dtype}`, ...device(x), ...history(x)];
  return `${PREFIX}<${reason}>, ${suffixes.join(", ")})`;
}

function device(x: Tensor): string[] {
  return x.device === "cpu" ? [] : [`device="${x.device}"`];
}

function history(x: Tensor): string[] {
  if (x.node !== null) return [`gradFn=<${x.node.name}>`];
  return x.requiresGrad ? ["requiresGrad=true"] : [];
}
