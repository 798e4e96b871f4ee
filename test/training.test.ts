/** Whole training runs: PyTorch's own losses, the same numbers twice, memory that stays flat, what comes out in the end. */
import { readFileSync } from "node:fs";
import { data, manualSeed, memoryStats, nn, optim, rand, tensor } from "tapegrad";
import { beforeAll, describe, expect, test } from "vitest";
import { Cnn, LeNet5, Scratch } from "../examples/models.js";
import { evaluate } from "../examples/training.js";
import { collectAndFinalize } from "./support/collectGarbage.js";

interface Run {
  readonly seed: number;
  readonly dropout: number;
  readonly losses: readonly number[];
}

const normalize = { mean: 0.1307, std: 0.3081 };

/** The first losses of the network of small convolutions, trained from a seed: NLL, Adam, batches of 64. */
async function firstLosses(dataset: data.MNIST, { seed, dropout }: Omit<Run, "losses">, steps: number) {
  manualSeed(seed);
  const model = new Scratch(dropout);
  const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
  const losses: number[] = [];
  for await (const [images, labels] of new data.DataLoader(dataset, { batchSize: 64, shuffle: true })) {
    optimizer.zeroGrad();
    const loss = nn.functional.nllLoss(model.forward(images), labels);
    loss.backward();
    optimizer.step();
    losses.push(await loss.item());
    if (losses.length === steps) break;
  }
  return losses;
}

describe("a network trained on MNIST from a seed", () => {
  const golden = readFileSync(new URL("golden/training.json", import.meta.url), "utf8");
  const { runs } = JSON.parse(golden) as { runs: Run[] };
  const digits = new data.MNIST({ normalize });
  beforeAll(() => digits.load());

  test.each(runs)("has PyTorch's losses: seed $seed, dropout $dropout", async (run) => {
    const losses = await firstLosses(digits, run, run.losses.length);
    const difference = Math.max(...losses.map((loss, step) => Math.abs(loss - (run.losses[step] ?? Number.NaN))));
    expect(losses).toHaveLength(20);
    expect(difference).toBeLessThan(1e-4);
  });

  test("has the very same losses when it is trained again", async () => {
    const run = { seed: 3, dropout: 0.2 };
    const once = await firstLosses(digits, run, 40);
    expect(await firstLosses(digits, run, 40)).toEqual(once);
    expect(await firstLosses(digits, { ...run, seed: 4 }, 1)).not.toEqual(once.slice(0, 1));
  });
});

test("LeNet-5 has 61,706 parameters", () => {
  expect(nn.summary(new LeNet5(), [1, 1, 28, 28]).parameterCount).toBe(61706);
});

test("300 steps on 2,000 digits teach a CNN more than 90 % of others, in flat memory", {
  timeout: 300_000,
}, async () => {
  // What the tests before this one left would be found on the way.
  await collectAndFinalize();
  manualSeed(1);
  const model = new Cnn();
  const optimizer = new optim.Adam(model.parameters(), { lr: 2e-3 });
  const digits = new data.MNIST({ normalize, limit: 2000 });
  const loader = new data.DataLoader(digits, { batchSize: 64, shuffle: true, dropLast: true });
  const bytes: number[] = [];
  while (bytes.length < 300) {
    for await (const [images, labels] of loader) {
      optimizer.zeroGrad();
      nn.functional.crossEntropy(model.forward(images), labels).backward();
      optimizer.step();
      if (bytes.push(memoryStats().bytes) === 300) break;
    }
  }
  // The optimizer's state comes with the first step.
  expect(new Set(bytes.slice(2)).size).toBe(1);

  const others = new data.MNIST({ train: false, normalize, limit: 500 });
  const { correct, total } = await evaluate(
    model,
    nn.functional.crossEntropy,
    new data.DataLoader(others, { batchSize: 100 }),
  );
  expect(total).toBe(500);
  expect(correct / total).toBeGreaterThan(0.9);
});

describe("an L1 penalty on a linear layer", () => {
  const coefficients = [10, -12, 2, 11, -0.25];

  /** The weights after 100 epochs, and the largest that one was on the way. */
  async function weightsAfter(penalty: { l1: number; l1Mode?: optim.L1Mode }) {
    manualSeed(0);
    const inputs = rand([1000, 5]);
    const targets = inputs.matmul(tensor(coefficients).unsqueeze(1));
    const layer = new nn.Linear(5, 1, { bias: false });
    const optimizer = new optim.SGD(layer.parameters(), { lr: 0.02, momentum: 0.82, ...penalty });
    const loader = new data.DataLoader(new data.TensorDataset(inputs, targets), { batchSize: 100, shuffle: true });
    let largest = 0;
    for (let epoch = 0; epoch < 100; epoch++) {
      for await (const [x, y] of loader) {
        optimizer.zeroGrad();
        nn.functional.mseLoss(layer.forward(x), y).backward();
        optimizer.step();
        largest = Math.max(largest, ...layer.weight.dataSync().map(Math.abs));
      }
    }
    return { weights: Array.from(layer.weight.dataSync()), largest };
  }

  test("none: the weights approach the coefficients", async () => {
    const { weights } = await weightsAfter({ l1: 0 });
    weights.forEach((weight, i) => {
      expect(weight).toBeCloseTo(coefficients[i] ?? Number.NaN, 2);
    });
  });

  test("too strong and by subgradients: the weights explode", async () => {
    const { largest } = await weightsAfter({ l1: 1000, l1Mode: "subgradient" });
    expect(largest).toBeGreaterThan(40);
  });

  test("as strong, but proximal: the weights are exactly 0", async () => {
    const { weights, largest } = await weightsAfter({ l1: 1000, l1Mode: "proximal" });
    expect(weights).toEqual([0, 0, 0, 0, 0]);
    expect(largest).toBe(0);
  });

  test("of middle strength: only the small weight is 0", async () => {
    const { weights } = await weightsAfter({ l1: 0.5 });
    expect(weights[4]).toBe(0);
    expect(weights.slice(0, 4).map((weight) => Math.sign(weight))).toEqual([1, -1, 1, 1]);
  });
});
