/** Small arrays that are copied out of the way of those that are computed with. */
import { expect, test } from "vitest";
import type { Aside } from "../../../src/kernels/kernelSet.js";
import { KernelBench } from "../bench.js";
import { describeOnGpu, newKernels } from "./gpu.js";

describeOnGpu("arrays set aside", () => {
  test("arrive when many have come together, each with its elements and dtype", async () => {
    const kernels = await newKernels({ poison: true });
    const bench = new KernelBench(kernels);
    const before = kernels.runtime.pool.usedBytes;
    const asides: (Aside | undefined)[] = [];
    for (let i = 0; i < 400; i++) {
      const dtype = (["float32", "int32", "bool"] as const)[i % 3] ?? "float32";
      const x = bench.input(dtype, [1 + ((i * 37) % 1024)], [i, 0, 1]);
      asides.push(kernels.setAside?.(x.buffer, dtype, x.shape[0] ?? 0));
      kernels.free(x.buffer);
    }
    // Those of the last chunk are still to come: two hundred bytes are not worth a read.
    const arrived = await Promise.all(asides.slice(0, 300).map((aside) => aside?.data));
    arrived.forEach((data, i) => {
      const length = 1 + ((i * 37) % 1024);
      const expected = Array.from({ length }, (_, at) => [i % 3 === 2 && i !== 0 ? 1 : i, 0, 1][at % 3]);
      expect([data?.constructor.name, Array.from(data ?? [])]).toEqual([
        ["Float32Array", "Int32Array", "Uint8Array"][i % 3],
        expected,
      ]);
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(kernels.runtime.pool.usedBytes - before).toBeLessThanOrEqual(2 ** 18);
  });

  test("can be had back before they arrive", async () => {
    const kernels = await newKernels();
    const bench = new KernelBench(kernels);
    const x = bench.input("float32", [3], [1, 2, 3]);
    const aside = kernels.setAside?.(x.buffer, "float32", 3);
    kernels.fill(x, 0);
    kernels.free(x.buffer);
    const back = bench.output("float32", [3]);
    aside?.restore(back.buffer);
    expect(await bench.read(back)).toEqual([1, 2, 3]);
  });

  test("do not hide what went wrong from the next read", async () => {
    const kernels = await newKernels();
    const bench = new KernelBench(kernels);
    const x = bench.input("float32", [1024], [1]);
    kernels.gather(x, 0, bench.input("int32", [1], [-1]), bench.output("float32", [1]));
    const asides = Array.from({ length: 65 }, () => kernels.setAside?.(x.buffer, "float32", 1024));
    expect((await asides[0]?.data)?.[0]).toBe(1);
    await expect(bench.read(x)).rejects.toThrow("gather: got index -1");
  });
});
