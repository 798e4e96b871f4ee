import { describe, expect, test } from "vitest";
import { createWasmKernels } from "../../../src/kernels/wasm/index.js";
import { Generator } from "../../../src/tensor/random.js";

const VALUE = Math.fround(1 / 0.7);

describe.each(["simd", "relaxed"] as const)("masks drawn by the %s build", (build) => {
  const kernels = createWasmKernels({ build, threads: 1, guard: true, poison: true });

  test.each([
    [0, 1],
    [0, 311],
    [0, 312],
    [0, 5000],
    [1, 7],
    [1, 1000],
    [617, 4],
    [622, 9],
    [623, 1],
    [623, 2000],
  ])("after %i draws, %i elements are those of the generator, and so is what comes next", (before, length) => {
    for (const p of [0, 0.3, 0.7, 1 - 2 ** -53, 1]) {
      const [ours, theirs] = [new Generator(5), new Generator(5)];
      for (let i = 0; i < before; i++) expect(ours.random32()).toBe(theirs.random32());
      const buffer = kernels.alloc("float32", length + 1);
      const out = { buffer, dtype: "float32" as const, shape: [length], strides: [1], offset: 1 };
      ours.drawBernoulli(p, (words, drawn, threshold) => kernels.bernoulli(words, drawn, threshold, VALUE, out));
      const expected = new Float32Array(length);
      theirs.fillBernoulli(expected, p);
      expect(kernels.readSync?.(buffer, "float32", 1, length)).toEqual(expected.map((one) => one * VALUE));
      expect(ours.getState()).toEqual(theirs.getState());
      expect(ours.random64()).toBe(theirs.random64());
      kernels.free(buffer);
    }
  });
});
