/** A case of the golden files: an op against PyTorch, forward and backward. Runs in Node and in browsers. */
import "../../src/devices.js";
import "../../src/tensor/methods.js";
import { type DType, newTypedArray } from "../../src/kernels/dtype.js";
import { backward } from "../../src/tensor/backward.js";
import type { Device } from "../../src/tensor/device.js";
import * as ops from "../../src/tensor/ops/index.js";
import * as joining from "../../src/tensor/ops/joining.js";
import { Tensor } from "../../src/tensor/tensor.js";

export interface Packed {
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

/**
 * Compares a tensor with what PyTorch gave, within `tolerance` (1e-5 by default) of the value or of the largest value beside it:
 * sums of terms that cancel round like their terms.
 *
 * @throws Error where they differ.
 */
export async function compare(
  got: Tensor | null | undefined,
  packed: Packed,
  what: string,
  tolerance = 1e-5,
): Promise<void> {
  if (got === null || got === undefined) throw new Error(`${what}: there is none`);
  if (String(got.shape) !== String(packed.shape)) {
    throw new Error(`${what}: got the shape [${got.shape}]; expected [${packed.shape}]`);
  }
  if (got.dtype !== packed.dtype) throw new Error(`${what}: got ${got.dtype}; expected ${packed.dtype}`);
  const expected = packed.data.map(unpackNumber);
  const scale = expected.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);
  (await got.data()).forEach((value, position) => {
    // The file has just the digits that tell one float32 from the next.
    const digits = expected[position] ?? Number.NaN;
    const wanted = packed.dtype === "float32" ? Math.fround(digits) : digits;
    const close = Object.is(value, wanted) || value === wanted || Math.abs(value - wanted) <= tolerance * scale;
    if (!close) throw new Error(`${what}: got ${value} at ${position}; expected ${wanted}`);
  });
}

/** What takes a look at the elements while it is called, which a GPU's cannot be. */
export const onCpuOnly = ["oneHot: inferred"];

/** Whether all that the case takes and gives can be on a device without float64. */
export function isWithoutFloat64({ inputs, args, outputs }: GoldenCase): boolean {
  return !JSON.stringify([[...inputs, ...outputs].map(({ dtype }) => dtype), args]).includes("float64");
}

/** Whether a GPU can do the case of that name. */
export function isForGpu(name: string, each: GoldenCase): boolean {
  return isWithoutFloat64(each) && !onCpuOnly.includes(name);
}

/**
 * Runs a case, with its tensors on `device`, and compares.
 *
 * @throws Error where something differs.
 */
export async function runGolden(each: GoldenCase, device: Device): Promise<void> {
  const op = functions.get(each.op);
  if (op === undefined) throw new Error(`there is no op ${each.op}`);
  const inputs = each.inputs.map((packed) => unpack(packed, device));
  each.inputGrads?.forEach((g, index) => {
    if (g !== null) inputs[index]?.requiresGrad_();
  });
  const result = op(...each.args.map((arg) => fill(arg, inputs)));
  const outputs = result instanceof Tensor ? [result] : (Object.values(result as object) as Tensor[]);
  if (outputs.length !== each.outputs.length) {
    throw new Error(`got ${outputs.length} outputs; expected ${each.outputs.length}`);
  }
  for (const [index, packed] of each.outputs.entries()) {
    await compare(outputs[index], packed, `output ${index}`, each.tolerance);
  }
  const live = outputs.filter((output) => output.requiresGrad);
  live.forEach((output, index) => {
    const seed = each.outputGrads?.[index];
    if (seed !== undefined) backward(output, unpack(seed, device), { retainGraph: index < live.length - 1 });
  });
  for (const [index, packed] of (each.inputGrads ?? []).entries()) {
    if (packed !== null) await compare(inputs[index]?.grad, packed, `gradient of input ${index}`, each.tolerance);
  }
}
