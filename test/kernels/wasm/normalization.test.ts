import { describe, expect, test } from "vitest";
import { agrees, outputs, wasmSets } from "./sets.js";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const sets = wasmSets();

describe.each(sets)("softmax and batch normalisation, %s", (_name, kernels) => {
  test("softmax of rows of all lengths, and its gradient", async () => {
    for (let length = 1; length <= 40; length++) {
      for (const logarithm of [false, true]) {
        await agrees(kernels, async (bench) => {
          const shape = [3, length];
          const x = bench.input(
            "float32",
            shape,
            bench.numbers("float32", 120).map((v) => 30 * v),
            { offset: 1 },
          );
          const out = bench.output("float32", shape, { offset: 2 });
          const xGrad = bench.output("float32", shape, { offset: 3 });
          bench.kernels.softmax(x, out, logarithm);
          bench.kernels.softmaxGrad(bench.input("float32", shape), out, xGrad, logarithm);
          return { out: await bench.read(out), xGrad: await bench.read(xGrad) };
        });
      }
    }
  });

  test("rows of special values, at any place", async () => {
    for (const length of [1, 4, 16, 19, 40]) {
      for (const special of [nan, inf, -inf, -1e38, 3e38]) {
        for (let place = 0; place < length; place += 3) {
          for (const logarithm of [false, true]) {
            await agrees(kernels, async (bench) => {
              const values = Array.from({ length }, (_, i) => (i === place ? special : i / 7));
              const out = bench.output("float32", [2, length]);
              // The second row is that value alone.
              const rows = [...values, ...Array<number>(length).fill(special)];
              bench.kernels.softmax(bench.input("float32", [2, length], rows), out, logarithm);
              return { out: await bench.read(out) };
            });
          }
        }
      }
    }
  });

  test("what is masked with −∞ gets exactly 0", async () => {
    const values = Array.from({ length: 19 }, (_, i) => (i % 3 === 0 ? -inf : i));
    const { out } = await outputs(kernels, async (bench) => {
      const out = bench.output("float32", [1, 19]);
      bench.kernels.softmax(bench.input("float32", [1, 19], values), out, false);
      return { out: await bench.read(out) };
    });
    expect(out?.filter((_, i) => i % 3 === 0)).toEqual(Array<number>(7).fill(0));
  });

  test("batch normalisation of stretches of all lengths, with few and with many channels", async () => {
    for (const length of [1, 2, 3, 4, 7, 8, 15, 16, 17, 37, 1500]) {
      for (const channels of [1, 3, 9]) {
        for (const training of [true, false]) {
          await agrees(
            kernels,
            async (bench) => {
              const shape = [3, channels, length];
              const x = bench.input(
                "float32",
                shape,
                bench.numbers("float32", 997).map((v) => 3 * v + 50),
                { offset: 1 },
              );
              const grad = bench.input("float32", shape, undefined, { offset: 3 });
              const small = Array.from({ length: 4 }, () => bench.output("float32", [channels], { offset: 1 }));
              const weight = bench.input("float32", [channels]);
              const bias = bench.input("float32", [channels]);
              const [out, xGrad] = [bench.output("float32", shape), bench.output("float32", shape, { offset: 2 })];
              const [mean, variance, weightGrad, biasGrad] = small;
              if (!mean || !variance || !weightGrad || !biasGrad) throw new Error("four arrays were made");
              bench.kernels.channelStats(x, mean, variance);
              bench.kernels.batchNorm(x, mean, variance, weight, bias, 1e-3, out);
              bench.kernels.batchNormGrad(grad, x, mean, variance, weight, 1e-3, training, xGrad, weightGrad, biasGrad);
              const all = [mean, variance, out, xGrad, weightGrad, biasGrad];
              const [m, v, o, g, w, b] = await Promise.all(all.map((array) => bench.read(array)));
              return { m: m ?? [], v: v ?? [], o: o ?? [], g: g ?? [], w: w ?? [], b: b ?? [] };
            },
            1e-4,
          );
        }
      }
    }
  });

  test("a constant channel has variance 0", async () => {
    const { variance } = await outputs(kernels, async (bench) => {
      const x = bench.input("float32", [2, 1, 33], [1234.567]);
      const [mean, variance] = [bench.output("float32", [1]), bench.output("float32", [1])];
      bench.kernels.channelStats(x, mean, variance);
      return { variance: await bench.read(variance) };
    });
    expect(variance).toEqual([0]);
  });
});
