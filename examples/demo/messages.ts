/** What the page and its worker say to each other. */
import type { Device } from "tapegrad";

/** Filters of the network's first convolution, and their width and height. */
export const filters = { count: 8, size: 5 } as const;

/** What the user can set. */
export interface Settings {
  /** Training images; a sixth as many test images. */
  readonly images: number;
  readonly batchSize: number;
  /** Learning rate of Adam. */
  readonly lr: number;
}

export const defaultSettings: Settings = { images: 10_000, batchSize: 64, lr: 0.002 };

/** A point of a curve. */
export interface CurvePoint {
  /** Images trained on until then. */
  readonly images: number;
  readonly loss: number;
  /** From 0 to 1. */
  readonly accuracy: number;
}

/** Means over the batches since the point before, and tests in between. */
export interface Curves {
  readonly train: CurvePoint[];
  readonly test: CurvePoint[];
}

/** What the browser offers. */
export interface Offer {
  readonly threads: number;
  /** Whether threads may share memory on this page. */
  readonly isolated: boolean;
  /** The GPU's name, or null where there is none. */
  readonly gpu: string | null;
  /** Why there is no GPU, or null. */
  readonly gpuMissing: string | null;
}

/** A device that is compared with others. */
export interface Contender {
  readonly device: Device;
  /** 0 on a GPU. */
  readonly threads: number;
}

/** The devices to compare: one thread, all threads where there are more, and the GPU. */
export function contenders({ threads, gpu }: Offer): Contender[] {
  return [
    { device: "cpu", threads: 1 },
    ...(threads > 1 ? [{ device: "cpu", threads } as const] : []),
    ...(gpu === null ? [] : [{ device: "webgpu", threads: 0 } as const]),
  ];
}

/** How far a contender is. */
export interface Race extends Contender {
  /** Steps done, of `steps`; those to warm up come before. */
  readonly done: number;
  readonly steps: number;
  /** So far. */
  readonly imagesPerSecond: number;
  /** After the last step, which is the same on all. */
  readonly loss: number;
}

/** What the page asks of the worker. */
export type Request =
  | { readonly type: "open"; readonly dataRoot: string }
  | { readonly type: "train" | "pause" | "save" | "startOver" | "sample" | "weights" | "compare" | "stopComparing" }
  | { readonly type: "device"; readonly device: Device }
  | { readonly type: "settings"; readonly settings: Settings }
  | { readonly type: "classify"; readonly pixels: Float32Array };

/** Where the training is. */
export interface Status {
  readonly activity: "paused" | "training" | "comparing";
  readonly device: Device;
  readonly settings: Settings;
  readonly imagesSeen: number;
  readonly epoch: number;
}

/** What the worker tells the page. */
export type Report =
  | { readonly type: "loading"; readonly what: string }
  | { readonly type: "offer"; readonly offer: Offer }
  | { readonly type: "status"; readonly status: Status }
  | { readonly type: "curves"; readonly curves: Curves }
  | { readonly type: "speed"; readonly imagesPerSecond: number; readonly imagesSeen: number; readonly epoch: number }
  | { readonly type: "filters"; readonly weights: Float32Array }
  /** Probabilities of the ten digits, and what each filter found, image by image. */
  | { readonly type: "classified"; readonly probabilities: Float32Array; readonly seen: Float32Array }
  /** A test image, 0 … 255, and what it shows. */
  | { readonly type: "sample"; readonly pixels: Uint8Array; readonly label: number }
  | { readonly type: "weights"; readonly blob: Blob }
  | { readonly type: "races"; readonly races: readonly Race[] }
  | { readonly type: "problem"; readonly message: string };
