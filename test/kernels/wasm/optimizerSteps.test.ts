import { describe, expect, test } from "vitest";
import type { AdamHyper, SgdHyper } from "../../../src/kernels/kernelSet.js";
import { agrees, outputs, wasmSets } from "./sets.js";

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

  test("what decays below the normal numbers becomes 0, and nothing else does", async () => {
    const least = 2 ** -126;
    const values = [1, -least, 4 * least, -4 * least, Number.NaN];
    const results = await outputs(kernels, async (bench) => {
      const [p, b, q, m, v] = [0, 1, 2, 3, 4].map(() => bench.input("float32", [5], values));
      const g = bench.input("float32", [5], [0]);
      if (!p || !b || !q || !m || !v) throw new Error("five arrays were made");
      bench.kernels.sgdStep(p, g, null, { ...sgd, lr: 1, momentum: 0, weightDecay: 0.5 });
      bench.kernels.sgdStep(q, g, b, { ...sgd, lr: 0, momentum: 0.5 });
      bench.kernels.adamStep(q, g, m, v, null, { ...adam, lr: 0, beta1: 0.5, beta2: 0.5 });
      return { p: await bench.read(p), b: await bench.read(b), m: await bench.read(m), v: await bench.read(v) };
    });
    const halves = [0.5, 0, 2 * least, -2 * least, Number.NaN];
    for (const name of ["p", "b", "m", "v"]) {
      // −0 is as good as 0.
      expect(results[name]?.map((value) => value + 0)).toEqual(halves);
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
