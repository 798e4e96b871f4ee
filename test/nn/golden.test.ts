/** Layers and losses against PyTorch: test/golden/layers/*.json, made by test/golden/layers.py. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { manualSeed, nn, rand, type Tensor, zeros } from "../../src/index.js";
import { compare, type Packed } from "../golden/runCase.js";
import { compareState, type LayerCase, makeLayer, runLayerCase } from "./layerCase.js";

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

function read<T>(name: string): T[] {
  return JSON.parse(readFileSync(new URL(`../golden/layers/${name}`, import.meta.url), "utf8")) as T[];
}

describe("layers", () => {
  const cases = read<LayerCase>("layers.json");
  test.each(cases.map((each) => [`${each.layer}: ${each.name}`, each] as const))("%s", (_, each) => runLayerCase(each));

  test("every layer and loss has a case", () => {
    const covered = new Set(cases.map((each) => each.layer));
    // Containers, and lazy layers, which have tests of their own.
    const bases = [
      "Module",
      "Parameter",
      "Buffer",
      "Sequential",
      "ModuleList",
      "ModuleDict",
      "LazyLinear",
      "LazyConv2d",
    ];
    const classes = Object.entries(nn).filter(([name, value]) => typeof value === "function" && /^[A-Z]/.test(name));
    expect(classes.map(([name]) => name).filter((name) => !covered.has(name) && !bases.includes(name))).toEqual([]);
  });
});

describe("what layers start from", () => {
  const cases = read<DrawnCase | FilledCase | GainCase>("init.json");

  const layers = cases.filter((each): each is DrawnCase => "layer" in each);
  test.each(layers.map((each) => [each.layer, JSON.stringify(each.args), each] as const))(
    "%s %s",
    async (_, __, each) => {
      manualSeed(0);
      const layer = makeLayer(each.layer, each.args);
      await compareState(layer, each.state, 0);
      await compare(rand([1]), each.then, "number drawn afterwards", 0);
    },
  );

  const fills = cases.filter((each): each is FilledCase => "fill" in each);
  test.each(fills.map((each) => [each.fill, JSON.stringify(each.args), each] as const))(
    "%s %s",
    async (_, __, each) => {
      const target = zeros(each.shape);
      manualSeed(3);
      const init = nn.init as unknown as Record<string, (...args: unknown[]) => Tensor>;
      expect(init[each.fill]?.(target, ...each.args)).toBe(target);
      await compare(
        target,
        each.value,
        each.fill,
        /normal|sparse/i.test(each.fill) ? 1e-6 : each.fill === "orthogonal_" ? 1e-5 : 0,
      );
    },
  );

  const gains = cases.filter((each): each is GainCase => "gain" in each);
  test.each(gains.map((each) => [each.gain, each] as const))("gain of %s", (_, each) => {
    expect(nn.init.calculateGain(each.gain, each.param)).toBe(each.value);
  });
});
