/**
 * Two networks that take noise away: a linear layer that mends patches, which unfold cuts out and fold puts together again,
 * and a small U-Net, which goes down by pools and up by transposed convolutions.
 *
 * @see O. Ronneberger et al.: U-Net: convolutional networks for biomedical image segmentation, 2015
 */
import * as Plot from "@observablehq/plot";
import { cat, data, fold, manualSeed, nn, noGrad, onesLike, optim, randn, type Tensor, unfold } from "tapegrad";
import { Progress } from "./progress.js";
import { section, startExample, table } from "./support/example.js";
import { grayscale } from "./support/pictures.js";
import { type Captioned, pictureGrid, plot } from "./support/plots.js";

const { options, save } = startExample("denoise", "Trains two networks that take noise from digits.");
const { quick } = options;

/** Standard deviation of the noise; images are from 0 to 1. */
const noise = 0.5;
const patch = 7;

/** Mends every patch of 7×7 by itself, and takes the mean where patches overlap. */
class PatchDenoiser extends nn.Module {
  mend = new nn.Linear(patch * patch, patch * patch);

  forward(x: Tensor): Tensor {
    const size = [x.size(2), x.size(3)] as const;
    const around = { padding: 3 };
    const patches = unfold(x, patch, around);
    const mended = this.mend.forward(patches.transpose(1, 2)).transpose(1, 2);
    const counts = noGrad(() => fold(onesLike(patches), size, patch, around));
    return fold(mended, size, patch, around).div(counts);
  }
}

/** Two convolutions of 3×3 that keep the extents. */
function twice(inChannels: number, outChannels: number): nn.Sequential {
  return new nn.Sequential(
    new nn.Conv2d(inChannels, outChannels, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.Conv2d(outChannels, outChannels, 3, { padding: 1 }),
    new nn.ReLU(),
  );
}

/** Down to 7×7 and up again, with what was seen on the way down beside what comes up. */
class UNet extends nn.Module {
  down1 = twice(1, 8);
  down2 = twice(8, 16);
  bottom = twice(16, 32);
  up2 = new nn.ConvTranspose2d(32, 16, 2, { stride: 2 });
  right2 = twice(32, 16);
  up1 = new nn.ConvTranspose2d(16, 8, 2, { stride: 2 });
  right1 = twice(16, 8);
  last = new nn.Conv2d(8, 1, 1);

  forward(x: Tensor): Tensor {
    const first = this.down1.forward(x);
    const second = this.down2.forward(first.maxPool2d(2));
    const low = this.bottom.forward(second.maxPool2d(2));
    const middle = this.right2.forward(cat([this.up2.forward(low), second], 1));
    const high = this.right1.forward(cat([this.up1.forward(middle), first], 1));
    return this.last.forward(high);
  }
}

const limits = quick ? [1000, 200] : [20_000, 1000];
const train = new data.MNIST({ train: true, limit: limits[0] ?? 0 });
const test = new data.MNIST({ train: false, limit: limits[1] ?? 0 });
const epochs = quick ? 1 : 2;

manualSeed(0);
const testLoader = new data.DataLoader(test, { batchSize: test.length });
const [testImages] = (await testLoader[Symbol.asyncIterator]().next()).value as [Tensor, Tensor];
testImages.keep();
const noisyTest = testImages.add(randn(testImages.shape).mul(noise)).keep();

/** Peak signal-to-noise ratio in decibels: higher is better. */
async function psnr(images: Tensor): Promise<number> {
  return -10 * Math.log10(await images.sub(testImages).square().mean().item());
}

function mended(model: nn.Layer, images: Tensor): Tensor {
  return noGrad(() => model.forward(images).clamp(0, 1));
}

/** A network after so many images. */
interface Point {
  readonly network: string;
  readonly images: number;
  readonly psnr: number;
}

async function learn(network: string, model: nn.Layer, lr: number): Promise<Point[]> {
  manualSeed(1);
  const optimizer = new optim.Adam(model.parameters(), { lr });
  const loader = new data.DataLoader(train, { batchSize: 50, shuffle: true });
  const progress = new Progress(network.padEnd(7), epochs * train.length);
  const points: Point[] = [];
  let seen = 0;
  let step = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    for await (const [images] of loader) {
      if (step++ % (quick ? 5 : 40) === 0)
        points.push({ network, images: seen, psnr: await psnr(mended(model, noisyTest)) });
      optimizer.zeroGrad();
      const noisy = images.add(randn(images.shape).mul(noise));
      const loss = nn.functional.mseLoss(model.forward(noisy), images);
      loss.backward();
      optimizer.step();
      seen += images.size(0);
      await progress.update(seen, () => loss.item());
    }
  }
  return [...points, { network, images: seen, psnr: await psnr(mended(model, noisyTest)) }];
}

section(`noise of standard deviation ${noise} on ${train.length} digits, ${epochs} times`);
const networks: Readonly<Record<string, nn.Layer>> = { patches: new PatchDenoiser(), "U-Net": new UNet() };
const start = performance.now();
const points: Point[] = [];
for (const [name, model] of Object.entries(networks))
  points.push(...(await learn(name, model, name === "U-Net" ? 2e-3 : 3e-3)));
console.log(`took ${((performance.now() - start) / 1000).toFixed(0)} s`);

section(`on ${test.length} other digits`);
const images: Readonly<Record<string, Tensor>> = {
  clean: testImages,
  noisy: noisyTest,
  ...Object.fromEntries(Object.entries(networks).map(([name, model]) => [name, mended(model, noisyTest)])),
};
const rows = [["images", "parameters", "signal to noise (dB)"]];
for (const [name, shown] of Object.entries(images)) {
  const count = networks[name]?.parameters().reduce((sum, parameter) => sum + parameter.numel(), 0);
  if (name !== "clean") rows.push([name, count === undefined ? "" : String(count), (await psnr(shown)).toFixed(2)]);
}
console.log(table(rows));

const columns = 8;
const cells: Captioned[] = [];
for (const [caption, shown] of Object.entries(images)) {
  for (let k = 0; k < columns; k++) {
    const rowsOfPixels = (await shown.slice(k, 0).toArray()) as number[][];
    cells.push({ caption, picture: grayscale(rowsOfPixels, [0, 1]) });
  }
}
save(
  "digits.svg",
  pictureGrid(cells, { columns, size: 72, label: "Digits: clean, with noise, and as two networks mend them" }),
);
save(
  "learning.svg",
  plot({
    width: 640,
    height: 340,
    marginRight: 70,
    grid: true,
    x: { label: "images seen" },
    y: { label: "peak signal to noise ratio on test images (dB)" },
    color: { domain: Object.keys(networks), range: ["#d9730d", "#1f77b4"] },
    marks: [
      Plot.line(points, { x: "images", y: "psnr", stroke: "network", strokeWidth: 1.8 }),
      Plot.text(
        points,
        Plot.selectLast({
          x: "images",
          y: "psnr",
          z: "network",
          text: "network",
          fill: "network",
          textAnchor: "start",
          dx: 6,
          fontSize: 12,
        }),
      ),
    ],
  }),
);
