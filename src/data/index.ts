/**
 * Datasets, samplers, loaders and transforms.
 *
 * @module
 */
export { CIFAR10, CIFAR100, CifarImages, type CifarOptions } from "./cifar.js";
export { type Collated, defaultCollate } from "./collate.js";
export { ConcatDataset } from "./concatDataset.js";
export { DataLoader, type DataLoaderOptions } from "./dataLoader.js";
export {
  type Dataset,
  type RandomSplitOptions,
  randomSplit,
  type SampleRequest,
  Subset,
  TensorDataset,
  type TensorRow,
} from "./dataset.js";
export { DownloadError } from "./download.js";
export { encodeIdx, parseIdx } from "./idx.js";
export type { EncodeIdxOptions } from "./idxEncode.js";
export type { IdxArray, IdxData, IdxType } from "./idxFormat.js";
export { ImageFolder, type ImageFolderOptions } from "./imageFolder.js";
export type { IterableDataset } from "./iterableDataset.js";
export type { DataLoaderState, Pass } from "./loaderState.js";
export { FashionMNIST, MNIST, type MnistOptions } from "./mnist.js";
export {
  BatchSampler,
  RandomSampler,
  type RandomSamplerOptions,
  type Sampler,
  type SampleSource,
  SequentialSampler,
  SubsetRandomSampler,
  type SubsetRandomSamplerOptions,
} from "./sampler.js";
export * as transforms from "./transforms.js";
export { WeightedRandomSampler, type WeightedRandomSamplerOptions } from "./weightedRandomSampler.js";
export { WorkerError } from "./workers/pool.js";
export { serveDataset } from "./workers/serveDataset.js";
export type { WorkerSource, WorkerThread } from "./workers/thread.js";
export { WorkerDataset, type WorkerDatasetOptions } from "./workers/workerDataset.js";
