/** One training run: network, optimizer, loader, and how far they are. It can be saved, and go on on another device. */
import {
  checkpointToBlob,
  type Device,
  data,
  loadCheckpoint,
  manualSeed,
  nn,
  noGrad,
  optim,
  saveToBlob,
  setDefaultDevice,
  stack,
  type Tensor,
  tensor,
} from "tapegrad";
import { addPoint } from "./curves.js";
import type { CurvePoint, Curves, Settings } from "./messages.js";
import { DigitNet, pixels } from "./network.js";

type Batches = AsyncGenerator<[images: Tensor, labels: Tensor], void, undefined>;

/** What a step or a test found. */
export interface Found {
  readonly images: number;
  readonly loss: number;
  readonly accuracy: number;
}

/** A step whose work was handed to the device. */
export interface Launched {
  readonly images: number;
  readonly found: Promise<Found>;
}

const testBatch = 250;

export class Run {
  readonly curves: Curves = { train: [], test: [] };
  imagesSeen = 0;
  epoch = 1;

  readonly model = new DigitNet();
  private readonly optimizer: optim.Adam;
  private loader: data.DataLoader<[image: Tensor, label: number]>;
  private batches: Batches;

  private constructor(
    readonly device: Device,
    train: data.MNIST,
    private test: data.MNIST,
    public settings: Settings,
  ) {
    this.optimizer = new optim.Adam(this.model.parameters(), { lr: settings.lr });
    this.loader = new data.DataLoader(train, { batchSize: settings.batchSize, shuffle: true });
    this.batches = this.loader[Symbol.asyncIterator]();
  }

  /** A network that has learnt nothing yet. */
  static async begin(device: Device, train: data.MNIST, test: data.MNIST, settings: Settings): Promise<Run> {
    await setDefaultDevice(device);
    return new Run(device, train, test, settings);
  }

  /** What a run had in common with another device, or another day, going on here. */
  static async goOn(blob: Blob, device: Device, train: data.MNIST, test: data.MNIST): Promise<Run> {
    const run = await Run.begin(device, train, test, await settingsOf(blob));
    const { model, optimizer, loader, curves } = run;
    const saved = { model, optimizer, loader, imagesSeen: 0, epoch: 0, train: curves.train, test: curves.test };
    const values = await loadCheckpoint(blob, saved, { device });
    run.imagesSeen = values.imagesSeen;
    run.epoch = values.epoch;
    curves.train.push(...values.train);
    curves.test.push(...values.test);
    run.batches = loader[Symbol.asyncIterator]();
    return run;
  }

  /** All that it takes to go on. Await it before the next step. */
  toBlob(): Promise<Blob> {
    const { model, optimizer, loader, imagesSeen, epoch, settings } = this;
    const { train, test } = this.curves;
    return checkpointToBlob({ model, optimizer, loader, imagesSeen, epoch, settings, train, test });
  }

  /** The weights alone, as safetensors, which PyTorch reads too. */
  weights(): Promise<Blob> {
    return saveToBlob(this.model.stateDict());
  }

  /** Other settings from the next step on, with the images that they ask for. The epoch begins anew. */
  change(settings: Settings, train: data.MNIST, test: data.MNIST): void {
    this.settings = settings;
    this.test = test;
    for (const group of this.optimizer.paramGroups) group.lr = settings.lr;
    this.loader = new data.DataLoader(train, { batchSize: settings.batchSize, shuffle: true });
    this.batches = this.loader[Symbol.asyncIterator]();
  }

  /** Hands one step to the device; null where the epoch has ended, and the next begins. */
  async step(): Promise<Launched | null> {
    const next = await this.batches.next();
    if (next.done === true) {
      this.epoch++;
      this.batches = this.loader[Symbol.asyncIterator]();
      return null;
    }
    const launched = trainOn(this.model, this.optimizer, next.value);
    this.imagesSeen += launched.images;
    return launched;
  }

  /** Adds a point to the curve of training. */
  addTraining(point: Omit<CurvePoint, "images">): void {
    addPoint(this.curves.train, { images: this.imagesSeen, ...point });
  }

  /** Tests on the first `count` test images, or all where there are fewer, and adds a point to the curve. */
  async testOn(count: number): Promise<void> {
    const length = Math.min(count, this.test.length);
    const first = new data.Subset(
      this.test,
      Int32Array.from({ length }, (_, index) => index),
    );
    const { imagesSeen: images } = this;
    let loss = 0;
    let correct = 0;
    for await (const [batch, labels] of new data.DataLoader(first, { batchSize: testBatch })) {
      const sums = this.judge(() => {
        const output = this.model.forward(batch);
        const hits = output.argmax(1).eq(labels).float().sum();
        return stack([nn.functional.crossEntropy(output, labels, { reduction: "sum" }), hits]);
      });
      const [lossSum = 0, hits = 0] = await sums.data();
      loss += lossSum;
      correct += hits;
    }
    addPoint(this.curves.test, { images, loss: loss / length, accuracy: correct / length });
  }

  /** Probabilities of the digits for an image with pixels of [0, 1], and what the first filters find in it. */
  async classify(image: Float32Array): Promise<{ probabilities: Float32Array; seen: Float32Array }> {
    const [probabilities, seen] = this.judge(() => {
      const x = tensor(image, { shape: [1, 1, 28, 28], device: this.device });
      const normalized = x.sub(pixels.mean).div(pixels.std);
      return [this.model.forward(normalized).softmax(1), this.model.seen(normalized)];
    });
    const [probabilityData, seenData] = await Promise.all([probabilities.data(), seen.data()]);
    return { probabilities: Float32Array.from(probabilityData), seen: Float32Array.from(seenData) };
  }

  /** The weights of the first convolution, filter by filter. */
  async filters(): Promise<Float32Array> {
    return Float32Array.from(await this.model.conv1.weight.data());
  }

  private judge<T>(infer: () => T): T {
    this.model.eval();
    try {
      return noGrad(infer);
    } finally {
      this.model.train();
    }
  }
}

/** One step on one batch. */
export function trainOn(model: DigitNet, optimizer: optim.Adam, [images, labels]: [Tensor, Tensor]): Launched {
  const count = labels.numel();
  optimizer.zeroGrad();
  const output = model.forward(images);
  const loss = nn.functional.crossEntropy(output, labels);
  loss.backward();
  optimizer.step();
  const means = noGrad(() => stack([loss, output.argmax(1).eq(labels).float().mean()]));
  const found = means.data().then(([mean = 0, accuracy = 0]) => ({ images: count, loss: mean, accuracy }));
  // It is awaited after the next step was launched; should that fail, nobody is left to hear of this one.
  found.catch(() => undefined);
  return { images: count, found };
}

/** The settings of a saved run. */
export async function settingsOf(blob: Blob): Promise<Settings> {
  const { settings } = await loadCheckpoint(blob, { settings: { images: 0, batchSize: 0, lr: 0 } }, { device: "cpu" });
  return settings;
}

/** Seeds what draws weights and orders anew. */
export function seedByClock(): void {
  manualSeed(Date.now() % 2 ** 31);
}
