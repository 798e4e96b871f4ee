/** Rectangular blocks copied from one array to another: what flip, roll and pad are made of. */
import type { Strided } from "../../kernels/kernelSet.js";
import { at, elementCount, sameShape } from "../shape.js";
import { Tensor } from "../tensor.js";

/** A stretch of one axis: place to + i of the target is place from + i·step of the source, for i < length. */
export interface Run {
  readonly to: number;
  readonly from: number;
  readonly length: number;
  /** 1, −1 (backwards) or 0 (one place again and again). */
  readonly step: 1 | -1 | 0;
}

/** What is read or written of one axis. */
interface Span {
  readonly start: number;
  readonly step: number;
  readonly length: number;
}

/** Copies every block: one run of each axis, in all combinations. The runs of an axis must not meet in the target. */
export function copyRuns(x: Tensor, out: Tensor, runs: readonly (readonly Run[])[]): void {
  for (const block of blocks(runs)) {
    out.kernels.copy(spanned(x, block.map(sourceSpan)), spanned(out, block.map(targetSpan)));
  }
}

/** The transpose of {@link copyRuns}: puts into `out` the sum of all that was copied from each place. */
export function addRuns(g: Tensor, out: Tensor, runs: readonly (readonly Run[])[]): void {
  const { kernels } = out;
  kernels.fill(out, 0);
  for (const block of blocks(runs)) {
    const part = spanned(
      g,
      block.map((run) => (run.step < 0 ? reversed(targetSpan(run)) : targetSpan(run))),
    );
    const place = spanned(
      out,
      block.map((run) => (run.step < 0 ? reversed(sourceSpan(run)) : { ...sourceSpan(run), length: timesRead(run) })),
    );
    if (sameShape(part.shape, place.shape)) {
      kernels.binary("add", place, part, place);
    } else {
      const sums = Tensor.allocate(place.shape, out.dtype, out.device, "sum");
      kernels.reduce("sum", part, sums);
      kernels.binary("add", place, sums, place);
      sums.dispose();
    }
  }
}

/** Whether the runs fill an array of `shape`. */
export function fillsAll(runs: readonly (readonly Run[])[], shape: readonly number[]): boolean {
  const filled = runs.map((axisRuns) => axisRuns.reduce((sum, run) => sum + run.length, 0));
  return elementCount(shape) === 0 || sameShape(filled, shape);
}

function blocks(runs: readonly (readonly Run[])[]): Run[][] {
  return runs.reduce<Run[][]>(
    (found, axisRuns) => found.flatMap((block) => axisRuns.map((run) => [...block, run])),
    [[]],
  );
}

function sourceSpan({ from, step, length }: Run): Span {
  return { start: from, step, length };
}

function targetSpan({ to, length }: Run): Span {
  return { start: to, step: 1, length };
}

function timesRead({ step, length }: Run): number {
  return step === 0 ? 1 : length;
}

function reversed({ start, step, length }: Span): Span {
  return { start: start + (length - 1) * step, step: -step, length };
}

function spanned(x: Tensor, spans: readonly Span[]): Strided {
  return {
    buffer: x.buffer,
    dtype: x.dtype,
    shape: spans.map(({ length }) => length),
    strides: spans.map(({ step }, axis) => step * at(x.strides, axis)),
    offset: spans.reduce((sum, { start }, axis) => sum + start * at(x.strides, axis), x.offset),
  };
}
