import { ArgumentError } from "../errors.js";
import { checkDataset, checkIndex, type Dataset, type SampleRequest } from "./dataset.js";

/**
 * Datasets one after another: the samples of the first, then those of the second, and so on.
 *
 * @see https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.ConcatDataset
 */
export class ConcatDataset<T> implements Dataset<T> {
  readonly datasets: readonly Dataset<T>[];
  /** Present where one of the datasets has to be loaded. */
  readonly load?: () => Promise<void>;

  /** @throws ArgumentError where there is no dataset, or one is none. */
  constructor(datasets: Iterable<Dataset<T>>) {
    this.datasets = [...datasets];
    if (this.datasets.length === 0) {
      throw new ArgumentError("ConcatDataset: got no datasets; expected at least one. Pass them in an array.");
    }
    for (const each of this.datasets) checkDataset("ConcatDataset", each);
    if (this.datasets.some((each) => each.load !== undefined)) {
      this.load = async () => {
        for (const each of this.datasets) await each.load?.();
      };
    }
  }

  get length(): number {
    return this.datasets.reduce((sum, { length }) => sum + length, 0);
  }

  get prefetch(): number {
    return Math.max(...this.datasets.map(({ prefetch = 0 }) => prefetch));
  }

  /** @throws ShapeError where there is no such sample. */
  get(index: number, request?: SampleRequest): T | Promise<T> {
    checkIndex("ConcatDataset.get", index, this.length);
    let place = index;
    for (const dataset of this.datasets) {
      if (place < dataset.length) return dataset.get(place, request);
      place -= dataset.length;
    }
    throw new ArgumentError(
      "ConcatDataset.get: got datasets that became shorter meanwhile; expected fixed lengths. Do not change them.",
    );
  }
}
