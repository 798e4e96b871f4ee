/**
 * Convolution out of simpler tensor operations: as filters on a picture, four ways that are timed, and as a layer of one's
 * own, which learns MNIST beside the built-in one.
 */
import * as Plot from "@observablehq/plot";
import { cat, conv2d, data, manualSeed, nn, noGrad, optim, stack, type Tensor, tensor, zeros } from "tapegrad";
import { type ConvolutionLayer, Scratch } from "./models.js";
import { difference, milliseconds, section, startExample, table, timeOf } from "./support/example.js";
import { readImage, rgbPicture } from "./support/images.js";
import { pictureGrid, plot } from "./support/plots.js";

const { options, save } = startExample<{ image?: string }>(
  "convolution-from-scratch",
  "Builds convolution from simpler operations, filters a picture and trains with it.",
  (command) => command.option("--image <file>", "PNG or JPEG file to filter (default: a drawing)"),
);
const { quick } = options;

// --- filters on a picture -----------------------------------------------------------------------------------------

const filters: Readonly<Record<string, number[][]>> = {
  identity: [
    [0, 0, 0],
    [0, 1, 0],
    [0, 0, 0],
  ],
  emboss: [
    [-2, -1, 0],
    [-1, 1, 1],
    [0, 1, 2],
  ],
  sharpen: [
    [0, -1, 0],
    [-1, 5, -1],
    [0, -1, 0],
  ],
  "edge detect": [
    [0, 1, 0],
    [1, -4, 1],
    [0, 1, 0],
  ],
};

const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 240" width="240" height="240">
  <defs><linearGradient id="sky" x2="0" y2="1"><stop stop-color="#4a90d9"/><stop offset="1" stop-color="#f7e3c0"/></linearGradient></defs>
  <rect width="240" height="240" fill="url(#sky)"/>
  <circle cx="180" cy="60" r="26" fill="#ffd54a"/>
  <path d="M0 170 L60 90 L110 165 L150 110 L240 190 V240 H0 Z" fill="#6b7d8c"/>
  <path d="M48 106 L60 90 L74 111 L62 118 Z M141 122 L150 110 L162 121 L151 130 Z" fill="#f4f7fa"/>
  <path d="M0 190 Q80 160 240 205 V240 H0 Z" fill="#4f8f4a"/>
  <rect x="76" y="160" width="52" height="40" fill="#c25b44"/><path d="M70 162 L102 134 L134 162 Z" fill="#6d2f2a"/>
  <rect x="84" y="170" width="14" height="14" fill="#fff3c4" stroke="#333"/><rect x="108" y="174" width="12" height="26" fill="#4a3226"/>
  <path d="M10 232 V206 M26 232 V207 M42 232 V208 M0 214 H56 M0 224 H56" stroke="#ffffff" stroke-width="4"/>
</svg>`;

/** A kernel on the diagonal of a weight [3, 3, 3, 3]: each channel is filtered apart. */
function apart(kernel: Tensor): Tensor {
  const none = zeros([3, 3]);
  return stack([0, 1, 2].map((out) => stack([0, 1, 2].map((channel) => (channel === out ? kernel : none)))));
}

section("filters");
const image = await readImage(options.image ?? drawing, quick ? 64 : 240);
const [, height = 0, width = 0] = image.shape;
console.log(`${options.image ?? "a drawing"} of ${width}×${height} pixels`);
const filtered = Object.entries(filters).map(
  ([caption, kernel]) => [caption, conv2d(image, apart(tensor(kernel)), null, { padding: 1 })] as const,
);
const pictures = filtered.map(async ([caption, result]) => ({ caption, picture: await rgbPicture(result) }));
save(
  "filters.svg",
  pictureGrid(await Promise.all(pictures), { columns: 2, size: 240, label: "Four filters on a picture" }),
);

// --- four ways ----------------------------------------------------------------------------------------------------

const [kernel] = Object.values(filters)
  .slice(1)
  .map((rows) => tensor(rows));
if (kernel === undefined) throw new Error("there is no filter");
const weight = apart(kernel);
const taps = [0, 1, 2].flatMap((y) => [0, 1, 2].map((x) => [y, x] as const));
/** Sum of tensors. */
const total = (parts: readonly Tensor[]): Tensor => parts.reduce((sum, part) => sum.add(part));
/** What a window of 3 reaches without padding, of an image with its channels first. */
const inside = (x: Tensor): Tensor => x.slice(null, [1, height - 1], [1, width - 1]);

/** Each pixel by itself: the window times the weight, summed. */
function loops(x: Tensor): Tensor {
  const pixels: Tensor[] = [];
  for (let i = 0; i < height - 2; i++) {
    for (let j = 0; j < width - 2; j++) pixels.push(weight.mul(x.slice(null, [i, i + 3], [j, j + 3])).sum([1, 2, 3]));
  }
  return stack(pixels, 1).reshape([3, height - 2, width - 2]);
}

/** Nine images, each scaled by a tap of the kernel and moved to its place. */
function rolled(x: Tensor, taps2d: readonly (readonly number[])[]): Tensor {
  return inside(total(taps.map(([i, j]) => x.mul(taps2d[i]?.[j] ?? 0).roll([1 - i, 1 - j], [1, 2]))));
}

/** The same with channels last: a tap is a matrix, which mixes channels as well. */
function rolledMatrices(x: Tensor): Tensor {
  const last = x.permute([1, 2, 0]);
  const moved = taps.map(([i, j]) =>
    last.matmul(weight.slice(null, null, i, j).transpose(0, 1)).roll([1 - i, 1 - j], [0, 1]),
  );
  return inside(total(moved).permute([2, 0, 1]));
}

/**
 * Slices in place of rolls, for kernels [O, C, h, w] of any size and images with a batch: what would be cut off afterwards
 * is not computed. The slices lie one behind the other, so that one matrix product is enough. A step between elements of
 * a slice is the stride.
 */
function sliced(x: Tensor, w: Tensor, stride = 1): Tensor {
  const [batch = 0, , tall = 0, wide = 0] = x.shape;
  const [outChannels = 0, , rows = 0, columns = 0] = w.shape;
  const slices: Tensor[] = [];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      slices.push(x.slice(null, null, [i, i + tall - rows + 1, stride], [j, j + wide - columns + 1, stride]));
    }
  }
  const [, , outHeight = 0, outWidth = 0] = slices[0]?.shape ?? [];
  const matrix = w.permute([0, 2, 3, 1]).reshape([outChannels, -1]);
  const product = matrix.matmul(cat(slices, 1).reshape([batch, -1, outHeight * outWidth]));
  return product.reshape([batch, outChannels, outHeight, outWidth]);
}

section("the same convolution four ways, beside the built-in one");
const numbers = (await kernel.toArray()) as number[][];
const ways: Readonly<Record<string, () => Tensor>> = {
  "nested loops": () => loops(image),
  "nine images, rolled and added": () => rolled(image, numbers),
  "rolled, channels last, matmul": () => rolledMatrices(image),
  "slices in place of roll": () => sliced(image.unsqueeze(0), weight).squeeze(0),
  "built-in conv2d": () => conv2d(image, weight),
};
const wanted = conv2d(image, weight);
const rows = [["way", "time", "difference"]];
for (const [name, way] of Object.entries(ways)) {
  const apartBy = await difference(noGrad(way), wanted);
  const time = await timeOf(() => noGrad(way), name === "nested loops" ? 0 : quick ? 3 : 20);
  rows.push([name, milliseconds(time), apartBy.toExponential(0)]);
}
console.log(table(rows));

section("stride, which the original left open");
const strided = sliced(image.unsqueeze(0), weight, 2);
console.log(
  `shape [${strided.shape.join(", ")}], difference ${(await difference(strided, conv2d(image.unsqueeze(0), weight, null, { stride: 2 }))).toExponential(0)}`,
);

// --- a layer of one's own -----------------------------------------------------------------------------------------

/** 2-D convolution without padding, made of slices and a matrix product. Its parameters are those of nn.Conv2d. */
class OwnConv2d extends nn.Module {
  weight: nn.Parameter;
  bias: nn.Parameter;

  constructor(inChannels: number, outChannels: number, kernelSize: number) {
    super();
    const bound = 1 / Math.sqrt(inChannels * kernelSize ** 2);
    this.weight = new nn.Parameter(zeros([outChannels, inChannels, kernelSize, kernelSize]));
    this.bias = new nn.Parameter(zeros([outChannels]));
    nn.init.uniform_(this.weight, -bound, bound);
    nn.init.uniform_(this.bias, -bound, bound);
  }

  forward(x: Tensor): Tensor {
    return sliced(x, this.weight).add(this.bias.reshape([-1, 1, 1]));
  }
}

/** Where a training is after so many steps. */
interface Point {
  readonly network: string;
  readonly steps: number;
  readonly seconds: number;
  readonly loss: number;
  readonly accuracy: number;
}

const [epochs, batchSize, between] = quick ? [1, 250, 5] : [5, 1000, 10];
const normalize = { mean: 0.1307, std: 0.3081 };
const limit = quick ? { limit: 2500 } : {};
const testLoader = new data.DataLoader(new data.MNIST({ train: false, normalize }), { batchSize: 1000 });
const testBatches: [Tensor, Tensor][] = [];
for await (const [images, labels] of testLoader) testBatches.push([images.keep(), labels.keep()]);

async function train(
  network: string,
  layer: (...sizes: [number, number, number]) => ConvolutionLayer,
): Promise<Point[]> {
  manualSeed(0);
  const model = new Scratch(0.2, layer);
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.001 });
  const loader = new data.DataLoader(new data.MNIST({ train: true, normalize, ...limit }), {
    batchSize,
    shuffle: true,
  });
  const points: Point[] = [];
  let [steps, seconds] = [0, 0];
  for (let epoch = 0; epoch < epochs; epoch++) {
    for await (const [images, labels] of loader) {
      const start = performance.now();
      optimizer.zeroGrad();
      const loss = nn.functional.nllLoss(model.forward(images), labels);
      loss.backward();
      optimizer.step();
      const lossNow = await loss.item();
      seconds += (performance.now() - start) / 1000;
      if (++steps % between === 0) {
        const accuracy = await accuracyOf(model, steps / between);
        points.push({ network, steps, seconds, loss: lossNow, accuracy });
      }
    }
    const { loss, accuracy } = points.at(-1) ?? { loss: Number.NaN, accuracy: Number.NaN };
    console.log(
      `${network}, epoch ${epoch + 1}: loss ${loss.toFixed(3)}, accuracy ${accuracy.toFixed(1)} %, ${seconds.toFixed(1)} s`,
    );
  }
  return points;
}

/** Percent of a thousand test images that are told right. */
async function accuracyOf(model: Scratch, turn: number): Promise<number> {
  const [images, labels] = testBatches[turn % testBatches.length] ?? [zeros([0]), zeros([0])];
  model.eval();
  const right = noGrad(() => model.forward(images).argmax(1).eq(labels).sum());
  model.train();
  return (100 * (await right.item())) / labels.numel();
}

section(`a layer of one's own, beside the built-in one: ${epochs} epochs, batches of ${batchSize}`);
const builtIn = await train(
  "built-in",
  (inChannels, outChannels, size) => new nn.Conv2d(inChannels, outChannels, size),
);
const own = await train(
  "from scratch",
  (inChannels, outChannels, size) => new OwnConv2d(inChannels, outChannels, size),
);
const ratio = (own.at(-1)?.seconds ?? 0) / (builtIn.at(-1)?.seconds ?? 1);
console.log(`from scratch takes ${ratio.toFixed(1)} times as long`);

function curves(quantity: "accuracy" | "loss", label: string): string {
  const points = [...builtIn, ...own];
  const ends = [builtIn, own].flatMap((run) => run.slice(-1));
  return plot({
    width: 640,
    height: 360,
    marginRight: 90,
    grid: true,
    x: { label: "time of training (s)" },
    y: { label, domain: quantity === "accuracy" ? [0, 100] : [0, 2.5] },
    color: { domain: ["built-in", "from scratch"], range: ["#1f77b4", "#d9730d"] },
    marks: [
      Plot.line(points, { x: "seconds", y: quantity, stroke: "network", strokeWidth: 1.8 }),
      Plot.text(ends, {
        x: "seconds",
        y: quantity,
        text: "network",
        fill: "network",
        textAnchor: "start",
        dx: 6,
        fontSize: 12,
      }),
    ],
  });
}
save("accuracy.svg", curves("accuracy", "accuracy on 1,000 test images (%)"));
save("loss.svg", curves("loss", "loss of the batch (nats)"));
