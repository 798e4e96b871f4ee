/**
 * Images in folders that are named after their classes.
 *
 * @module
 */
import { ArgumentError, DataFormatError, TapegradError } from "../errors.js";
import { importNode } from "../platform/node.js";
import { reasonOf } from "../platform/reasonOf.js";
import { tidy } from "../tensor/scopes.js";
import type { Tensor } from "../tensor/tensor.js";
import { checkIndex, type Dataset } from "./dataset.js";
import { type ImageLike, toTensor } from "./transforms.js";

/** Settings of {@link ImageFolder}. */
export interface ImageFolderOptions {
  /** From the image's bytes (red, green, blue) to a tensor. Default: `transforms.toTensor()`. */
  readonly transform?: (image: ImageLike) => Tensor;
  /** Changes each label. */
  readonly targetTransform?: (label: number) => number;
  /** Endings of the files that count as images. Default: .jpg, .jpeg, .png, .webp, .gif, .tif, .tiff, .avif. */
  readonly extensions?: readonly string[];
}

const IMAGES = [".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".avif"];

/** The part of the image library that is used. */
type Decoder = (path: string) => {
  removeAlpha(): ReturnType<Decoder>;
  toColourspace(space: string): ReturnType<Decoder>;
  raw(): ReturnType<Decoder>;
  toBuffer(options: { resolveWithObject: true }): Promise<{
    readonly data: Uint8Array;
    readonly info: { readonly width: number; readonly height: number; readonly channels: number };
  }>;
};

/**
 * Images in one folder for each class, in Node: `root/cat/1.jpg`, `root/dog/x/2.png`. Classes are the names of the folders, in
 * their order, and labels count them; folders in them are looked into. Files are decoded when they are asked for, by the npm
 * package `sharp`, which has to be installed beside this one.
 *
 * The folders are read on first use, once; `await load()` reads them at a chosen moment.
 *
 * @see https://pytorch.org/vision/stable/generated/torchvision.datasets.ImageFolder.html
 */
export class ImageFolder implements Dataset<[image: Tensor, label: number]> {
  readonly root: string | URL;
  private readonly options: ImageFolderOptions;
  private readonly transform: (image: ImageLike) => Tensor;
  private found: { readonly classes: readonly string[]; readonly samples: readonly Sample[] } | null = null;

  /** @throws ArgumentError where `root` is no path. */
  constructor(root: string | URL, options: ImageFolderOptions = {}) {
    if (!(root instanceof URL) && (typeof root !== "string" || root === "")) {
      throw new ArgumentError(
        `ImageFolder: got ${String(root)} as root; expected the path of a folder. Pass the one that holds a folder for each class.`,
      );
    }
    this.root = root;
    this.options = { ...options };
    this.transform = options.transform ?? toTensor();
  }

  /** The names of the classes, by label. @throws DataFormatError where the folders were not read yet. */
  get classes(): readonly string[] {
    return this.loaded("classes").classes;
  }

  /** The paths of the images with their labels. @throws DataFormatError where the folders were not read yet. */
  get samples(): readonly (readonly [path: string, label: number])[] {
    return this.loaded("samples").samples;
  }

  /** Number of images. @throws DataFormatError where the folders were not read yet. */
  get length(): number {
    return this.loaded("length").samples.length;
  }

  /**
   * Reads which files there are.
   *
   * @throws DataFormatError where there are no classes, or one has no images.
   */
  async load(): Promise<void> {
    this.found ??= await samplesIn(this.root, this.options.extensions ?? IMAGES);
  }

  /**
   * One sample: what the transform makes of the image, and its label.
   *
   * @throws ShapeError where there is no such sample.
   * @throws DataFormatError where the file is no image that can be decoded.
   * @throws ArgumentError where `sharp` is not installed.
   */
  async get(index: number): Promise<[image: Tensor, label: number]> {
    await this.load();
    const { samples } = this.loaded("get");
    checkIndex("ImageFolder.get", index, samples.length);
    const [path, label] = samples[index] as Sample;
    const pixels = await decoded(path);
    const { targetTransform } = this.options;
    return tidy(() => [this.transform(pixels), targetTransform ? targetTransform(label) : label]);
  }

  private loaded(where: string): NonNullable<typeof this.found> {
    if (this.found !== null) return this.found;
    throw new DataFormatError(
      `ImageFolder.${where}: got a dataset that is not loaded; expected its folders to have been read. Call await dataset.load() first.`,
    );
  }
}

type Sample = readonly [path: string, label: number];

async function samplesIn(
  root: string | URL,
  extensions: readonly string[],
): Promise<{ classes: readonly string[]; samples: readonly Sample[] }> {
  const fs = await importNode("node:fs/promises");
  const { join } = await importNode("node:path");
  const { fileURLToPath } = await importNode("node:url");
  const path = root instanceof URL || root.startsWith("file:") ? fileURLToPath(root) : root;
  const entries = await fs.readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    throw new DataFormatError(
      `ImageFolder: got ${reasonOf(error)} for ${path}; expected a folder with a folder for each class. Check the path.`,
      { cause: error },
    );
  });
  const classes = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  classes.sort(byCodes);
  if (classes.length === 0) {
    throw new DataFormatError(
      `ImageFolder: got no folders in ${path}; expected one for each class. Put the images into folders named after their classes.`,
    );
  }
  const samples: Sample[] = [];
  for (const [label, name] of classes.entries()) {
    const files = await fs.readdir(join(path, name), { recursive: true, withFileTypes: true });
    const images = files
      .filter((file) => file.isFile() && extensions.some((ending) => file.name.toLowerCase().endsWith(ending)))
      .map((file) => join(folderOf(file), file.name));
    if (images.length === 0) {
      throw new DataFormatError(
        `ImageFolder: got no images in ${join(path, name)}; expected files that end in ${extensions.join(", ")}. Put some there, or remove the folder.`,
      );
    }
    images.sort(byCodes);
    for (const image of images) samples.push([image, label]);
  }
  return { classes, samples };
}

/** Node before 20.12 has it under another name. */
function folderOf(file: { readonly parentPath?: string; readonly path?: string }): string {
  return file.parentPath ?? file.path ?? "";
}

/** The order of PyTorch's sorted(): by code units, whatever the language of the system. */
function byCodes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

async function decoded(path: string): Promise<ImageLike> {
  const decode = await decoder();
  try {
    const { data, info } = await decode(path)
      .removeAlpha()
      .toColourspace("srgb")
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height, channels: info.channels };
  } catch (error) {
    if (error instanceof TapegradError) throw error;
    throw new DataFormatError(
      `ImageFolder: got ${reasonOf(error)} for ${path}; expected an image. Remove the file, or save it anew.`,
      { cause: error },
    );
  }
}

let library: Promise<Decoder> | null = null;

function decoder(): Promise<Decoder> {
  // A name in a variable, so that bundlers for browsers do not follow it.
  const name = "sharp";
  library ??= import(/* @vite-ignore */ /* webpackIgnore: true */ name).then(
    (module: { default: Decoder }) => module.default,
    (error: unknown) => {
      library = null;
      throw new ArgumentError(
        `ImageFolder: got ${reasonOf(error)}; expected the npm package sharp, which decodes images. Run npm install sharp.`,
        { cause: error },
      );
    },
  );
  return library;
}
