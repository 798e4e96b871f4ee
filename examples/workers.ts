/** Images that worker threads decode and augment, while this thread trains: what that brings. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { data, manualSeed, nn, optim, setNumThreads, type Tensor } from "tapegrad";
import makeImages from "./support/augmentedImages.js";
import { milliseconds, section, startExample, table } from "./support/example.js";

const { options } = startExample("workers", "Times a loader whose images are decoded and augmented in worker threads.");
const images = options.quick ? 16 : 64;
const rounds = options.quick ? 1 : 4;
const batchSize = 8;

const root = mkdtempSync(join(tmpdir(), "tapegrad-images-"));
await writeImages();
// Threads of the kernels and workers would share the same cores.
setNumThreads(1);

const module = new URL("./support/augmentedImages.ts", import.meta.url);
const inWorkers = [1, 2].map(
  (numWorkers) => new data.WorkerDataset<[Tensor, number]>(module, { numWorkers, parameters: { root } }),
);
// The same dataset, in this thread.
const here: data.Dataset<[Tensor, number]> = await makeImages({ root });
const datasets = [here, ...inWorkers];
for (const dataset of datasets) await dataset.load?.();

const model = new nn.Sequential(
  new nn.Conv2d(3, 8, 7, { stride: 4, padding: 3 }),
  new nn.ReLU(),
  new nn.MaxPool2d(2),
  new nn.Conv2d(8, 16, 3, { padding: 1 }),
  new nn.ReLU(),
  new nn.AdaptiveAvgPool2d(1),
  new nn.Flatten(),
  new nn.Linear(16, 2),
);
const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });

section(`Time for a pass over ${images} JPEG images of 256×256, the best of ${rounds}`);
const rows = [["worker threads", "loading", "loading and training", "sum of the first batch"]];
for (const dataset of datasets) {
  const alone = await best(() => pass(dataset, () => undefined));
  const training = await best(() => pass(dataset, train));
  const workers = dataset instanceof data.WorkerDataset ? dataset.numWorkers : "none";
  rows.push([String(workers), milliseconds(alone), milliseconds(training), await firstBatch(dataset)]);
}
console.log(table(rows));
rmSync(root, { recursive: true });

/** A training step. */
function train(inputs: Tensor, labels: Tensor): void {
  optimizer.zeroGrad();
  nn.functional.crossEntropy(model.forward(inputs), labels).backward();
  optimizer.step();
}

async function pass(dataset: data.Dataset<[Tensor, number]>, step: (x: Tensor, y: Tensor) => void): Promise<void> {
  for await (const [inputs, labels] of new data.DataLoader(dataset, { batchSize, shuffle: true })) step(inputs, labels);
}

async function best(run: () => Promise<void>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await run();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

/** The same for any number of workers, where samples have seeds of their own. */
async function firstBatch(dataset: data.Dataset<[Tensor, number]>): Promise<string> {
  manualSeed(0);
  for await (const [inputs] of new data.DataLoader(dataset, { batchSize, shuffle: true })) {
    return (await inputs.sum().item()).toFixed(1);
  }
  return "nothing";
}

/** Waves of two kinds, in colours, as files. */
async function writeImages(): Promise<void> {
  for (const kind of ["rings", "stripes"]) mkdirSync(join(root, kind));
  for (let index = 0; index < images; index++) {
    const isRing = index % 2 === 0;
    const pixels = new Uint8Array(256 * 256 * 3).map((_, i) => {
      const [x, y, channel] = [Math.floor(i / 3) % 256, Math.floor(i / 768), i % 3];
      const way = isRing ? Math.hypot(x - 128, y - 100 - (index % 50)) : x + y * Math.cos(index);
      return 128 + 100 * Math.sin(way / (5 + channel + (index % 7)));
    });
    const file = join(root, isRing ? "rings" : "stripes", `${index}.jpg`);
    await sharp(pixels, { raw: { width: 256, height: 256, channels: 3 } }).toFile(file);
  }
}
