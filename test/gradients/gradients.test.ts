/** Every differentiable op against finite differences, first and second derivative; and none without a case. */
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import "../../src/devices.js";
import { gradcheck, gradgradcheck } from "../../src/tensor/gradcheck.js";
import * as ops from "../../src/tensor/ops/index.js";
import * as joining from "../../src/tensor/ops/joining.js";
import { type GradCase, inputsOf } from "./gradCase.js";

/** Ops through which no gradient flows: their results are whole numbers or bools, or they cut the history on purpose. */
const withoutGradient = new Set([
  "all",
  "any",
  "argmax",
  "argmin",
  "argsort",
  "bool",
  "cpu",
  "detach",
  "eq",
  "ge",
  "gt",
  "int",
  "isfinite",
  "isinf",
  "isnan",
  "le",
  "logicalAnd",
  "logicalNot",
  "logicalOr",
  "lt",
  "ne",
  "oneHot",
]);

/** Casts lose the precision that finite differences need; the golden tests and those of autocast check their gradients. */
const castsAway = new Set(["float", "double", "half"]);

const tables = await Promise.all(
  readdirSync(new URL("cases", import.meta.url)).map(
    async (file) =>
      (await import(`./cases/${file.replace(/\.ts$/, "")}.ts`)) as { readonly cases: readonly GradCase[] },
  ),
);
const cases = tables.flatMap((table) => table.cases);

describe.each([...new Set(cases.map((each) => each.op))])("%s", (op) => {
  for (const each of cases.filter((candidate) => candidate.op === op)) {
    test(`first derivative, ${each.name}`, () => {
      expect(gradcheck(each.fn, inputsOf(each))).toBe(true);
    });
    if (each.second !== false) {
      test(`second derivative, ${each.name}`, () => {
        expect(gradgradcheck(each.fn, inputsOf(each))).toBe(true);
      });
    }
  }
});

test("every op has a case, or is known to have no gradient", () => {
  const covered = new Set(cases.map((each) => each.op));
  const missing = [...Object.keys(ops), ...Object.keys(joining)].filter(
    (name) => !covered.has(name) && !withoutGradient.has(name) && !castsAway.has(name),
  );
  expect(missing).toEqual([]);
});
