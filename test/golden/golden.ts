/** Ops against PyTorch, forward and backward: the JSON files beside this file, made by the scripts of the same name. */
import { readdirSync, readFileSync } from "node:fs";
import { expect } from "vitest";
import "../../src/devices.js";
import "../../src/tensor/methods.js";
import { type DType, newTypedArray } from "../../src/kernels/dtype.js";
import { backward } from "../../src/tensor/backward.js";
import type { Device } from "../../src/tensor/device.js";
import * as ops from "../../src/tensor/ops/index.js";
import * as joining from "../../src/tensor/ops/joining.js";
import { Tensor } from "../../src/tensor/tensor.js";

interface Packed {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly (number | "nan" | "inf" | "-inf")[];
}

export interface GoldenCase {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly Packed[];
  readonly args: readonly unknown[];
  readonly outputs: readonly Packed[];
  readonly outputGrads?: readonly Packed[];
  readonly inputGrads?: readonly (Packed | null)[];
  /** Relative tolerance where float32 cannot give 1e-5. */
  readonly tolerance?: number;
}

type Op = (...args: unknown[]) => unknown;

const functions = new Map<string, Op>(Object.entries({ ...ops, ...joining }) as [string, Op][]);

function unpackNumber(value: Packed["data"][number]): number {
  return value === "nan" ? Number.NaN : value === "inf" ? Infinity : value === "-inf" ? -Infinity : value;
}

function unpack(packed: Packed, device: Device): Tensor {
  const t = Tensor.allocate(packed.shape, packed.dtype, device, "golden");
  const values = newTypedArray(packed.dtype, t.numel());
  packed.data.forEach((value, position) => {
    values[position] = unpackNumber(value);
  });
  t.kernels.write(t.buffer, t.dtype, 0, values);
  return t;
}

function fill(arg: unknown, inputs: readonly Tensor[]): unknown {
  if (typeof arg === "string" && /^\$\d+$/.test(arg)) return inputs[Number(arg.slice(1))];
  if (Array.isArray(arg)) return arg.map((each) => fill(each, inputs));
  if (arg !== null && typeof arg === "object") {
    return Object.fromEntries(Object.entries(arg).map(([key, value]) => [key, fill(value, inputs)]));
  }
  return arg;
}

/** Within 1e-5 of the value, or of the largest value beside it: sums of terms that cancel round like their terms. */
async function expectClose(got: Tensor, packed: Packed, tolerance: number, what: string): Promise<void> {
  expect(got.shape, `${what}: shape`).toEqual(packed.shape);
  expect(got.dtype, `${what}: dtype`).toBe(packed.dtype);
  const expected = packed.data.map(unpackNumber);
  const scale = expected.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);
  (await got.data()).forEach((value, position) => {
    const wanted = expected[position] ?? Number.NaN;
    const close = Object.is(value, wanted) || value === wanted || Math.abs(value - wanted) <= tolerance * scale;
    if (!close) expect.fail(`${what}: got ${value} at ${position}; expected ${wanted}`);
  });
}

/** Files that golden.py wrote are lists; other tests keep files of other forms here. */
export const goldenFiles = readdirSync(new URL(".", import.meta.url)).filter(
  (file) => file.endsWith(".json") && readFileSync(new URL(file, import.meta.url), "utf8").startsWith("["),
);

/** The cases of a file, by name. */
export function goldenCases(file: string): (readonly [name: string, each: GoldenCase])[] {
  const cases = JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8")) as GoldenCase[];
  return cases.map((each) => [`${each.op}: ${each.name}`, each] as const);
}

/** Whether all that the case takes and gives can be on a device without float64. */
export function isWithoutFloat64({ inputs, args, outputs }: GoldenCase): boolean {
  return !JSON.stringify([[...inputs, ...outputs].map(({ dtype }) => dtype), args]).includes("float64");
}

/** Runs a case, with its tensors on `device`, and compares. */
export async function runGolden(each: GoldenCase, device: Device): Promise<void> {
  const op = functions.get(each.op);
  if (op === undefined) expect.fail(`there is no op ${each.op}`);
  const inputs = each.inputs.map((packed) => unpack(packed, device));
  each.inputGrads?.forEach((g, index) => {
    if (g !== null) inputs[index]?.requiresGrad_();
  });
  const result = op(...each.args.map((arg) => fill(arg, inputs)));
  const outputs = result instanceof Tensor ? [result] : (Object.values(result as object) as Tensor[]);
  const tolerance = each.tolerance ?? 1e-5;
  expect(outputs.length).toBe(each.outputs.length);
  for (const [index, packed] of each.outputs.entries()) {
    await expectClose(outputs[index] as Tensor, packed, tolerance, `output ${index}`);
  }
  const live = outputs.filter((output) => output.requiresGrad);
  live.forEach((output, index) => {
    const seed = each.outputGrads?.[index];
    if (seed !== undefined) backward(output, unpack(seed, device), { retainGraph: index < live.length - 1 });
  });
  for (const [index, packed] of (each.inputGrads ?? []).entries()) {
    if (packed === null) continue;
    const g = inputs[index]?.grad;
    if (g === null || g === undefined) expect.fail(`input ${index} got no gradient`);
    await expectClose(g, packed, tolerance, `gradient of input ${index}`);
  }
}
