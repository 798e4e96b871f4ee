/**
 * Indices out of range, found by kernels: a GPU cannot throw, so the kernel notes the first one of each op, and the next
 * read turns the note into an error.
 *
 * @module
 */
import { ShapeError } from "../../errors.js";
import type { GpuMemory } from "./bufferPool.js";

/** Ops that read indices, in the order of their notes. */
const ops = ["gather", "scatterAdd", "scatter"] as const;

/** Words of a note: whether there is one, the index, the extent of the axis, nothing. */
const WORDS = 4;

export type IndexOp = (typeof ops)[number];

export class IndexFaults {
  static readonly BYTES = ops.length * WORDS * 4;

  constructor(readonly memory: GpuMemory) {}

  /** Declares `noteIndex(index, extent)` for a kernel that has the output `notes: "atomic<i32>"`. */
  static declare(op: IndexOp): string {
    const word = ops.indexOf(op) * WORDS;
    return `
fn noteIndex(place: i32, extent: i32) {
  let before = atomicCompareExchangeWeak(&notes[${word}], 0, 1);
  if (before.exchanged) {
    atomicStore(&notes[${word + 1}], place);
    atomicStore(&notes[${word + 2}], extent);
  }
}
`;
  }

  /**
   * Looks at the notes that were read back.
   *
   * @throws ShapeError where there is one, after `write` has cleared all.
   */
  check(notes: Int32Array<ArrayBuffer>, write: (zeros: Int32Array<ArrayBuffer>) => void): void {
    const op = ops.find((_, i) => notes[i * WORDS] !== 0);
    if (op === undefined) return;
    const word = ops.indexOf(op) * WORDS;
    const extent = notes[word + 2] ?? 0;
    write(new Int32Array(ops.length * WORDS));
    throw new ShapeError(
      `${op}: got index ${notes[word + 1]} on an axis of ${extent}, in one of the calls since the last read; ` +
        (extent === 0
          ? "expected an axis with at least one place. Check for empty tensors first."
          : `expected 0 to ${extent - 1}. Correct the index (in a loss: the labels, or the number of classes).`),
    );
  }
}
