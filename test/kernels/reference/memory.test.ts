import { describe, expect, test } from "vitest";
import type { DType } from "../../../src/kernels/kernelSet.js";
import { createReferenceKernels } from "../../../src/kernels/reference/index.js";

const dtypes: readonly DType[] = ["float32", "float64", "int32", "bool"];

describe("memory of the reference set", () => {
  test("supports every dtype", () => {
    const kernels = createReferenceKernels();
    expect(dtypes.map((dtype) => kernels.supports(dtype))).toEqual([true, true, true, true]);
    expect(kernels.name).toBe("reference");
  });

  test.each([
    ["float32", 40],
    ["float64", 80],
    ["int32", 40],
    ["bool", 10],
  ] as const)("ten elements of %s take %i bytes", (dtype, bytes) => {
    expect(createReferenceKernels().alloc(dtype, 10).byteLength).toBe(bytes);
  });

  test("reading copies", async () => {
    const kernels = createReferenceKernels();
    const buffer = kernels.alloc("float32", 3);
    kernels.write(buffer, "float32", 0, new Float32Array([1, 2, 3]));
    const now = kernels.readSync?.(buffer, "float32", 1, 2);
    const later = kernels.read(buffer, "float32", 0, 3);
    kernels.write(buffer, "float32", 0, new Float32Array([7, 8, 9]));
    expect(now).toEqual(new Float32Array([2, 3]));
    expect(await later).toEqual(new Float32Array([1, 2, 3]));
  });

  test("freed memory is used again for the same dtype and length only", () => {
    const kernels = createReferenceKernels();
    const freed = kernels.alloc("float32", 5);
    kernels.write(freed, "float32", 0, new Float32Array([1, 2, 3, 4, 5]));
    kernels.free(freed);
    const others = [kernels.alloc("int32", 5), kernels.alloc("float32", 4)];
    expect(others.map((other, i) => kernels.readSync?.(other, i === 0 ? "int32" : "float32", 0, 4))).toEqual([
      new Int32Array(4),
      new Float32Array(4),
    ]);
    const again = kernels.alloc("float32", 5);
    expect(kernels.readSync?.(again, "float32", 0, 5)).toEqual(new Float32Array([1, 2, 3, 4, 5]));
    const fresh = kernels.alloc("float32", 5);
    expect(kernels.readSync?.(fresh, "float32", 0, 5)).toEqual(new Float32Array(5));
  });

  test("a freed buffer can be neither read, written, computed with nor freed", async () => {
    const kernels = createReferenceKernels();
    const buffer = kernels.alloc("float32", 4);
    kernels.free(buffer);
    const message = (where: string) =>
      `${where}: got a buffer of 16 bytes that was freed; expected a live one of the reference kernel set. ` +
      "This is a bug in the library: please report it.";
    const x = { buffer, dtype: "float32" as const, shape: [4], strides: [1], offset: 0 };
    expect(() => kernels.readSync?.(buffer, "float32", 0, 4)).toThrow(message("read"));
    await expect(kernels.read(buffer, "float32", 0, 4)).rejects.toThrow(message("read"));
    expect(() => kernels.write(buffer, "float32", 0, new Float32Array(4))).toThrow(message("write"));
    expect(() => kernels.fill(x, 1)).toThrow(message("kernel argument"));
    expect(() => kernels.free(buffer)).toThrow(message("free"));
  });

  test("a buffer of another kind is refused", () => {
    const kernels = createReferenceKernels();
    expect(() => kernels.free({ byteLength: 8 })).toThrow(
      "free: got a buffer of another kernel set; expected one made by the reference kernel set. " +
        "This is a bug in the library: please report it.",
    );
  });

  test("poison fills new and used memory", () => {
    const kernels = createReferenceKernels({ poison: true });
    const values = dtypes.map((dtype) => {
      const first = kernels.alloc(dtype, 2);
      const fresh = kernels.readSync?.(first, dtype, 0, 2);
      kernels.fill({ buffer: first, dtype, shape: [2], strides: [1], offset: 0 }, 1);
      kernels.free(first);
      return [fresh, kernels.readSync?.(kernels.alloc(dtype, 2), dtype, 0, 2)].map((array) => Array.from(array ?? []));
    });
    const nans = [Number.NaN, Number.NaN];
    const [integers, bytes] = [
      [0x7eadbeef, 0x7eadbeef],
      [0xaa, 0xaa],
    ];
    expect(values).toEqual([
      [nans, nans],
      [nans, nans],
      [integers, integers],
      [bytes, bytes],
    ]);
  });
});
