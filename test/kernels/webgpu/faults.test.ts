/** What goes wrong on a GPU, and how it is said. */
import { expect, test } from "vitest";
import { DeviceError, OutOfMemoryError, ShapeError } from "../../../src/errors.js";
import { KernelBench } from "../bench.js";
import { describeOnGpu, newKernels } from "./gpu.js";

const lost =
  /^webgpu: the device was lost \(destroyed.*\), and the tensors on it with it\. Make a new one with await webgpu\.init\(\), build the model anew and load what was saved of it\.$/;

describeOnGpu("a lost device", () => {
  test("fails pending reads and everything after; a new one works", async () => {
    const kernels = await newKernels();
    const bench = new KernelBench(kernels);
    const x = bench.input("float32", [1000], [2]);
    for (let i = 0; i < 100; i++) kernels.unary("sqrt", x, x, 0, 0);
    const pending = bench.read(x);
    kernels.runtime.device.destroy();
    await expect(pending).rejects.toThrow(lost);
    await expect(pending).rejects.toThrow(DeviceError);
    expect(() => kernels.alloc("float32", 1)).toThrow(lost);
    expect(() => kernels.fill(x, 1)).toThrow(lost);
    await expect(bench.read(x)).rejects.toThrow(lost);
    kernels.free(x.buffer);

    const next = new KernelBench(await newKernels());
    expect(await next.read(next.input("float32", [2], [3, 4]))).toEqual([3, 4]);
  });

  test("has memory that no other device takes", async () => {
    const [one, other] = [new KernelBench(await newKernels()), new KernelBench(await newKernels())];
    const x = one.input("float32", [2]);
    expect(() => other.kernels.fill(x, 0)).toThrow(
      new DeviceError(
        "webgpu: got a tensor of another GPUDevice; expected one of the device that webgpu.init() made last. " +
          "Make the tensor anew, or read it before the device is changed.",
      ),
    );
  });
});

describeOnGpu("errors of the GPU", () => {
  test("in WGSL name the kernel, at the next read, and only there", async () => {
    const kernels = await newKernels();
    const bench = new KernelBench(kernels);
    const x = bench.input("float32", [4], [1]);
    const { runtime } = kernels;
    const broken = runtime.kernel("broken", () => ({
      name: "broken",
      outputs: { out: "f32" },
      body: "out[index] = nothing;",
    }));
    runtime.launchEach(broken, [x.buffer], [], 4);
    await expect(bench.read(x)).rejects.toThrow(/^webgpu: compiling kernel "broken" failed: .*nothing/s);
    kernels.fill(x, 5);
    expect(await bench.read(x)).toEqual([5, 5, 5, 5]);
  });

  test("in a launch name the kernel in debug mode, and are found without it too", async () => {
    for (const debug of [true, false]) {
      const kernels = await newKernels({ debug });
      const bench = new KernelBench(kernels);
      const x = bench.input("float32", [4], [1]);
      const { runtime } = kernels;
      const kernel = runtime.kernel("twins", () => ({
        name: "twins",
        outputs: { a: "f32", b: "f32" },
        body: "a[index] = b[index];",
      }));
      // Two outputs in one buffer are forbidden.
      runtime.launchEach(kernel, [x.buffer, x.buffer], [], 4);
      await expect(bench.read(x)).rejects.toThrow(
        debug ? /^webgpu: kernel "twins" failed: / : /^webgpu: an operation failed: /,
      );
      await expect(bench.read(x)).resolves.toEqual([1, 1, 1, 1]);
    }
  });

  test("for want of memory are typed, and the run goes on smaller", async () => {
    const kernels = await newKernels();
    const bench = new KernelBench(kernels);
    const { device } = kernels.runtime;
    const x = bench.input("float32", [4], [1]);
    // Every buffer asks for all that one can have: soon there is no room left, and the driver says so.
    const createBuffer = device.createBuffer.bind(device);
    device.createBuffer = () => createBuffer({ size: device.limits.maxBufferSize, usage: 0x8c });
    const hungry = Array.from({ length: 64 }, () => kernels.alloc("float32", 4096));
    device.createBuffer = createBuffer;
    for (const buffer of hungry) kernels.fill({ ...x, buffer }, 1);
    await expect(bench.read(x)).rejects.toThrow(OutOfMemoryError);
    for (const buffer of hungry) kernels.free(buffer);
    const smaller = bench.input("float32", [4096], [2]);
    kernels.binary("add", smaller, smaller, smaller);
    expect((await bench.read(smaller))[4095]).toBe(4);
  });
});

describeOnGpu("indices out of range", () => {
  test.each([5, -1, 2147483647, -2147483648])("%i touches nothing, and fails the next read", async (wrong) => {
    const kernels = await newKernels();
    const bench = new KernelBench(kernels);
    const x = bench.input("float32", [5], [1, 2, 3, 4, 5]);
    const index = bench.input("int32", [3], [0, wrong, 4]);
    const out = bench.output("float32", [3]);
    kernels.gather(x, 0, index, out);
    const error = (op: string) =>
      new ShapeError(
        `${op}: got index ${wrong} on an axis of 5, in one of the calls since the last read; expected 0 to 4. ` +
          "Correct the index (in a loss: the labels, or the number of classes).",
      );
    await expect(bench.read(x)).rejects.toThrow(error("gather"));
    expect(await bench.read(out)).toEqual([1, 0, 5]);
    kernels.scatterAdd(bench.input("float32", [3], [10, 20, 30]), 0, index, x);
    await expect(bench.read(x)).rejects.toThrow(error("scatterAdd"));
    expect(await bench.read(x)).toEqual([11, 2, 3, 4, 35]);
    // Many lines take another road.
    const lines = bench.input("float32", [100, 5], [0]);
    const ones = bench.input("float32", [100, 3], [1]);
    kernels.scatterAdd(ones, 1, { ...index, shape: [100, 3], strides: [0, 1] }, lines);
    await expect(bench.read(lines)).rejects.toThrow(error("scatterAdd"));
    expect((await bench.read(lines)).slice(-5)).toEqual([1, 0, 0, 0, 1]);
  });
});
