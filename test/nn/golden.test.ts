/** Layers and losses against PyTorch: test/golden/layers/*.json, made by test/golden/layers.py. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type DType, manualSeed, nn, rand, type Tensor, type TypedArray, tensor, zeros } from "../../src/index.js";

interface Packed {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

interface LayerCase {
  readonly layer: string;
  readonly name: string;
  readonly args: readonly unknown[];
  readonly mode: "train" | "eval";
  readonly state: Record<string, Packed>;
  readonly warmup: readonly Packed[];
  readonly inputs: readonly Packed[];
  readonly extra: readonly unknown[];
  readonly outputs: readonly Packed[];
  readonly outputGrad: Packed;
  readonly inputGrads: readonly (Packed | null)[];
  readonly parameterGrads: Record<string, Packed>;
  readonly after: Record<string, Packed>;
}

interface DrawnCase {
  readonly layer: string;
  readonly args: readonly unknown[];
  readonly state: Record<string, Packed>;
  readonly then: Packed;
}

interface FilledCase {
  readonly fill: string;
  readonly shape: readonly number[];
  readonly args: readonly unknown[];
  readonly value: Packed;
}

interface GainCase {
  readonly gain: nn.init.Nonlinearity;
  readonly param?: number;
  readonly value: number;
}

type AnyLayer = nn.Module & { forward(...inputs: unknown[]): Tensor | [Tensor, Tensor] };
type LayerClass = new (...args: unknown[]) => AnyLayer;

function read<T>(name: string): T[] {
  return JSON.parse(readFileSync(new URL(`../golden/layers/${name}`, import.meta.url), "utf8")) as T[];
}

function unpack({ dtype, shape, data }: Packed): Tensor {
  return tensor(dtype === "bool" ? data.map(Boolean) : [...data], { dtype, shape });
}

/** Arguments in which tensors are written as { tensor: … }. */
function fill(arg: unknown): unknown {
  if (arg === null || typeof arg !== "object" || Array.isArray(arg)) return arg;
  if ("tensor" in arg) return unpack(arg.tensor as Packed);
  return Object.fromEntries(Object.entries(arg).map(([key, value]) => [key, fill(value)]));
}

function make(layer: string, args: readonly unknown[]): AnyLayer {
  const Kind = (nn as unknown as Record<string, LayerClass>)[layer];
  if (Kind === undefined) expect.fail(`there is no layer ${layer}`);
  return new Kind(...args.map(fill));
}

function unpackState(state: Record<string, Packed>): nn.StateDict {
  return Object.fromEntries(Object.entries(state).map(([key, packed]) => [key, unpack(packed)]));
}

function expectClose(got: Tensor | null | undefined, packed: Packed, what: string, tolerance = 1e-5): void {
  if (got === null || got === undefined) expect.fail(`${what}: there is none`);
  expect(got.shape, `${what}: shape`).toEqual(packed.shape);
  expect(got.dtype, `${what}: dtype`).toBe(packed.dtype);
  const data: TypedArray = got.dataSync();
  const scale = Math.max(...packed.data.map(Math.abs), 0);
  packed.data.forEach((digits, position) => {
    // The file has just the digits that tell one float32 from the next.
    const wanted = packed.dtype === "float32" ? Math.fround(digits) : digits;
    const value = data[position] ?? Number.NaN;
    if (!(Math.abs(value - wanted) <= tolerance * scale)) {
      expect.fail(`${what}: got ${value} at ${position}; expected ${wanted}`);
    }
  });
}

function expectSameState(model: nn.Module, packed: Record<string, Packed>, tolerance: number): void {
  const state = model.stateDict();
  expect(Object.keys(state)).toEqual(Object.keys(packed));
  for (const [key, value] of Object.entries(packed)) expectClose(state[key], value, key, tolerance);
}

describe("layers", () => {
  const cases = read<LayerCase>("layers.json");
  test.each(cases.map((each) => [`${each.layer}: ${each.name}`, each] as const))("%s", (_, each) => {
    const layer = make(each.layer, each.args);
    layer.loadStateDict(unpackState(each.state));
    for (const x of each.warmup) layer.forward(unpack(x));
    layer.train(each.mode === "train");
    const inputs = each.inputs.map(unpack);
    each.inputGrads.forEach((g, index) => {
      if (g !== null) inputs[index]?.requiresGrad_();
    });
    manualSeed(0);
    const result = layer.forward(...inputs, ...each.extra);
    const outputs = Array.isArray(result) ? result : [result];
    expect(outputs.length).toBe(each.outputs.length);
    each.outputs.forEach((packed, index) => {
      expectClose(outputs[index], packed, `output ${index}`);
    });
    outputs[0]?.backward(unpack(each.outputGrad));
    each.inputGrads.forEach((packed, index) => {
      if (packed !== null) expectClose(inputs[index]?.grad, packed, `gradient of input ${index}`);
    });
    const parameters = new Map(layer.namedParameters());
    expect([...parameters.keys()]).toEqual(Object.keys(each.parameterGrads));
    for (const [name, packed] of Object.entries(each.parameterGrads)) {
      expectClose(parameters.get(name)?.grad, packed, `gradient of ${name}`);
    }
    expectSameState(layer, each.after, 1e-5);
  });

  test("every layer and loss has a case", () => {
    const covered = new Set(cases.map((each) => each.layer));
    const bases = ["Module", "Parameter", "Buffer", "Sequential"];
    const classes = Object.entries(nn).filter(([name, value]) => typeof value === "function" && /^[A-Z]/.test(name));
    expect(classes.map(([name]) => name).filter((name) => !covered.has(name) && !bases.includes(name))).toEqual([]);
  });
});

describe("what layers start from", () => {
  const cases = read<DrawnCase | FilledCase | GainCase>("init.json");

  const layers = cases.filter((each): each is DrawnCase => "layer" in each);
  test.each(layers.map((each) => [each.layer, JSON.stringify(each.args), each] as const))("%s %s", (_, __, each) => {
    manualSeed(0);
    const layer = make(each.layer, each.args);
    expectSameState(layer, each.state, 0);
    expectClose(rand([1]), each.then, "number drawn afterwards", 0);
  });

  const fills = cases.filter((each): each is FilledCase => "fill" in each);
  test.each(fills.map((each) => [each.fill, JSON.stringify(each.args), each] as const))("%s %s", (_, __, each) => {
    const target = zeros(each.shape);
    manualSeed(3);
    const init = nn.init as unknown as Record<string, (...args: unknown[]) => Tensor>;
    expect(init[each.fill]?.(target, ...each.args)).toBe(target);
    expectClose(target, each.value, each.fill, each.fill.includes("ormal") ? 1e-6 : 0);
  });

  const gains = cases.filter((each): each is GainCase => "gain" in each);
  test.each(gains.map((each) => [each.gain, each] as const))("gain of %s", (_, each) => {
    expect(nn.init.calculateGain(each.gain, each.param)).toBe(each.value);
  });
});
