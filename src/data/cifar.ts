/**
 * CIFAR-10 and CIFAR-100 from their binary files.
 *
 * @module
 */
import { ArgumentError, DataFormatError } from "../errors.js";
import { importNode } from "../platform/node.js";
import { reasonOf } from "../platform/reasonOf.js";
import { tensor } from "../tensor/create.js";
import type { Device } from "../tensor/device.js";
import { tidy } from "../tensor/scopes.js";
import type { Tensor } from "../tensor/tensor.js";
import { checkIndex, type Dataset } from "./dataset.js";
import { DownloadError } from "./download.js";

/** Settings of {@link CIFAR10} and {@link CIFAR100}. */
export interface CifarOptions {
  /**
   * The folder with the binary files, or one with `cifar-10-batches-bin` (`cifar-100-binary`) in it, or the http address of
   * such a folder, which is what a browser needs.
   */
  readonly root: string | URL;
  /** The training images, or else the test images. Default: true. */
  readonly train?: boolean;
  /** Changes each image of shape [3, 32, 32]. */
  readonly transform?: (image: Tensor) => Tensor;
  /** Changes each label. */
  readonly targetTransform?: (label: number) => number;
  /** Where the tensors are made. Default: the default device. */
  readonly device?: Device;
}

/** How one of the two is stored. */
interface CifarSource {
  readonly name: string;
  readonly folder: string;
  readonly train: readonly string[];
  readonly test: readonly string[];
  /** Bytes of labels before each image; the last of them is the class. */
  readonly labelBytes: number;
  readonly classes: number;
}

const PIXELS = 3 * 32 * 32;

/** Images with labels from binary files, each of which is one record after another: what both have in common. */
export class CifarImages implements Dataset<[image: Tensor, label: number]> {
  /** Images [B, 3, 32, 32] of float32 and labels [B] of int32. Absent where a transform has to see samples one by one. */
  readonly getBatch?: (indices: Int32Array) => [images: Tensor, labels: Tensor];

  private readonly source: CifarSource;
  private readonly options: CifarOptions;
  private records: Uint8Array | null = null;
  private loading: Promise<void> | null = null;

  /** @internal */
  constructor(source: CifarSource, options: CifarOptions) {
    if (typeof options !== "object" || options === null || !(options.root instanceof URL || options.root)) {
      throw new ArgumentError(
        `${source.name}: got no root; expected the folder of the binary files. Pass { root: folder }, where ${source.folder} of ` +
          "https://www.cs.toronto.edu/~kriz/cifar.html was unpacked (the binary version).",
      );
    }
    this.source = source;
    this.options = { ...options };
    if (options.transform === undefined && options.targetTransform === undefined) {
      this.getBatch = (indices) => this.gather(indices);
    }
  }

  /** Number of images. @throws DataFormatError where the files are not loaded yet. */
  get length(): number {
    return this.loaded("length").length / this.recordSize;
  }

  /** All labels. @throws DataFormatError where the files are not loaded yet. */
  get targets(): Int32Array {
    const records = this.loaded("targets");
    const { labelBytes } = this.source;
    return Int32Array.from(
      { length: this.length },
      (_, index) => records[index * this.recordSize + labelBytes - 1] ?? 0,
    );
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
   * One sample: an image of shape [3, 32, 32] of float32 in [0, 1], red, green and blue, and its label.
   *
   * @throws ShapeError where there is no such sample.
   */
  async get(index: number): Promise<[image: Tensor, label: number]> {
    await this.load();
    checkIndex(`${this.source.name}.get`, index, this.length);
    const values = new Float32Array(PIXELS);
    const label = this.copySample(index, values, 0);
    const { transform, targetTransform } = this.options;
    const image = this.toTensor(values, [3, 32, 32]);
    return tidy(() => [transform ? transform(image) : image, targetTransform ? targetTransform(label) : label]);
  }

  private gather(indices: Int32Array): [images: Tensor, labels: Tensor] {
    const count = this.length;
    for (const index of indices) checkIndex(`${this.source.name}.getBatch`, index, count);
    const values = new Float32Array(indices.length * PIXELS);
    const labels = indices.map((index, row) => this.copySample(index, values, row * PIXELS));
    return [this.toTensor(values, [indices.length, 3, 32, 32]), this.toTensor(labels, [indices.length])];
  }

  /** Puts the pixels of a sample into `values`, and gives its label. */
  private copySample(index: number, values: Float32Array, start: number): number {
    const records = this.loaded("get");
    const { labelBytes } = this.source;
    const record = index * this.recordSize;
    for (let pixel = 0; pixel < PIXELS; pixel++) {
      values[start + pixel] = (records[record + labelBytes + pixel] ?? 0) / 255;
    }
    return records[record + labelBytes - 1] ?? 0;
  }

  private toTensor(data: Float32Array | Int32Array, shape: number[]): Tensor {
    const { device } = this.options;
    return tensor(data, device === undefined ? { shape } : { shape, device });
  }

  private get recordSize(): number {
    return this.source.labelBytes + PIXELS;
  }

  private loaded(where: string): Uint8Array {
    if (this.records !== null) return this.records;
    throw new DataFormatError(
      `${this.source.name}.${where}: got a dataset that is not loaded; expected its files to have been read. Call await dataset.load() first.`,
    );
  }

  private async read(): Promise<void> {
    const { name, train, test, classes, labelBytes } = this.source;
    const files = this.options.train === false ? test : train;
    const parts: Uint8Array[] = [];
    for (const file of files) {
      const bytes = await readFile(this.source, this.options.root, file);
      if (bytes.length === 0 || bytes.length % this.recordSize !== 0) {
        throw new DataFormatError(
          `${name}: got ${bytes.length} bytes in ${file}; expected a multiple of ${this.recordSize}, the size of a record. Unpack the binary version anew.`,
        );
      }
      for (let record = labelBytes - 1; record < bytes.length; record += this.recordSize) {
        if ((bytes[record] ?? 0) < classes) continue;
        throw new DataFormatError(
          `${name}: got label ${bytes[record]} in ${file}; expected 0 to ${classes - 1}. The file is damaged, or of another dataset.`,
        );
      }
      parts.push(bytes);
    }
    const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let start = 0;
    for (const part of parts) {
      all.set(part, start);
      start += part.length;
    }
    this.records = all;
  }
}

async function readFile(source: CifarSource, root: string | URL, file: string): Promise<Uint8Array> {
  const places = /^https?:/.test(String(root))
    ? [`${root}`, `${String(root).replace(/\/$/, "")}/${source.folder}`]
    : await localPlaces(source, root);
  for (const place of places) {
    const bytes = await (/^https?:/.test(place)
      ? fetchBytes(source, `${place.replace(/\/$/, "")}/${file}`)
      : fromDisk(place, file));
    if (bytes !== undefined) return bytes;
  }
  throw new DataFormatError(
    `${source.name}: got no ${file} in ${places.join(" or ")}; expected the binary version's files. Unpack ${source.folder} of https://www.cs.toronto.edu/~kriz/cifar.html there.`,
  );
}

async function localPlaces({ folder }: CifarSource, root: string | URL): Promise<string[]> {
  const { fileURLToPath } = await importNode("node:url");
  const { join } = await importNode("node:path");
  const path = root instanceof URL || root.startsWith("file:") ? fileURLToPath(root) : root;
  return [path, join(path, folder)];
}

async function fromDisk(folder: string, file: string): Promise<Uint8Array | undefined> {
  const fs = await importNode("node:fs/promises");
  const { join } = await importNode("node:path");
  return fs.readFile(join(folder, file)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw new DataFormatError(
      `CIFAR: got ${reasonOf(error)} for ${join(folder, file)}; expected a file that can be read. Check its permissions.`,
      {
        cause: error,
      },
    );
  });
}

async function fetchBytes({ name }: CifarSource, url: string): Promise<Uint8Array | undefined> {
  try {
    const response = await fetch(url);
    // Development servers answer with their index page where a file is missing.
    const missing = response.status === 404 || response.headers.get("content-type")?.startsWith("text/html") === true;
    if (!missing && response.ok) return new Uint8Array(await response.arrayBuffer());
    await response.body?.cancel();
    if (missing) return undefined;
    throw new Error(`HTTP ${response.status}`);
  } catch (error) {
    throw new DownloadError(
      `${name}: got ${reasonOf(error)} for ${url}; expected a binary file of CIFAR. Check the address, the network and the server.`,
      { cause: error },
    );
  }
}

/**
 * 60,000 colour images of 32×32 in 10 classes, 50,000 of them for training. The files are the binary version's,
 * `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`, which the user has unpacked.
 *
 * @throws ArgumentError where there is no root.
 * @see https://www.cs.toronto.edu/~kriz/cifar.html
 * @see https://pytorch.org/vision/stable/generated/torchvision.datasets.CIFAR10.html
 */
export class CIFAR10 extends CifarImages {
  /** The names of the classes, by label. */
  readonly classes: readonly string[] = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
  ];

  constructor(options: CifarOptions) {
    super(
      {
        name: "CIFAR10",
        folder: "cifar-10-batches-bin",
        train: [1, 2, 3, 4, 5].map((part) => `data_batch_${part}.bin`),
        test: ["test_batch.bin"],
        labelBytes: 1,
        classes: 10,
      },
      options,
    );
  }
}

/**
 * As {@link CIFAR10} with 100 classes (the fine labels), from `train.bin` and `test.bin`.
 *
 * @throws ArgumentError where there is no root.
 * @see https://www.cs.toronto.edu/~kriz/cifar.html
 * @see https://pytorch.org/vision/stable/generated/torchvision.datasets.CIFAR100.html
 */
export class CIFAR100 extends CifarImages {
  constructor(options: CifarOptions) {
    super(
      {
        name: "CIFAR100",
        folder: "cifar-100-binary",
        train: ["train.bin"],
        test: ["test.bin"],
        labelBytes: 2,
        classes: 100,
      },
      options,
    );
  }
}
