/**
 * float16 arrays in every kernel. Adapters that lack the feature shader-f16 compute with numbers that are rounded as float16 is; the text
 * for those that have it is compiled by Dawn without a GPU.
 */

import { describe, expect, test } from "vitest";
import { create } from "webgpu";
import { newTypedArray } from "../../../src/kernels/dtype.js";
import type { DType, Strided } from "../../../src/kernels/kernelSet.js";
import { createReferenceKernels } from "../../../src/kernels/reference/index.js";
import { withHalves } from "../../../src/kernels/webgpu/halves.js";
import { createWebGpuKernels, type WebGpuKernels } from "../../../src/kernels/webgpu/index.js";
import { KernelBench, type KernelCase, type Layout, sizeOf } from "../bench.js";
import { kernelCases } from "../cases.js";
import { expectNear } from "../compare.js";
import { toHalf } from "../half.js";
import { describeOnGpu, newKernels, productForms } from "./gpu.js";

/** Half a unit in the last place, for each of a few roundings. */
const TOLERANCE = 2e-3;

/** Takes float32 inputs that float16 holds, and says of which dtype they are. */
class HalfBench extends KernelBench {
  constructor(
    kernels: KernelBench["kernels"],
    private readonly dtype: DType,
  ) {
    super(kernels);
  }
  override input(dtype: DType, shape: readonly number[], values?: readonly number[], layout?: Layout): Strided {
    if (dtype !== "float32") return super.input(dtype, shape, values, layout);
    const held = (values ?? this.numbers(dtype, sizeOf(shape))).map(toHalf);
    return super.input(this.dtype, shape, held, layout);
  }
  override output(dtype: DType, shape: readonly number[], layout?: Layout): Strided {
    return super.output(dtype === "float32" ? this.dtype : dtype, shape, layout);
  }
}

const cases = kernelCases.filter(({ dtypes }) => dtypes.includes("float32") && !dtypes.includes("float64"));
const named = cases.map((kernelCase) => [kernelCase.name, kernelCase] as const);

describeOnGpu("kernels on arrays of float16 agree with those on float32", async () => {
  const reference = createReferenceKernels();
  const kernels = await newKernels({ poison: true, halves: "rounded" });

  test.each(named)("%s", async (_, kernelCase) => {
    const got = await kernelCase.run(new HalfBench(kernels, "float16"));
    const expected = await kernelCase.run(new HalfBench(reference, "float32"));
    const held = Object.fromEntries(Object.entries(expected).map(([name, values]) => [name, values.map(toHalf)]));
    expectNear(got, held, Math.max(TOLERANCE, 2 * (kernelCase.tolerance ?? 0)));
  });
});

/** Must stay referenced as long as the process lives. */
const dawn = create(["backend=null"]);

describe("kernels on arrays of float16 compile for the feature shader-f16", async () => {
  const adapter = await dawn.requestAdapter();
  const device = await adapter?.requestDevice({ requiredFeatures: ["shader-f16"] });

  test.each(productForms.map((products) => [products.name, products] as const))(
    "products in %s",
    async (_, products) => {
      if (device === undefined) throw new Error("Dawn has no null backend");
      const kernels: WebGpuKernels = createWebGpuKernels(device, { products });
      expect(kernels.supports("float16")).toBe(true);
      for (const kernelCase of cases) await compile(kernels, kernelCase);
    },
  );
});

/** What it computes without a GPU means nothing, and is not read. */
async function compile(kernels: WebGpuKernels, kernelCase: KernelCase): Promise<void> {
  const unread: WebGpuKernels = {
    ...kernels,
    async read(_buffer, dtype, _offset, length) {
      kernels.runtime.flush();
      await kernels.runtime.faults.settle();
      return newTypedArray(dtype, length);
    },
  };
  await kernelCase.run(new HalfBench(unread, "float16")).catch((error: unknown) => {
    throw new Error(`${kernelCase.name}: ${String(error)}`);
  });
}

describe("the text of a kernel on arrays of float16", () => {
  const text = {
    name: "example",
    outputs: { out: "f32", four: "vec4<f32>" },
    inputs: { x: "f32", places: "i32" },
    declarations: "fn load(i: i32) -> f32 { return x[places[i]]; }",
    body: `
  let sum = x[places[index] + 1] + out[0].y + s.x[0];
  out[places[2]] = x[index] * out[index];
  four[1] = vec4<f32>(x[0]);
  four[2].x = f(x[1], 2);
  if (x[0] == 1.0) { out[1] = 0.0; }`,
  };

  test("widens what is read and rounds what is written, in the arrays that are float16 alone", () => {
    const { outputs, inputs, body, declarations, extensions } = withHalves(
      text,
      new Set(["x", "four", "places"]),
      "native",
    );
    expect({ outputs, inputs, extensions }).toEqual({
      outputs: { out: "f32", four: "vec4<f16>" },
      inputs: { x: "f16", places: "i32" },
      extensions: ["f16"],
    });
    expect(declarations).toContain("return f32(x[places[i]]);");
    expect(body).toBe(`
  let sum = f32(x[places[index] + 1]) + out[0].y + s.x[0];
  out[places[2]] = f32(x[index]) * out[index];
  four[1] = toHalves(vec4<f32>(f32(x[0])));
  four[2].x = toHalf(f(f32(x[1]), 2));
  if (f32(x[0]) == 1.0) { out[1] = 0.0; }`);
  });
});
