import { afterAll, describe, expect, test } from "vitest";
import type { KernelSet } from "../../../src/kernels/kernelSet.js";
import { createReferenceKernels } from "../../../src/kernels/reference/index.js";
import { createWasmKernels } from "../../../src/kernels/wasm/index.js";
import { KernelBench, type Layout, type Outputs } from "../bench.js";
import { expectNear } from "../compare.js";

const major = Number(process.versions.node.split(".")[0]);
const builds = major < 24 ? (["simd", "relaxed"] as const) : (["simd", "relaxed", "revectorized"] as const);
const sets = builds.flatMap((build) =>
  [1, 3].map((threads) => {
    const kernels = createWasmKernels({ build, threads, guard: true, poison: true, alwaysShare: true });
    return { name: `${build}, ${threads} threads`, kernels };
  }),
);
const reference = createReferenceKernels();

interface Product {
  readonly batch: readonly number[];
  readonly sizes: readonly [rows: number, columns: number, depth: number];
  readonly a: Layout;
  readonly b: Layout;
  readonly bias: Layout | null;
}

/** Computes a product several times, and hands each result to `use`. */
async function compute(
  kernels: KernelSet,
  product: Product,
  seed: number,
  times: number,
  use: (result: Outputs) => void,
): Promise<void> {
  const bench = new KernelBench(kernels, seed);
  const { batch, sizes, a, b, bias } = product;
  const [rows, columns, depth] = sizes;
  const out = bench.output("float32", [...batch, rows, columns], { offset: seed % 4 });
  const left = bench.input("float32", [...batch, rows, depth], undefined, a);
  const right = bench.input("float32", [...batch, depth, columns], undefined, b);
  const added = bias && bench.input("float32", [...batch, rows, columns], undefined, bias);
  for (let i = 0; i < times; i++) {
    kernels.matmul(left, right, added, out);
    use({ out: await bench.read(out) });
  }
  for (const x of [out, left, right, added]) if (x !== null) kernels.free(x.buffer);
}

async function run(kernels: KernelSet, product: Product, seed: number): Promise<Outputs> {
  const results: Outputs[] = [];
  await compute(kernels, product, seed, 1, (result) => results.push(result));
  return results[0] ?? {};
}

/** Sums of `depth` products of numbers up to 2, in another order: about the square root of it times a rounding. */
function tolerance(depth: number): number {
  return 4e-6 * Math.sqrt(depth + 4);
}

/** Sizes on both sides of every border: of tiles, vectors, groups of columns, blocks, and of the roads' choice. */
const extents = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 17, 18, 24, 31, 33, 47, 48, 49, 66, 100];
const depths = [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 31, 63, 64, 65, 127, 128, 129, 511, 512, 513, 1023, 1025, 2049];

function randomProduct(seed: number): Product {
  const random = new KernelBench(reference, seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.random() * list.length)] as T;
  const batch = pick([[], [], [1], [3], [2, 3], [17]]);
  const axes = [...batch.map((_, axis) => axis), batch.length, batch.length + 1];
  const [rank, outer] = [axes.length, axes.slice(0, -2)];
  const layout = (): Layout => {
    const offset = Math.floor(random.random() * 4);
    return pick<() => Layout>([
      () => ({ offset }),
      () => ({ offset, order: [...outer, rank - 1, rank - 2] }),
      () => ({ offset, order: [rank - 2, ...outer, rank - 1] }),
      () => ({ offset, spread: 2 + offset }),
      () => ({ offset, repeat: [pick(axes)] }),
      () => ({ offset, repeat: outer }),
      () => ({ offset, repeat: outer, order: [...outer, rank - 1, rank - 2] }),
      () => ({ offset, repeat: axes }),
      () => ({ offset, repeat: axes.slice(0, -1) }),
    ])();
  };
  const depth = pick(depths);
  const large = depth < 600 && batch.length === 0 && random.random() < 0.1;
  const extent = (): number =>
    large ? pick([120, 130, 520, 700]) : pick(depth > 200 ? extents.slice(0, 15) : extents);
  const sizes = [extent(), extent(), large ? Math.min(depth, 200) : depth] as const;
  return { batch, sizes, a: layout(), b: layout(), bias: random.random() < 0.5 ? layout() : null };
}

describe("matrix products of random shapes and layouts are those of the reference", () => {
  afterAll(() => {
    for (const { kernels } of sets) kernels.checkGuards();
  });
  test.each(Array.from({ length: 25 }, (_, chunk) => chunk))("chunk %d", async (chunk) => {
    for (let seed = chunk * 10; seed < chunk * 10 + 10; seed++) {
      const product = randomProduct(seed);
      const expected = await run(reference, product, seed);
      for (const { name, kernels } of sets) {
        const got = await run(kernels, product, seed);
        try {
          expectNear(got, expected, tolerance(product.sizes[2]));
        } catch (error) {
          expect.fail(`${name}, ${JSON.stringify(product)}: ${(error as Error).message}`);
        }
      }
    }
  });
});

test.each(sets)("$name: results repeat to the bit", async ({ kernels }) => {
  for (const sizes of [
    [300, 200, 700],
    [64, 10, 1568],
    [1, 5000, 300],
  ] as const) {
    const product: Product = { batch: [], sizes, a: {}, b: { order: [1, 0] }, bias: { repeat: [0] } };
    let first: Outputs | null = null;
    await compute(kernels, product, 1, 11, (result) => {
      first ??= result;
      expectNear(result, first, 0);
    });
  }
});

test("what is larger than can be packed at once is packed in parts", async () => {
  const product: Product = {
    batch: [],
    sizes: [3001, 49, 1000],
    a: { order: [1, 0] },
    b: { repeat: [0] },
    bias: { repeat: [1] },
  };
  const expected = await run(reference, product, 3);
  for (const { kernels } of sets) expectNear(await run(kernels, product, 3), expected, tolerance(1000));
});

test("a product leaves no memory behind", () => {
  const kernels = createWasmKernels({ threads: 2 });
  const bench = new KernelBench(kernels);
  const [a, b, out] = [
    bench.output("float32", [90, 90]),
    bench.output("float32", [90, 90]),
    bench.output("float32", [90, 90]),
  ];
  kernels.matmul(a, b, null, out);
  expect(kernels.heap.used).toBe(3 * Math.ceil((90 * 90 * 4) / 64) * 64);
});
