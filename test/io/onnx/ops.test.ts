/** Every differentiable op, and its gradient, computed from a file of ours by ONNX Runtime, and by an imported module. */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { DTypeError, exportOnnx, grad, importOnnx, Tensor } from "../../../src/index.js";
import { type GradCase, inputsOf } from "../../gradients/gradCase.js";
import { asFound, expectSame, keepFile, keptFiles, plain, runOnnx } from "./support.js";

/** Random numbers differ from run to run. */
const isRandom = /dropout|bernoulli|uniform_|normal_/i;

const folder = new URL("../../gradients/cases/", import.meta.url);
const tables = await Promise.all(
  readdirSync(folder).map(async (file) => (await import(new URL(file, folder).href)) as { readonly cases: GradCase[] }),
);
const cases = tables.flatMap((table) => table.cases).filter(({ op }) => !isRandom.test(op));

/** The inputs in float32, unless the case brings tensors in float64 of its own. */
function inputsFor(each: GradCase): Tensor[] {
  const inputs = inputsOf(each).map((x) => plain(x).requiresGrad_());
  try {
    each.fn(...inputs);
    return inputs;
  } catch (error) {
    if (error instanceof DTypeError) return inputsOf(each);
    throw error;
  }
}

describe.each([...new Set(cases.map(({ op }) => op))])("%s", (op) => {
  for (const each of cases.filter((candidate) => candidate.op === op)) {
    test(`${each.name}`, async () => {
      const inputs = inputsFor(each);
      const withGradient = (...leaves: Tensor[]) => {
        const result = each.fn(...leaves);
        const outputs = (result instanceof Tensor ? [result] : [...result]).filter((output) => output.requiresGrad);
        const loss = outputs.map((output) => output.square().sum()).reduce((a, b) => a.add(b));
        return { result, grads: grad(loss, leaves, { allowUnused: true }) };
      };
      const bytes = await exportOnnx(withGradient, inputs);
      keepFile(bytes);
      const expected = withGradient(...inputs);
      await expectSame(await runOnnx(bytes, inputs), expected);
      const imported = await importOnnx(bytes);
      await expectSame(asFound(imported.forward(...inputs)), expected);
    });
  }
});

test("the ONNX checker finds nothing wrong with any of these files", () => {
  const kept = keptFiles();
  const script = fileURLToPath(new URL("check.py", import.meta.url));
  expect(execFileSync("python3", [script, kept.folder], { encoding: "utf8" })).toBe(`${kept.count} files\n`);
});
