import { expect, test } from "vitest";
import { runExample } from "./runExample.js";

test("l1-penalty prints reference case 5: weights explode, or become exactly zero", async () => {
  const { below, files, text, read } = await runExample("l1-penalty");
  const rows = below("── weights after")
    .filter((line) => /optimizer {3}|loss {3}/.test(line))
    .map((line) => line.trim().split(/ {2,}/));
  expect(rows.map(([lambda, way]) => [lambda, way])).toEqual(
    ["0", "0.2", "1000"].flatMap((lambda) => [
      [lambda, "added to the loss"],
      [lambda, "l1 of the optimizer"],
    ]),
  );
  const weights = rows.map((row) => row.slice(2, 7).map(Number));
  const coefficients = [10, -12, 2, 11, -0.25];
  for (const found of weights.slice(0, 2)) {
    found.forEach((weight, k) => {
      expect(weight).toBeCloseTo(coefficients[k] ?? 0, 2);
    });
  }
  // Only the small one is zero, and exactly so.
  expect(rows[3]?.slice(2, 7).map((weight) => weight === "0")).toEqual([false, false, false, false, true]);
  expect(Number(rows[4]?.[7])).toBeGreaterThan(20);
  expect(rows[5]?.slice(2)).toEqual(["0", "0", "0", "0", "0", "0.00"]);
  const [first, second] = [...text.matchAll(/(\d+) of \d+ weights are exactly 0/g)].map(([, count]) => Number(count));
  expect(first).toBeGreaterThan(5);
  expect(second).toBe(0);
  expect(files).toEqual(["lambda-0.2.svg", "lambda-0.svg", "lambda-1000.svg"]);
  expect(read("lambda-1000.svg").toString()).toContain("all 0");
});
