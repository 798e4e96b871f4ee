/** Tables of calls that must be refused: with just this error and text, and before any memory is touched. */
import { expect, test } from "vitest";
import type { TapegradError } from "../../src/errors.js";
import { bytesPerElement } from "../../src/kernels/dtype.js";
import type { DType } from "../../src/kernels/kernelSet.js";
import { zeros } from "../../src/tensor/create.js";
import { memoryStats, resetPeakMemory } from "../../src/tensor/memory.js";
import type { Tensor } from "../../src/tensor/tensor.js";

/** Makes an input of a call: float32 zeros, or zeros of the dtype that stands before the extents. */
export type Make = (...args: (number | DType)[]) => Tensor;

/** What is wrong, a call that is given a maker of inputs, and the error that it must throw. */
export type Refusal = readonly [name: string, call: (z: Make) => unknown, error: TapegradError];

export function testRefusals(refusals: readonly Refusal[]): void {
  test.each(refusals)("refuses %s", (_, call, error) => {
    let inputBytes = 0;
    const inputs: Tensor[] = [];
    resetPeakMemory();
    const { tensors, bytes } = memoryStats();
    const make: Make = (...args) => {
      const shape = args.filter((arg) => typeof arg === "number");
      const dtype = args.find((arg) => typeof arg === "string") ?? "float32";
      const input = zeros(shape, { dtype });
      inputBytes += input.numel() * bytesPerElement(dtype);
      inputs.push(input);
      return input;
    };
    expect(() => call(make)).toThrow(error);
    expect(memoryStats().peakBytes - bytes).toBe(inputBytes);
    for (const input of inputs) input.dispose();
    expect(memoryStats().tensors).toBe(tensors);
  });
}
