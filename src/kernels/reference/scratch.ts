/**
 * Working memory of the kernels. Kernels run one after the other on one thread, so each piece of working memory is one
 * array that grows on demand and is used again by the next call.
 */

/** Longest array that is kept for the next call: 32 MiB. */
const keptLength = 2 ** 22;

/** One piece of working memory; ask for it anew in each kernel, since its content is whatever was left there. */
export class Scratch {
  private kept = new Float64Array(0);

  /** An array of at least `length` elements with arbitrary content. */
  take(length: number): Float64Array<ArrayBuffer> {
    if (this.kept.length >= length) return this.kept;
    const array = new Float64Array(length);
    if (length <= keptLength) this.kept = array;
    return array;
  }
}
