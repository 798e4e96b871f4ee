import type { Tensor } from "../tensor/tensor.js";

/** Samples that are asked for by number, from 0 to `length` − 1. */
export interface Dataset<T> {
  /** Number of samples. */
  readonly length: number;

  /** One sample. */
  get(index: number): T | Promise<T>;

  /** Several samples as the tensors of one batch, where that is faster than collating what {@link get} gives. */
  getBatch?(indices: Int32Array): readonly Tensor[];

  /** Reads what the samples are made of. A loader awaits it before the first batch. */
  load?(): Promise<void>;
}
