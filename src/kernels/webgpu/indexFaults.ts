/**
 * Indices out of range, found by kernels: a GPU cannot throw, so the kernel notes the first one, and the next read
 * turns the note into an error.
 *
 * @module
 */
import { ShapeError } from "../../errors.js";
import type { GpuMemory } from "./bufferPool.js";

/** Words of a note: the number of the op (0: there is no note), the index, the extent of the axis, nothing. */
const WORDS = 4;

export class IndexFaults {
  static readonly BYTES = WORDS * 4;

  /** Declares `noteIndex(index, extent)` for a kernel that has the output `notes: "atomic<i32>"` and the uniform `op`. */
  static readonly declaration = `
fn noteIndex(place: i32, extent: i32) {
  let before = atomicCompareExchangeWeak(&notes[0], 0, u.op);
  if (before.exchanged) {
    atomicStore(&notes[1], place);
    atomicStore(&notes[2], extent);
  }
}
`;

  private readonly ops: string[] = [];

  constructor(readonly memory: GpuMemory) {}

  /** The number of an op, for the uniform `op`. */
  numberOf(op: string): number {
    const known = this.ops.indexOf(op);
    return known === -1 ? this.ops.push(op) : known + 1;
  }

  /**
   * Looks at the notes that were read back.
   *
   * @throws ShapeError where there is one, after `write` has cleared all.
   */
  check(notes: Int32Array<ArrayBuffer>, write: (zeros: Int32Array<ArrayBuffer>) => void): void {
    const [number = 0, index, extent = 0] = notes;
    if (number === 0) return;
    write(new Int32Array(WORDS));
    throw new ShapeError(
      `${this.ops[number - 1]}: got index ${index} on an axis of ${extent}, in one of the calls since the last read; ` +
        (extent === 0
          ? "expected an axis with at least one place. Check for empty tensors first."
          : `expected 0 to ${extent - 1}. Correct the index (in a loss: the labels, or the number of classes).`),
    );
  }
}
