/** Running ONNX files in ONNX Runtime, and comparing what comes out. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { afterAll, expect } from "vitest";
import { type Tensor, tensor } from "../../../src/index.js";
import { tensorsIn } from "../../../src/tensor/scopes.js";

// The optimizers of ONNX Runtime warn of what they find not worth it.
const options: ort.InferenceSession.SessionOptions = {
  logSeverityLevel: 3,
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
};

/** Runs a file with the given inputs, in their order. */
export async function runOnnx(bytes: Uint8Array, inputs: readonly Tensor[]): Promise<ort.Tensor[]> {
  const session = await ort.InferenceSession.create(bytes, options);
  const feeds = Object.fromEntries(
    await Promise.all(
      inputs.map(async (input, index): Promise<[string, ort.Tensor]> => {
        const name = session.inputNames[index] ?? expect.fail(`the file has ${session.inputNames.length} inputs`);
        return [name, new ort.Tensor(input.dtype as "float32", (await input.data()) as Float32Array, [...input.shape])];
      }),
    ),
  );
  const fetched = await session.run(
    Object.fromEntries(session.inputNames.map((name) => [name, feeds[name] as ort.Tensor])),
  );
  return session.outputNames.map((name) => fetched[name] as ort.Tensor);
}

/** What came out: its shape and elements. */
export interface Found {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number | bigint | string>;
}

/** What an imported module gave. */
export function asFound(outputs: Tensor | Tensor[]): Found[] {
  return [outputs].flat().map((output) => ({ dims: output.shape, data: output.dataSync() }));
}

/** Fails unless the outputs have the shapes and, but for `tolerance` of their size, the elements of the tensors. */
export async function expectSame(found: readonly Found[], expected: unknown, tolerance = 1e-5): Promise<void> {
  const tensors = [...tensorsIn(expected)];
  expect(found).toHaveLength(tensors.length);
  for (const [index, want] of tensors.entries()) {
    const got = found[index] ?? expect.fail("too few outputs");
    expect(got.dims).toEqual(want.shape);
    const [values, others] = [await want.data(), got.data];
    for (let i = 0; i < values.length; i++) {
      const [a, b] = [values[i] ?? 0, Number(others[i] ?? 0)];
      if (!(Object.is(a, b) || a === b || Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a)))) {
        expect.fail(`output ${index}, element ${i}: got ${b}; expected ${a}`);
      }
    }
  }
}

/** float32 and without gradients. */
export function plain(x: Tensor): Tensor {
  return tensor(x.dataSync(), { shape: x.shape, dtype: x.dtype === "float64" ? "float32" : x.dtype });
}

const folder = mkdtempSync(join(tmpdir(), "tapegrad-onnx-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

/** Keeps a file for {@link checkFiles}. */
export function keepFile(bytes: Uint8Array): void {
  writeFileSync(join(folder, `${files++}.onnx`), bytes);
}

/** Where the files lie that were kept. */
export function keptFiles(): { folder: string; count: number } {
  return { folder, count: files };
}
