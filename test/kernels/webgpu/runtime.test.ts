/** Memory, batches and launches of the WebGPU set, beyond what single kernels show. */
import { expect, test, vi } from "vitest";
import type { DeviceBuffer } from "../../../src/kernels/kernelSet.js";
import { createReferenceKernels } from "../../../src/kernels/reference/index.js";
import { sizeClass } from "../../../src/kernels/webgpu/bufferPool.js";
import { KernelBench } from "../bench.js";
import { asTensorsCall, describeOnGpu, newKernels } from "./gpu.js";

test("size classes hold what is asked for and waste at most a fifth, but for small ones", () => {
  for (let bytes = 4; bytes < 2 ** 22; bytes = Math.ceil((bytes * 1.07) / 4) * 4) {
    const size = sizeClass(bytes);
    expect(size).toBeGreaterThanOrEqual(bytes);
    expect(size % 4).toBe(0);
    expect(sizeClass(size)).toBe(size);
    if (bytes > 16384) expect(size / bytes).toBeLessThanOrEqual(1.25);
    else expect(size).toBeLessThanOrEqual(Math.max(256, 2 * bytes));
  }
});

describeOnGpu("memory on a GPU", () => {
  test("is handed out again, and given back to the GPU when it was idle for long", async () => {
    const kernels = await newKernels();
    const { pool } = kernels.runtime;
    const before = pool.usedBytes;
    const first = kernels.alloc("float32", 1000);
    expect(first.byteLength).toBe(4096);
    expect(pool.usedBytes - before).toBe(4096);
    kernels.free(first);
    kernels.free(first);
    expect([pool.usedBytes - before, pool.idleBytes]).toEqual([0, 4096]);
    const second = kernels.alloc("bool", 1024);
    expect(second).toBe(first);
    kernels.free(second);

    const other = new KernelBench(kernels).input("float32", [4]);
    for (let i = 0; i < 320; i++) {
      kernels.fill(other, i);
      kernels.runtime.flush();
    }
    expect(pool.idleBytes).toBe(0);
    expect(await kernels.read(other.buffer, "float32", 0, 1)).toEqual(new Float32Array([319]));
  });

  test("has a cap, below which what is idle makes room", async () => {
    const kernels = await newKernels({ maxBytes: 2 ** 20 });
    kernels.free(kernels.alloc("float32", 2 ** 17));
    const large = kernels.alloc("float32", 2 ** 17 + 2 ** 16);
    expect(kernels.runtime.pool.idleBytes).toBe(0);
    expect(() => kernels.alloc("float32", 2 ** 17)).toThrow(RangeError);
    kernels.free(large);
    kernels.alloc("float32", 2 ** 17);
  });

  test("of more than a buffer may have is refused at once", async () => {
    const kernels = await newKernels();
    const { maxStorageBufferBindingSize } = kernels.runtime.device.limits;
    expect(() => kernels.alloc("float32", maxStorageBufferBindingSize / 4 + 1)).toThrow(RangeError);
  });

  test("is written in the order of the calls, though launches are sent later", async () => {
    const kernels = await newKernels();
    const bench = new KernelBench(kernels);
    const [x, a, b] = [bench.input("float32", [2], [1, 2]), bench.output("float32", [2]), bench.output("float32", [2])];
    kernels.copy(x, a);
    kernels.write(x.buffer, "float32", 0, new Float32Array([3, 4]));
    kernels.copy(x, b);
    expect([await bench.read(a), await bench.read(b)]).toEqual([
      [1, 2],
      [3, 4],
    ]);
    // The same through memory that was handed out again.
    kernels.copy(x, a);
    kernels.free(x.buffer);
    const again = bench.input("float32", [2], [5, 6]);
    expect(again.buffer).toBe(x.buffer);
    expect(await bench.read(a)).toEqual([3, 4]);
  });
});

describeOnGpu("launches", () => {
  test("of more than a batch run in order", async () => {
    const kernels = await newKernels();
    const bench = new KernelBench(kernels);
    const x = bench.input("int32", [300], [0]);
    for (let i = 0; i < 500; i++) kernels.binary("add", x, i, x);
    expect(await bench.read(x)).toEqual(new Array(300).fill(124750));
  });

  test("reach more elements than one axis of workgroups", async () => {
    const kernels = await newKernels();
    const count = 65535 * 256 + 1000;
    const buffer = kernels.alloc("int32", count);
    const x = { buffer, dtype: "int32" as const, shape: [count], strides: [1], offset: 0 };
    kernels.fill(x, 7);
    expect(await kernels.read(buffer, "int32", count - 2, 2)).toEqual(new Int32Array([7, 7]));
    const out = new KernelBench(kernels).output("int32", [1]);
    kernels.reduce("sum", x, out);
    expect(await kernels.read(out.buffer, "int32", 0, 1)).toEqual(new Int32Array([7 * count]));
  });

  test.each([1, 2, 3, 4, 5, 6, 7])(
    "that take %i elements in vectors of four leave the next one alone",
    async (count) => {
      const kernels = await newKernels();
      const bench = new KernelBench(kernels);
      const [x, y] = [bench.input("float32", [16], [9]), bench.input("bool", [16], [1])];
      kernels.unary("neg", { ...x, shape: [count], offset: 4 }, { ...x, shape: [count], offset: 4 }, 0, 0);
      kernels.fill({ ...y, shape: [count], offset: 4 }, 0);
      const expected = (changed: number, other: number) =>
        Array.from({ length: 16 }, (_, i) => (i >= 4 && i < 4 + count ? changed : other));
      expect(await bench.read(x)).toEqual(expected(-9, 9));
      expect(await bench.read(y)).toEqual(expected(0, 1));
    },
  );

  test("copy inputs that share the buffer of an output", async () => {
    const [kernels, reference] = [await newKernels(), createReferenceKernels()];
    const results = await Promise.all(
      [kernels, reference].map(async (set) => {
        const bench = new KernelBench(set);
        const whole = bench.input("float32", [4, 6]);
        const left = { ...whole, shape: [4, 3] };
        const right = { ...left, offset: 3 };
        set.unary("exp", left, right, 0, 0);
        const sums = { ...whole, shape: [1, 6], strides: [6, 1], offset: 18 };
        set.reduce("sum", { ...whole, shape: [3, 6] }, sums);
        return bench.read(whole);
      }),
    );
    results[0]?.forEach((value, i) => void expect(value).toBeCloseTo(results[1]?.[i] ?? Number.NaN, 4));
  });

  test("make a bind group once for the same buffers, and hold few of those that are gone", async () => {
    const kernels = await newKernels();
    const make = vi.spyOn(kernels.runtime.device, "createBindGroup");
    const bench = new KernelBench(kernels);
    const x = bench.input("float32", [8], [1]);
    for (const [count, made] of [
      [1000, 1000],
      [1000, 1000],
      [8500, 8500],
      // The 8,193rd made all others be forgotten: of those that are taken again, the 308 made since are known.
      [1000, 9192],
    ] as const) {
      const buffers = Array.from({ length: count }, () => kernels.alloc("float32", 8));
      for (const [i, buffer] of buffers.entries()) kernels.binary("add", x, i, { ...x, buffer });
      expect(make).toHaveBeenCalledTimes(made);
      expect(await kernels.read(buffers[count - 1] as DeviceBuffer, "float32", 0, 1)).toEqual(
        new Float32Array([count]),
      );
      for (const buffer of buffers) kernels.free(buffer);
    }
  });

  test("forget bind groups with the buffers that they begin with", async () => {
    const kernels = await newKernels();
    const bench = new KernelBench(kernels);
    const x = bench.input("float32", [8], [1]);
    const gone = kernels.alloc("float32", 5000);
    kernels.copy(x, { ...x, buffer: gone });
    kernels.free(gone);
    for (let i = 0; i < 320; i++) {
      kernels.fill(x, i);
      kernels.runtime.flush();
    }
    expect(kernels.runtime.pool.idleBytes).toBe(0);
    const anew = { ...x, buffer: kernels.alloc("float32", 5000) };
    kernels.copy(x, anew);
    expect(await bench.read(anew)).toEqual(new Array(8).fill(319));
  });

  test("walk over more axes than a kernel has uniforms for", async () => {
    const [kernels, reference] = [await newKernels(), createReferenceKernels()];
    const shape = new Array<number>(12).fill(2);
    const order = [11, 0, 10, 1, 9, 2, 8, 3, 7, 4, 6, 5];
    const results = await Promise.all(
      [kernels, reference].map(async (set) => {
        const bench = new KernelBench(set);
        const x = bench.input("int32", shape, undefined, { order });
        const copy = bench.output("int32", shape);
        set.copy(x, copy);
        const kept = shape.map((_, axis) => (axis % 3 === 0 ? 1 : 2));
        const some = bench.output("int32", kept);
        set.reduce("sum", x, some);
        // Axes of which none can be joined with the next, and none to reduce.
        const many = new Array<number>(14).fill(2);
        const backwards = many.map((_, axis) => 13 - axis);
        const same = bench.output("int32", many);
        set.reduce("sum", bench.input("int32", many, undefined, { order: backwards }), same);
        const spread = new Array<number>(10).fill(2);
        const all = bench.output("int32", new Array<number>(10).fill(1));
        set.reduce(
          "amax",
          bench.input("int32", spread, undefined, { order: [9, 7, 5, 3, 1, 8, 6, 4, 2, 0], spread: 3 }),
          all,
        );
        const [indices, chosen] = [bench.input("int32", shape, bench.integers(4096, 2)), bench.output("int32", shape)];
        set.gather(x, 3, indices, chosen);
        return [
          await bench.read(same),
          await bench.read(copy),
          await bench.read(some),
          await bench.read(all),
          await bench.read(chosen),
        ];
      }),
    );
    expect(results[0]).toEqual(results[1]);
  });
});

describeOnGpu("large reductions", () => {
  const shapes = [
    { name: "one long row", shape: [1, 300_000], out: [1, 1] },
    { name: "few long rows", shape: [5, 70_001], out: [5, 1] },
    { name: "few long columns", shape: [40_000, 7], out: [1, 7] },
    { name: "many short rows", shape: [9000, 70], out: [9000, 1] },
    { name: "rows of a workgroup", shape: [300, 700], out: [300, 1] },
  ];
  test.each(shapes)("$name", async ({ shape, out }) => {
    const [kernels, reference] = [asTensorsCall(await newKernels({ poison: true })), createReferenceKernels()];
    const axis = out[0] === 1 && shape[0] !== 1 ? 0 : 1;
    const results = await Promise.all(
      [kernels, reference].map(async (set) => {
        const bench = new KernelBench(set);
        const x = bench.input("float32", shape);
        const [sum, largest, place] = [
          bench.output("float32", out),
          bench.output("float32", out),
          bench.output("int32", out),
        ];
        set.reduce("sum", x, sum);
        set.reduce("amax", x, largest);
        set.argReduce("amin", x, axis, place);
        return [await bench.read(sum), await bench.read(largest), await bench.read(place)];
      }),
    );
    const [[sum = [], ...rest] = [], [expected = [], ...expectedRest] = []] = results;
    expect(rest).toEqual(expectedRest);
    sum.forEach((value, i) => void expect(Math.abs(value - (expected[i] ?? 0))).toBeLessThan(1e-3));
  });
});
