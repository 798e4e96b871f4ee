// %% [markdown]
// # Handwritten digits
//
// A network learns to read the digits of MNIST: 60,000 small pictures to learn from, 10,000 others to
// be tested on. This takes about a minute on two cores.
//
// It is an ordinary script, `npx tsx examples/mnist.ts`. `npm run notebook` makes a page of it, with
// the pictures in place, and `examples/mnist.ipynb` is the same for Jupyter with Deno's kernel, which
// `deno jupyter --install` brings. The environment variables `EPOCHS`, `LIMIT` (take only so many
// images) and `OUT` (where files go) change what it does.
// %%
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import * as Plot from "@observablehq/plot";
import { InferenceSession, Tensor as OnnxTensor } from "onnxruntime-node";
import { data, exportOnnx, load, manualSeed, nn, noGrad, optim, save, type Tensor } from "tapegrad";
import { Progress } from "./progress.js";
import { diverging, grayscale, type Rows } from "./support/pictures.js";
import { pictureGrid, plot } from "./support/plots.js";
import { show } from "./support/show.js";

const { EPOCHS = "3", LIMIT = "60000", OUT = "out/mnist" } = process.env;
const epochs = Number(EPOCHS);

// %% [markdown]
// ## Look at the data
//
// Pixels are normalised to mean 0 and standard deviation 1 over the training set. A loader puts images into batches, in an
// order that the seed decides: with the same seed, all numbers on this page come out the same.
// %%
const normalize = { mean: 0.1307, std: 0.3081 };
const trainSet = new data.MNIST({ train: true, limit: Number(LIMIT), normalize });
const testSet = new data.MNIST({ train: false, limit: Number(LIMIT), normalize });
await Promise.all([trainSet.load(), testSet.load()]);

manualSeed(0);
const trainLoader = new data.DataLoader(trainSet, { batchSize: 64, shuffle: true });
const testLoader = new data.DataLoader(testSet, { batchSize: 1000 });
console.log(`${trainSet.length} images to train on, ${testSet.length} to test on`);

// %%
/** One digit as rows of pixels. */
async function pixelsOf(set: data.MNIST, index: number): Promise<Rows> {
  const [image] = await set.get(index);
  return (await image.squeeze(0).toArray()) as number[][];
}

const first = Array.from({ length: Math.min(50, trainSet.length) }, (_, index) => index);
const digits = await Promise.all(
  first.map(async (index) => ({
    picture: grayscale(await pixelsOf(trainSet, index)),
    caption: String(trainSet.targets[index]),
  })),
);
await show(
  "The first training images, and what each is said to be",
  pictureGrid(digits, { columns: 10, label: "Handwritten digits in rows" }),
);

// %%
const digitNames = Array.from("0123456789");
const counts = digitNames.map((digit) => ({
  digit,
  images: trainSet.targets.filter((label) => label === Number(digit)).length,
}));
await show(
  "No digit is rare",
  plot({
    width: 420,
    height: 220,
    x: { label: "digit", type: "band" },
    y: { label: "training images", grid: true },
    marks: [Plot.barY(counts, { x: "digit", y: "images", fill: "#4c7ebd" }), Plot.ruleY([0])],
  }),
);

// %% [markdown]
// ## Build the network
//
// Two convolutions find strokes and what strokes make up; after each, a pool halves width and height. A linear layer turns
// what is left into one number per digit, its logit: the larger, the more the network believes in that digit.
// %%
class Net extends nn.Module {
  conv1 = new nn.Conv2d(1, 16, 3, { padding: 1 });
  conv2 = new nn.Conv2d(16, 32, 3, { padding: "same", bias: false });
  fc = new nn.Linear(32 * 7 * 7, 10);

  forward(x: Tensor): Tensor {
    x = this.conv1.forward(x).relu().maxPool2d(2);
    x = this.conv2.forward(x).relu().maxPool2d(2);
    return this.fc.forward(x.flatten(1));
  }
}

const model = new Net();
console.log(String(nn.summary(model, [1, 1, 28, 28])));

// %% [markdown]
// ## Train
//
// Adam takes a step for each batch of 64 images, and its learning rate falls in a straight line to zero. After each epoch
// the network is tested on images that it does not learn from.
// %%
/** Probabilities [images, digits] of all images of a loader, in its order. */
async function predict(net: nn.Layer, loader: typeof testLoader): Promise<number[][]> {
  const all: number[][] = [];
  net.eval();
  for await (const [images] of loader) {
    const probabilities = noGrad(() => net.forward(images).softmax(1));
    all.push(...((await probabilities.toArray()) as number[][]));
  }
  net.train();
  return all;
}

const mostLikely = (row: readonly number[]): number => row.indexOf(Math.max(...row));

/** Share of images whose digit was found, in percent. */
function accuracyOf(rows: readonly number[][], labels: Int32Array): number {
  return (
    (100 * rows.filter((row, index) => mostLikely(row) === labels[index]).length) / rows.length
  );
}

// %%
const peak = 0.005;
const optimizer = new optim.Adam(model.parameters(), { lr: peak });
const losses: { step: number; seconds: number; loss: number }[] = [];
const accuracies = [
  { step: 0, seconds: 0, accuracy: accuracyOf(await predict(model, testLoader), testSet.targets) },
];
const steps = epochs * trainLoader.length;
let step = 0;
let seconds = 0;

for (let epoch = 1; epoch <= epochs; epoch++) {
  const progress = new Progress(`epoch ${epoch}/${epochs}`, trainSet.length);
  let seen = 0;
  let start = performance.now();
  for await (const [images, labels] of trainLoader) {
    for (const group of optimizer.paramGroups) group.lr = peak * (1 - step / steps);
    optimizer.zeroGrad();
    const loss = nn.functional.crossEntropy(model.forward(images), labels);
    loss.backward();
    optimizer.step();

    step += 1;
    seen += labels.numel();
    const value = await loss.item();
    losses.push({ step, seconds: seconds + (performance.now() - start) / 1000, loss: value });
    await progress.update(seen, async () => value);
  }
  seconds += (performance.now() - start) / 1000;
  start = performance.now();
  const accuracy = accuracyOf(await predict(model, testLoader), testSet.targets);
  accuracies.push({ step, seconds, accuracy });
  console.log(
    `test accuracy ${accuracy.toFixed(2)} %, in ${((performance.now() - start) / 1000).toFixed(1)} s`,
  );
}

// %% [markdown]
// Both against steps and against seconds of training. Each dot is the loss of one batch, the line a moving mean; the axis of
// the loss is logarithmic.
// %%
const small = { width: 400, height: 260, marginLeft: 48 };
const window = Math.ceil(losses.length / 50);
const lossPlot = (x: "step" | "seconds", label: string): string =>
  plot({
    ...small,
    x: { label, nice: true },
    y: { label: "training loss (nats)", type: "log", grid: true, tickFormat: "~g", tickSize: 0 },
    marks: [
      Plot.dot(losses, { x, y: "loss", r: 1, fill: "#4c7ebd", fillOpacity: 0.5 }),
      Plot.lineY(losses, Plot.windowY({ k: window }, { x, y: "loss", stroke: "#d1662b" })),
    ],
  });
const accuracyPlot = (x: "step" | "seconds", label: string): string =>
  plot({
    ...small,
    insetLeft: 24,
    insetRight: 16,
    x: { label },
    y: { label: "test accuracy (%)", domain: [0, 100], grid: true },
    marks: [
      Plot.lineY(accuracies, { x, y: "accuracy", stroke: "#d1662b", marker: "circle" }),
      Plot.text(accuracies, {
        x,
        y: "accuracy",
        text: ({ accuracy }) => accuracy.toFixed(1),
        dy: -11,
        stroke: "var(--plot-background)",
        fill: "currentColor",
      }),
    ],
  });
await show("Loss of each batch", lossPlot("step", "step"), lossPlot("seconds", "seconds"));
await show(
  "Accuracy on the test images",
  accuracyPlot("step", "step"),
  accuracyPlot("seconds", "seconds"),
);

// %% [markdown]
// ## Judge
//
// Which digits are taken for which? Where the network is right, the image counts on the diagonal.
// %%
const probabilities = await predict(model, testLoader);
const labels = [...testSet.targets];
const guesses = probabilities.map(mostLikely);
const confusion = digitNames.flatMap((truth) =>
  digitNames.map((guess) => ({
    truth,
    guess,
    images: labels.filter(
      (label, index) => label === Number(truth) && guesses[index] === Number(guess),
    ).length,
  })),
);
await show(
  "Test images by their digit and by what the network takes them for",
  plot({
    width: 460,
    height: 440,
    padding: 0.04,
    x: { label: "taken for", type: "band", domain: digitNames },
    y: { label: "is", type: "band", domain: digitNames },
    // Mistakes are few: on a straight scale they would all look like none.
    color: { type: "symlog", constant: 3, scheme: "blues" },
    marks: [
      Plot.cell(confusion, { x: "guess", y: "truth", fill: "images" }),
      Plot.text(
        confusion.filter(({ images }) => images > 0),
        {
          x: "guess",
          y: "truth",
          text: "images",
          fill: ({ images }) => (images > 60 ? "#ffffff" : "#1f2328"),
        },
      ),
    ],
  }),
);

// %%
const perDigit = digitNames.map((digit) => {
  const mine = labels.flatMap((label, index) => (label === Number(digit) ? [index] : []));
  const right = mine.filter((index) => guesses[index] === labels[index]).length;
  return { digit, accuracy: (100 * right) / mine.length };
});
const lowest = Math.min(...perDigit.map(({ accuracy }) => accuracy));
await show(
  "Accuracy per digit; the axis does not begin at 0",
  plot({
    width: 460,
    height: 280,
    marginRight: 50,
    marginTop: 8,
    x: { label: "test accuracy (%)", domain: [Math.floor(lowest), 100], grid: true },
    y: { label: "digit", type: "point", domain: digitNames },
    marks: [
      Plot.dot(perDigit, { x: "accuracy", y: "digit", fill: "#d1662b", r: 4 }),
      Plot.text(perDigit, {
        x: "accuracy",
        y: "digit",
        text: ({ accuracy }) => accuracy.toFixed(2),
        dx: 10,
        textAnchor: "start",
      }),
    ],
  }),
);

// %% [markdown]
// The mistakes of which the network is most sure say the most: some of these images would puzzle people, too.
// %%
const sureOf = (index: number): number => Math.max(...(probabilities[index] ?? []));
const mistakes = labels.flatMap((label, index) => (label === guesses[index] ? [] : [index]));
mistakes.sort((one, other) => sureOf(other) - sureOf(one));
console.log(`${mistakes.length} of ${labels.length} images are taken for another digit`);
await show(
  "The most confident mistakes: digit → what it is taken for, and how surely",
  pictureGrid(
    await Promise.all(
      mistakes.slice(0, 24).map(async (index) => ({
        picture: grayscale(await pixelsOf(testSet, index)),
        caption: `${labels[index]} → ${guesses[index]}, ${(100 * sureOf(index)).toFixed(0)} %`,
      })),
    ),
    { columns: 8, size: 84, label: "Digits that the network takes for others" },
  ),
);

// %% [markdown]
// ## Look inside
//
// The sixteen filters of the first convolution, 3×3 weights each: blue is above zero, red below, white zero. Many tell dark
// from bright along some direction: they find edges.
// %%
const filters = (await model.conv1.weight.squeeze(1).toArray()) as number[][][];
const largest = Math.max(...filters.flat(2).map(Math.abs));
await show(
  `First-layer filters, from −${largest.toFixed(2)} (red) to ${largest.toFixed(2)} (blue)`,
  pictureGrid(
    filters.map((filter, index) => ({
      picture: diverging(filter, largest),
      caption: String(index),
    })),
    { columns: 8, label: "Sixteen filters of three rows and columns" },
  ),
);

// %% [markdown]
// And what they make of one digit: a feature map for each filter, bright where it fires. The second convolution looks at
// all sixteen maps at once, at half the size.
// %%
const [digit] = await testSet.get(0);
const [maps1, maps2] = noGrad(() => {
  const first = model.conv1.forward(digit.unsqueeze(0)).relu();
  return [first, model.conv2.forward(first.maxPool2d(2)).relu()] as const;
});
const mapsOf = async (maps: Tensor, columns: number, size: number): Promise<string> => {
  const rows = (await maps.squeeze(0).toArray()) as number[][][];
  return pictureGrid(
    rows.map((map) => ({ picture: grayscale(map) })),
    { columns, size, label: `${rows.length} feature maps of one digit` },
  );
};
await show(
  "The digit",
  pictureGrid([{ picture: grayscale(await pixelsOf(testSet, 0)) }], { columns: 1, label: "A 7" }),
);
await show("Feature maps after the first convolution", await mapsOf(maps1, 8, 56));
await show("Feature maps after the second", await mapsOf(maps2, 16, 34));

// %% [markdown]
// ## Save and load
//
// Weights go into a safetensors file, under PyTorch's names: `safetensors.torch` reads it in Python.
// A second network that loads them answers as the first one does.
// %%
mkdirSync(OUT, { recursive: true });
const weightsFile = `${OUT}/digits.safetensors`;
await save(weightsFile, model.stateDict());
const again = new Net();
again.loadStateDict(await load(weightsFile));
const same = (await predict(again, testLoader)).filter(
  (row, index) => mostLikely(row) === guesses[index],
).length;
console.log(`${weightsFile}: ${statSync(weightsFile).size} bytes`);
console.log(`the loaded network gives the same answer for ${same} of ${labels.length} images`);

// %% [markdown]
// An ONNX file carries the whole network. Here ONNX Runtime computes with it, without this library.
// %%
const networkFile = `${OUT}/digits.onnx`;
writeFileSync(networkFile, await exportOnnx(model, digit.unsqueeze(0)));
const session = await InferenceSession.create(networkFile);
const answers: number[] = [];
for await (const [images] of testLoader) {
  const pixels = (await images.data()) as Float32Array;
  const { output } = await session.run({ input: new OnnxTensor("float32", pixels, images.shape) });
  const logits = (output?.data ?? []) as Float32Array;
  for (let row = 0; row < logits.length; row += 10) {
    answers.push(mostLikely([...logits.slice(row, row + 10)]));
  }
}
const sameThere = answers.filter((answer, index) => answer === guesses[index]).length;
console.log(`${networkFile}: ${statSync(networkFile).size} bytes`);
console.log(`ONNX Runtime gives the same answer for ${sameThere} of ${labels.length} images`);
