/** Compares results of two kernel sets. */
import { expect } from "vitest";
import type { KernelSet } from "../../src/kernels/kernelSet.js";
import { KernelBench, type KernelCase, type Outputs } from "./bench.js";
import { difference, toleranceOf } from "./near.js";

/** Fails with the first differing element. */
export function expectNear(got: Outputs, expected: Outputs, tolerance: number): void {
  const message = difference(got, expected, tolerance);
  if (message !== null) expect.fail(message);
}

/** Runs a case on both sets and compares; the tolerance is that of the case's dtype. */
export async function expectSame(kernelCase: KernelCase, set: KernelSet, reference: KernelSet): Promise<void> {
  const got = await kernelCase.run(new KernelBench(set));
  const expected = await kernelCase.run(new KernelBench(reference));
  expectNear(got, expected, toleranceOf(kernelCase));
}
