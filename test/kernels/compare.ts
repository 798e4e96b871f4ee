/** Compares results of two kernel sets. */
import { expect } from "vitest";
import type { KernelSet } from "../../src/kernels/kernelSet.js";
import { KernelBench, type KernelCase, type Outputs } from "./bench.js";

/** Whether two results are equal: NaN to NaN, infinities to themselves, the rest to within `tolerance`. */
function near(a: number, b: number, tolerance: number): boolean {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b);
  if (a === b) return true;
  return Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b));
}

/** Fails with the first differing element of each output. */
export function expectNear(got: Outputs, expected: Outputs, tolerance: number): void {
  expect(Object.keys(got)).toEqual(Object.keys(expected));
  for (const [name, values] of Object.entries(expected)) {
    const results = got[name] ?? [];
    expect(results.length, `length of ${name}`).toBe(values.length);
    const place = values.findIndex((value, i) => !near(results[i] ?? Number.NaN, value, tolerance));
    if (place >= 0) {
      expect.fail(`${name}[${place}] is ${results[place]}; expected ${values[place]} to within ${tolerance}`);
    }
  }
}

/** Runs a case on both sets and compares; the tolerance is that of the case's dtype. */
export async function expectSame(kernelCase: KernelCase, set: KernelSet, reference: KernelSet): Promise<void> {
  const got = await kernelCase.run(new KernelBench(set));
  const expected = await kernelCase.run(new KernelBench(reference));
  const tolerance = kernelCase.dtypes.includes("float32") ? (kernelCase.tolerance ?? 1e-5) : 1e-12;
  expectNear(got, expected, tolerance);
}
