import { describe, test } from "vitest";
import type { AdamHyper, SgdHyper } from "../../../src/kernels/kernelSet.js";
import { agrees, wasmSets } from "./sets.js";

const sgd: SgdHyper = {
  lr: 0.1,
  momentum: 0.9,
  dampening: 0.1,
  weightDecay: 0,
  nesterov: true,
  maximize: false,
  firstStep: false,
  l1: 0,
  l1Mode: "proximal",
};
const adam: AdamHyper = {
  lr: 0.01,
  beta1: 0.9,
  beta2: 0.999,
  eps: 1e-8,
  weightDecay: 0,
  decoupled: false,
  maximize: false,
  step: 3,
  l1: 0,
  l1Mode: "proximal",
};
const penalties = [
  {},
  { weightDecay: 0.1 },
  { l1: 0.5 },
  { l1: 0.5, l1Mode: "subgradient" },
  { maximize: true, weightDecay: 0.2 },
] as const;

describe.each(wasmSets())("optimizer steps, %s", (_name, kernels) => {
  test("parameters of all lengths", async () => {
    for (let length = 0; length <= 21; length++) {
      for (const penalty of penalties) {
        await agrees(kernels, async (bench) => {
          const shape = [length];
          const arrays = [0, 1, 2, 3, 0, 1, 2, 3, 0].map((offset) =>
            bench.input("float32", shape, bench.numbers("float32", 32).map(Math.abs), { offset }),
          );
          const [p, g, b, q, h, m, v, top] = arrays;
          if (!p || !g || !b || !q || !h || !m || !v || !top) throw new Error("nine arrays were made");
          bench.kernels.sgdStep(p, g, b, { ...sgd, ...penalty });
          bench.kernels.sgdStep(p, g, null, { ...sgd, momentum: 0, ...penalty });
          bench.kernels.adamStep(q, h, m, v, null, { ...adam, ...penalty });
          bench.kernels.adamStep(q, h, m, v, top, { ...adam, decoupled: true, ...penalty });
          return { all: (await Promise.all([p, b, q, m, v, top].map((array) => bench.read(array)))).flat() };
        });
      }
    }
  });

  test("special values, as the penalties see them", async () => {
    const values = [Number.NaN, 0, -0, 1e-3, -1e-3, 0.6, -0.6, 5, -5];
    for (const penalty of penalties) {
      await agrees(kernels, async (bench) => {
        const shape = [values.length];
        const [p, g, q] = [values, [0.5], values].map((numbers) => bench.input("float32", shape, numbers));
        const m = bench.input("float32", shape);
        const v = bench.input("float32", shape, [0.5]);
        if (!p || !g || !q) throw new Error("three arrays were made");
        bench.kernels.sgdStep(p, g, null, { ...sgd, momentum: 0, ...penalty });
        bench.kernels.adamStep(q, g, m, v, null, { ...adam, ...penalty });
        return { p: await bench.read(p), q: await bench.read(q) };
      });
    }
  });
});
