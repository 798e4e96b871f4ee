/** Commands of TensorFlow.js and of this library's in one queue: they run in the order of the calls, whatever is sent when. */
import { expect, test } from "vitest";
import type { KernelSet, Strided } from "../../../src/kernels/kernelSet.js";
import { loadTfjs } from "../../../src/kernels/tfjs/index.js";
import { KernelBench } from "../bench.js";
import { describeOnGpu, newKernels } from "../webgpu/gpu.js";

const size = 32;

/** A chain in which each link needs the one before: products (by TensorFlow.js) of what kernels in WGSL made and write over. */
async function chain(kernels: KernelSet, links: number, readEvery: number): Promise<number[]> {
  const bench = new KernelBench(kernels);
  const matrix = (): Strided => bench.output("float32", [size, size]);
  // About orthogonal, so that numbers neither grow nor vanish.
  const factor = bench.input(
    "float32",
    [size, size],
    bench.numbers("float32", size ** 2).map((value) => value / 6.5),
  );
  let x = bench.input("float32", [size, size]);
  const read: number[] = [];
  for (let link = 1; link <= links; link++) {
    const product = matrix();
    // Of another size, so that no two programs in a row have the same uniforms.
    const side = bench.output("float32", [2, 3]);
    kernels.matmul({ ...x, shape: [2, size] }, { ...factor, shape: [size, 3] }, null, side);
    kernels.matmul(x, factor, null, product);
    const corner = { ...product, shape: [2, 3] };
    kernels.binary("sub", corner, side, corner);
    kernels.free(side.buffer);
    kernels.free(x.buffer);
    // In the memory that was given back a moment ago.
    x = matrix();
    kernels.unary("tanh", product, x, 0, 0);
    // What is read by a kernel under way is written over.
    kernels.fill({ ...product, shape: [1, size] }, 1 / link);
    kernels.binary("add", x, { ...product, strides: [0, 1] }, x);
    if (link % 3 === 0) kernels.write(x.buffer, "float32", 0, new Float32Array(4).fill(1 / link));
    kernels.free(product.buffer);
    if (link % readEvery === 0) read.push(...(await bench.read(x)).slice(0, 5));
  }
  return [...read, ...(await bench.read(x))];
}

describeOnGpu("commands of TensorFlow.js among those of this library", async () => {
  const load = await loadTfjs();

  test.each([
    ["sent as they come", {}, 1000],
    ["with reads between them", {}, 7],
    ["each sent by itself", { debug: true }, 1000],
    ["measured", { profile: true }, 1000],
  ])("200 links, %s, give what this library alone gives", async (_, options, readEvery) => {
    const expected = await chain(await newKernels(options), 200, readEvery);
    const got = await chain(load(await newKernels(options)), 200, readEvery);
    expect(got).toHaveLength(expected.length);
    got.forEach((value, i) => {
      const other = expected[i] ?? Number.NaN;
      expect(Math.abs(value - other), `${i}: ${value}, ${other}`).toBeLessThan(2e-5 * Math.max(1, Math.abs(other)));
    });
  });

  test("intermediate results and uniforms are given back: memory stays as it is", async () => {
    const kernels = load(await newKernels());
    const bench = new KernelBench(kernels);
    const g = { batch: 2, channels: 3, inHeight: 8, inWidth: 8, outHeight: 8, outWidth: 8, outChannels: 8, groups: 1 };
    const window = { kernelHeight: 3, kernelWidth: 3, strideHeight: 1, strideWidth: 1, padTop: 1, padLeft: 1 };
    const geometry = { ...g, ...window, dilationHeight: 1, dilationWidth: 1 };
    const x = bench.input("float32", [2, 3, 8, 8]);
    const weight = bench.input("float32", [8, 3, 3, 3]);
    const out = bench.output("float32", [2, 8, 8, 8]);
    const { pool } = kernels.runtime;
    const before = pool.usedBytes;
    let idle = 0;
    for (let i = 0; i < 150; i++) {
      kernels.conv2d(x, weight, null, out, geometry);
      kernels.conv2dInputGrad(out, weight, null, x, geometry);
      kernels.fill(x, 1);
      if (i === 10) idle = pool.idleBytes;
    }
    await bench.read(out);
    expect([pool.usedBytes, pool.idleBytes]).toEqual([before, idle]);
  });
});
