import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import "../../src/devices.js";
import "../../src/tensor/methods.js";
import type { DType } from "../../src/kernels/dtype.js";
import type { DeviceBuffer } from "../../src/kernels/kernelSet.js";
import { createReferenceKernels } from "../../src/kernels/reference/index.js";
import { arange, tensor, zeros } from "../../src/tensor/create.js";
import { registerKernels } from "../../src/tensor/device.js";
import { noGrad } from "../../src/tensor/scopes.js";
import type { Tensor } from "../../src/tensor/tensor.js";

type Maker = "counted" | "halves" | "odd" | "millionths" | "outlier";

interface Case {
  name: string;
  dtype: DType;
  shape: number[];
  data?: (number | boolean | "nan" | "inf" | "-inf" | "-0")[];
  made?: Maker;
  text: string;
}

const golden: { cases: Case[] } = JSON.parse(
  readFileSync(new URL("../golden/print/print.json", import.meta.url), "utf8"),
);

const special: Record<string, number> = { nan: Number.NaN, inf: Infinity, "-inf": -Infinity, "-0": -0 };

const makers: Record<Maker, (position: number) => number> = {
  counted: (position) => position,
  halves: (position) => position / 2,
  odd: (position) => position % 2,
  millionths: (position) => position / 2 ** 20,
  outlier: (position) => (position === 600 ? 1e9 : 1),
};

function build({ dtype, shape, data, made }: Case): Tensor {
  const count = shape.reduce((product, extent) => product * extent, 1);
  const values =
    data?.map((value) => Number(typeof value === "string" ? special[value] : value)) ??
    Array.from({ length: count }, (_, position) => makers[made ?? "counted"](position));
  return tensor(new Float64Array(values), { shape, dtype });
}

/** PyTorch's names to ours. */
function mapped(text: string): string {
  return text
    .replace(/torch\./g, "")
    .replace(/True/g, "true")
    .replace(/False/g, "false")
    .replace(/size=\((.*?),?\)/, "shape=[$1]");
}

describe("prints like PyTorch", () => {
  it.each(golden.cases.map((each) => [`${each.name}, ${each.dtype} [${each.shape}]`, each] as const))(
    "%s",
    (_, each) => {
      expect(String(build(each))).toBe(mapped(each.text));
    },
  );
});

describe("print", () => {
  it("tells that a leaf requires grad, and which op made what is no leaf", () => {
    const w = tensor([1, 2], { requiresGrad: true });
    expect(String(w)).toBe("tensor([1., 2.], requiresGrad=true)");
    expect(String(w.mul(2))).toBe("tensor([2., 4.], gradFn=<mul>)");
    expect(String(noGrad(() => w.mul(2)))).toBe("tensor([2., 4.])");
    expect(String(w.double())).toBe("tensor([1., 2.], dtype=float64, gradFn=<to>)");
    expect(String(zeros([0, 2], { requiresGrad: true }))).toBe("tensor([], shape=[0, 2], requiresGrad=true)");
  });

  it("puts what follows a full line on the next one", () => {
    const elements = new Array(9).fill("0.5000").join(", ");
    const x = tensor(new Array(9).fill(0.5), { dtype: "float64", requiresGrad: true });
    expect(String(x)).toBe(`tensor([${elements}],\n       dtype=float64, requiresGrad=true)`);
  });

  it("prints views as what they show", () => {
    const x = arange(6).reshape([2, 3]);
    expect(String(x.transpose(0, 1))).toBe("tensor([[0., 3.],\n        [1., 4.],\n        [2., 5.]])");
    expect(String(tensor(1).expand([2, 2]))).toBe("tensor([[1., 1.],\n        [1., 1.]])");
    const large = arange(4000).reshape([40, 100]).transpose(0, 1);
    expect(String(large)).toBe(String(large.contiguous()));
  });

  it("is what the console shows, also inside of objects", () => {
    expect(inspect(tensor([1, 2]))).toBe("tensor([1., 2.])");
    expect(inspect({ x: tensor([[1], [2]]) })).toBe("{\n  x: tensor([[1.],\n          [2.]])\n}");
    expect(`${tensor(Math.PI)}`).toBe("tensor(3.1416)");
  });

  it("tells of a released tensor all but its elements", () => {
    const x = zeros([2, 3], { dtype: "float64", requiresGrad: true });
    x.dispose();
    expect(inspect(x)).toBe("tensor(<given back>, shape=[2, 3], dtype=float64, requiresGrad=true)");
  });
});

describe("print on a device", () => {
  const reference = createReferenceKernels();

  it("that cannot be read at once says how to read", () => {
    registerKernels("webgpu", { ...reference, readSync: null });
    const x = zeros([2, 3], { device: "webgpu" });
    expect(String(x)).toBe('tensor(<read it with await t.data()>, shape=[2, 3], dtype=float32, device="webgpu")');
    expect(String(zeros([0], { device: "webgpu" }))).toBe('tensor([], device="webgpu")');
  });

  it("names the device", () => {
    registerKernels("webgpu", reference);
    expect(String(zeros([2], { device: "webgpu" }))).toBe('tensor([0., 0.], device="webgpu")');
  });

  it("that fails says why, and does not throw", () => {
    const kernels = {
      ...reference,
      copy() {
        throw new Error("device lost");
      },
    };
    registerKernels("webgpu", kernels);
    expect(inspect(zeros([2], { device: "webgpu" }))).toBe(
      'tensor(<not readable: device lost>, shape=[2], dtype=float32, device="webgpu")',
    );
  });

  it("reads of a large tensor only what it shows", () => {
    const lengths: number[] = [];
    registerKernels("webgpu", {
      ...reference,
      readSync(buffer, dtype, offset, length) {
        lengths.push(length);
        return reference.readSync?.(buffer, dtype, offset, length) ?? new Float32Array();
      },
    });
    String(zeros([1000, 1000], { device: "webgpu" }));
    String(zeros([5, 100, 7, 2], { device: "webgpu" }));
    expect(lengths).toEqual([6 * 6, 5 * 6 * 6 * 2]);
  });

  it("gives back the memory that it took, and changes nothing", () => {
    const buffers = new Set<DeviceBuffer>();
    registerKernels("webgpu", {
      ...reference,
      alloc(dtype, length) {
        const buffer = reference.alloc(dtype, length);
        buffers.add(buffer);
        return buffer;
      },
      free(buffer) {
        buffers.delete(buffer);
        reference.free(buffer);
      },
    });
    const x = zeros([2000], { device: "webgpu" });
    expect(buffers.size).toBe(1);
    String(x);
    expect(buffers.size).toBe(1);
    expect(x.storage.version).toBe(0);
  });
});
