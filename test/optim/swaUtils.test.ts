/** Averages of weights against PyTorch: test/golden/averages.json. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ArgumentError, type DType, memoryStats, nn, optim, type Tensor, tensor } from "../../src/index.js";

const { swaUtils } = optim;

interface Packed {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
type State = Record<string, Packed>;
interface Golden {
  readonly batches: readonly Packed[];
  readonly steps: readonly State[];
  readonly averages: Record<"swa" | "ema" | "buffers", State>;
  readonly afterUpdateBn: State;
}

const golden = JSON.parse(readFileSync(new URL("../golden/averages.json", import.meta.url), "utf8")) as Golden;

const network = () => new nn.Sequential(new nn.Linear(3, 4), new nn.BatchNorm1d(4), new nn.Linear(4, 2));
const unpack = ({ dtype, shape, data }: Packed): Tensor => tensor([...data], { dtype, shape });
const unpackState = (state: State): nn.StateDict =>
  Object.fromEntries(Object.entries(state).map(([name, packed]) => [name, unpack(packed)]));

function expectState(state: nn.StateDict, expected: State): void {
  expect(Object.keys(state).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, { data }] of Object.entries(expected)) {
    state[name]?.dataSync().forEach((value, index) => {
      expect(Math.abs(value - (data[index] ?? Number.NaN)), `${name}[${index}]`).toBeLessThanOrEqual(1e-6);
    });
  }
}

function averaged(options: optim.swaUtils.AveragedModelOptions = {}) {
  const net = network();
  const average = new swaUtils.AveragedModel(network(), options);
  for (const step of golden.steps) {
    net.loadStateDict(unpackState(step));
    average.updateParameters(net);
  }
  return average;
}

test.each([
  ["swa", {}],
  ["ema", { avgFn: swaUtils.getEmaAvgFn(0.9) }],
  ["buffers", { avgFn: swaUtils.getEmaAvgFn(0.75), useBuffers: true }],
] as const)("%s: the averages are PyTorch's", (name, options) => {
  const average = averaged(options);
  expect(average.nAveraged).toBe(6);
  expectState(average.stateDict(), golden.averages[name]);
});

test("updateBn works out PyTorch's running statistics, and puts back modes and momenta", async () => {
  const average = averaged();
  average.module.eval();
  await swaUtils.updateBn(golden.batches.map(unpack), average.module);
  expectState(average.stateDict(), golden.afterUpdateBn);
  expect(average.module.training).toBe(false);
  expect((average.module.at(1) as nn.BatchNorm1d).momentum).toBe(0.1);
});

test("what was saved is gone on with", () => {
  const half = new swaUtils.AveragedModel(network());
  const net = network();
  golden.steps.forEach((step, index) => {
    net.loadStateDict(unpackState(step));
    if (index < 3) half.updateParameters(net);
  });
  const rest = new swaUtils.AveragedModel(network());
  rest.loadStateDict(half.stateDict());
  for (const step of golden.steps.slice(3)) {
    net.loadStateDict(unpackState(step));
    rest.updateParameters(net);
  }
  expectState(rest.stateDict(), golden.averages.swa);
});

test("forward is that of the averaged network", () => {
  const average = averaged();
  average.module.eval();
  const x = unpack(golden.batches[0] as Packed);
  expect(average.forward(x).dataSync()).toEqual(average.module.forward(x).dataSync());
});

test("averaging holds no memory", () => {
  const [net, average] = [network(), new swaUtils.AveragedModel(network())];
  average.updateParameters(net);
  const { tensors } = memoryStats();
  for (let step = 0; step < 20; step++) average.updateParameters(net);
  expect(memoryStats().tensors).toBe(tensors);
});

describe("mistakes", () => {
  const wrong = <T>(value: unknown): T => value as T;
  test.each([
    [
      "the average of the trained network itself",
      () => {
        const net = network();
        new swaUtils.AveragedModel(net).updateParameters(net);
      },
      "AveragedModel.updateParameters: got the averaged network itself; expected the one that is trained.",
    ],
    [
      "another network",
      () => new swaUtils.AveragedModel(network()).updateParameters(new nn.Linear(3, 4)),
      "AveragedModel.updateParameters: got weight of shape [4, 3] among the parameters; expected 0.weight of shape [4, 3],",
    ],
    ["no network", () => new swaUtils.AveragedModel(wrong<nn.Linear>(3)), "AveragedModel: got 3; expected a module."],
    [
      "PyTorch's other form",
      () => new swaUtils.AveragedModel(network(), wrong({ multiAvgFn: 1 })),
      'AveragedModel: got the option "multiAvgFn"; expected only avgFn, useBuffers.',
    ],
    [
      "a decay of 2",
      () => swaUtils.getEmaAvgFn(2),
      "getEmaAvgFn: got decay = 2; expected a finite number of 0 or more",
    ],
    [
      "the weights alone",
      () => new swaUtils.AveragedModel(network()).loadStateDict(network().stateDict()),
      "AveragedModel.loadStateDict: got a state with 0.weight; expected n_averaged,",
    ],
  ])("%s", (_, run, text) => {
    expect(run).toThrow(ArgumentError);
    expect(run).toThrow(text);
  });
});
