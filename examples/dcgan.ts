/**
 * A network that draws digits: a generator makes images of noise, by transposed convolutions, and a discriminator tells
 * them from real ones; each learns from the other.
 *
 * @see A. Radford et al.: Unsupervised representation learning with deep convolutional generative adversarial networks, 2016
 */
import * as Plot from "@observablehq/plot";
import { InvalidArgumentError } from "commander";
import { data, manualSeed, nn, noGrad, onesLike, optim, randn, type Tensor, zerosLike } from "tapegrad";
import { Progress } from "./progress.js";
import { section, startExample } from "./support/example.js";
import { encodePng, grayscale } from "./support/pictures.js";
import { plot } from "./support/plots.js";

const { options, save } = startExample<{ epochs?: number }>("dcgan", "Trains a DCGAN on MNIST.", (command) =>
  command.option("--epochs <n>", "times that all images are seen (default: 6)", (text) => {
    const epochs = Number(text);
    if (!Number.isSafeInteger(epochs) || epochs < 1)
      throw new InvalidArgumentError("Expected a whole number of 1 or more.");
    return epochs;
  }),
);
const { quick } = options;
const epochs = options.epochs ?? (quick ? 2 : 6);
const noiseSize = 64;
const binaryCrossEntropy = nn.functional.binaryCrossEntropyWithLogits;

manualSeed(0);

/** Noise [N, 64, 1, 1] → images [N, 1, 28, 28] from −1 to 1, by way of 7×7 and 14×14. */
const generator = new nn.Sequential(
  new nn.ConvTranspose2d(noiseSize, 64, 7, { bias: false }),
  new nn.BatchNorm2d(64),
  new nn.ReLU(),
  new nn.ConvTranspose2d(64, 32, 4, { stride: 2, padding: 1, bias: false }),
  new nn.BatchNorm2d(32),
  new nn.ReLU(),
  new nn.ConvTranspose2d(32, 1, 4, { stride: 2, padding: 1 }),
  new nn.Tanh(),
);

/** Images [N, 1, 28, 28] → [N, 1]: above 0 what it takes for real. */
const discriminator = new nn.Sequential(
  new nn.Conv2d(1, 32, 4, { stride: 2, padding: 1 }),
  new nn.LeakyReLU(0.2),
  new nn.Conv2d(32, 64, 4, { stride: 2, padding: 1, bias: false }),
  new nn.BatchNorm2d(64),
  new nn.LeakyReLU(0.2),
  new nn.Flatten(),
  new nn.Linear(64 * 7 * 7, 1),
);

// As in the paper, section 4: small weights at first, and little momentum.
for (const model of [generator, discriminator]) {
  for (const [path, parameter] of model.namedParameters()) {
    if (parameter.ndim === 4) nn.init.normal_(parameter, 0, 0.02);
    else if (parameter.ndim === 1 && path.endsWith("weight")) nn.init.normal_(parameter, 1, 0.02);
  }
}
const settings = { lr: 2e-4, betas: [0.5, 0.999] } as const;
const drawingLearns = new optim.Adam(generator.parameters(), settings);
const tellingLearns = new optim.Adam(discriminator.parameters(), settings);

section("the generator");
console.log(String(nn.summary(generator, [1, noiseSize, 1, 1])));
section("the discriminator");
console.log(String(nn.summary(discriminator, [1, 1, 28, 28])));

const digits = new data.MNIST({ train: true, normalize: { mean: 0.5, std: 0.5 }, limit: quick ? 960 : 20_000 });
const loader = new data.DataLoader(digits, { batchSize: 64, shuffle: true, dropLast: true });
/** The same noise after each epoch, so that one can see what becomes of it. */
const fixedNoise = randn([64, noiseSize, 1, 1]).keep();

/** Sixty-four digits in a square. */
async function drawSamples(file: string): Promise<void> {
  generator.eval();
  const sheet = noGrad(() =>
    generator
      .forward(fixedNoise)
      .reshape([8, 8, 28, 28])
      .permute([0, 2, 1, 3])
      .reshape([8 * 28, 8 * 28]),
  );
  generator.train();
  save(file, encodePng(grayscale((await sheet.toArray()) as number[][], [-1, 1])));
}

/** The discriminator's step: real images shall count as real, drawn ones as drawn. */
function learnToTell(real: Tensor, drawn: Tensor): Tensor {
  tellingLearns.zeroGrad();
  const ofReal = discriminator.forward(real);
  // Detached: this step is none of the generator's.
  const ofDrawn = discriminator.forward(drawn.detach());
  const loss = binaryCrossEntropy(ofReal, onesLike(ofReal)).add(binaryCrossEntropy(ofDrawn, zerosLike(ofDrawn)));
  loss.backward();
  tellingLearns.step();
  return loss;
}

/** The generator's step: what it drew shall count as real. */
function learnToDraw(drawn: Tensor): Tensor {
  drawingLearns.zeroGrad();
  const ofDrawn = discriminator.forward(drawn);
  const loss = binaryCrossEntropy(ofDrawn, onesLike(ofDrawn));
  loss.backward();
  drawingLearns.step();
  return loss;
}

interface Point {
  readonly network: string;
  readonly step: number;
  readonly loss: number;
}

section(`${epochs} epochs of ${digits.length} digits`);
const points: Point[] = [];
const start = performance.now();
await drawSamples("epoch-0.png");
let step = 0;
for (let epoch = 1; epoch <= epochs; epoch++) {
  const progress = new Progress(`epoch ${epoch}/${epochs}`, Math.floor(digits.length / 64) * 64);
  let seen = 0;
  for await (const [images] of loader) {
    const drawn = generator.forward(randn([images.size(0), noiseSize, 1, 1]));
    const ofDiscriminator = learnToTell(images, drawn);
    const ofGenerator = learnToDraw(drawn);
    step++;
    seen += images.size(0);
    points.push({ network: "discriminator", step, loss: await ofDiscriminator.item() });
    points.push({ network: "generator", step, loss: await ofGenerator.item() });
    await progress.update(seen, () => ofGenerator.item());
  }
  await drawSamples(`epoch-${epoch}.png`);
}
const [telling, drawing] = points.slice(-2).map(({ loss }) => loss.toFixed(3));
console.log(`at the end: loss of the discriminator ${telling}, of the generator ${drawing}`);
console.log(`took ${((performance.now() - start) / 1000).toFixed(0)} s`);

save(
  "loss.svg",
  plot({
    width: 680,
    height: 360,
    marginRight: 90,
    grid: true,
    x: { label: "steps" },
    y: { label: "binary cross entropy (nats), mean of 20 steps", zero: true },
    color: { domain: ["discriminator", "generator"], range: ["#1f77b4", "#d9730d"] },
    marks: [
      Plot.lineY(
        points,
        Plot.windowY(
          { k: 20, strict: false },
          { x: "step", y: "loss", z: "network", stroke: "network", strokeWidth: 1.6 },
        ),
      ),
      Plot.text(points.slice(-2), {
        x: "step",
        y: "loss",
        text: "network",
        fill: "network",
        textAnchor: "start",
        dx: 6,
        fontSize: 12,
      }),
    ],
  }),
);
