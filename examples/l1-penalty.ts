/**
 * An L1 penalty that does the opposite of what it should: added to the loss, a strong one makes weights explode, since a
 * step along its gradient is larger than the weights. The optimizers' own `l1` takes the weights to exactly 0 instead.
 */
import * as Plot from "@observablehq/plot";
import { manualSeed, nn, optim, rand, randperm, type Tensor, tensor } from "tapegrad";
import { section, startExample, table } from "./support/example.js";
import { plot } from "./support/plots.js";

const { options, save } = startExample("l1-penalty", "Trains with L1 penalties of three strengths, in two ways.");

manualSeed(0);
const coefficients = [10, -12, 2, 11, -0.25];
const x = rand([1000, 5]);
const y = x.matmul(tensor(coefficients)).unsqueeze(1);
const [batchSize, lr, momentum] = [100, 0.02, 0.82];
const epochs = options.quick ? 60 : 200;

type Way = "added to the loss" | "l1 of the optimizer";
const ways: readonly Way[] = ["added to the loss", "l1 of the optimizer"];

/** A weight after so many steps. */
interface Point {
  readonly way: Way;
  readonly weight: string;
  readonly step: number;
  readonly value: number;
}

/** Trains a linear layer without bias, and gives its weights after each step. */
async function train(lambda: number, way: Way): Promise<Point[]> {
  manualSeed(1);
  const layer = new nn.Linear(5, 1, { bias: false });
  const own = way === "l1 of the optimizer" ? { l1: lambda } : {};
  const optimizer = new optim.SGD(layer.parameters(), { lr, momentum, ...own });
  const points: Point[] = [];
  let step = 0;
  const note = async (): Promise<void> => {
    const values = await layer.weight.data();
    values.forEach((value, k) => {
      points.push({ way, weight: `w${k}`, step, value });
    });
  };
  await note();
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const [inputs, targets] of batches()) {
      optimizer.zeroGrad();
      const loss = nn.functional.mseLoss(layer.forward(inputs), targets);
      (way === "added to the loss" ? loss.add(layer.weight.abs().sum().mul(lambda)) : loss).backward();
      optimizer.step();
      step++;
      await note();
    }
  }
  return points;
}

/** All samples in a new order, a hundred at a time. */
function* batches(): Generator<[inputs: Tensor, targets: Tensor]> {
  const order = randperm(1000);
  for (let from = 0; from < 1000; from += batchSize) {
    const rows = order.narrow(0, from, batchSize);
    const pick = (source: Tensor): Tensor => source.gather(0, rows.unsqueeze(1).expand([-1, source.size(1)]));
    yield [pick(x), pick(y)];
  }
}

/** How large the last weights were at most, in the last so many steps. */
function reach(points: readonly Point[], steps: number): number {
  return Math.max(...points.slice(-5 * steps).map(({ value }) => Math.abs(value)));
}

/** What stands beside the ends of the curves; one label where all are zero. */
function labels(ends: readonly Point[]): (Point & { label: string })[] {
  return ways.flatMap((way) => {
    const own = ends.filter((end) => end.way === way);
    if (own.every(({ value }) => value === 0)) return own.slice(0, 1).map((end) => ({ ...end, label: "all 0" }));
    return own.map((end) => ({ ...end, label: end.value === 0 ? `${end.weight} = 0` : end.weight }));
  });
}

const lambdas = [0, 0.2, 1000];
section(`weights after ${epochs} epochs; the data were made with ${coefficients.join(", ")}`);
const rows = [["λ", "penalty", "w0", "w1", "w2", "w3", "w4", "greatest in the last 50 steps"]];
for (const lambda of lambdas) {
  const points: Point[] = [];
  for (const way of ways) {
    const found = await train(lambda, way);
    const last = found.slice(-5).map(({ value }) => (value === 0 ? "0" : value.toFixed(3)));
    rows.push([String(lambda), way, ...last, reach(found, 50).toFixed(2)]);
    points.push(...found);
  }
  const steps = epochs * (1000 / batchSize);
  save(
    `lambda-${lambda}.svg`,
    plot({
      width: 760,
      height: 340,
      marginRight: 44,
      marginTop: 40,
      grid: true,
      fx: { label: `λ = ${lambda}: the penalty is`, domain: ways },
      x: { label: "steps", domain: [0, steps], ticks: 4 },
      y: { label: "weight" },
      color: { scheme: "Dark2", domain: ["w0", "w1", "w2", "w3", "w4"] },
      marks: [
        Plot.ruleY([0]),
        Plot.line(points, { fx: "way", x: "step", y: "value", z: "weight", stroke: "weight", strokeWidth: 1.4 }),
        Plot.text(labels(points.filter(({ step }) => step === steps)), {
          fx: "way",
          x: "step",
          y: "value",
          text: "label",
          fill: "weight",
          textAnchor: "start",
          dx: 4,
        }),
      ],
    }),
  );
}
console.log(table(rows));
console.log(
  `The optimizer's threshold is not amplified by momentum ${momentum}: the same λ weighs ${(1 - momentum).toFixed(2)} times as much.`,
);

section("a penalty for one layer alone, by a parameter group");
manualSeed(2);
const first = new nn.Linear(5, 8);
const second = new nn.Linear(8, 1);
const optimizer = new optim.SGD(
  [
    { params: [first.weight], l1: 0.05 },
    { params: [first.bias, second.weight, second.bias].filter((p) => p !== null) },
  ],
  {
    lr,
    momentum,
  },
);
for (let epoch = 0; epoch < epochs; epoch++) {
  for (const [inputs, targets] of batches()) {
    optimizer.zeroGrad();
    nn.functional.mseLoss(second.forward(first.forward(inputs).relu()), targets).backward();
    optimizer.step();
  }
}
for (const [name, { weight }] of Object.entries({ first, second })) {
  console.log(`${name}: ${await weight.eq(0).sum().item()} of ${weight.numel()} weights are exactly 0`);
}
