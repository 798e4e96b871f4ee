import { expect, test } from "vitest";
import { runExample } from "./runExample.js";

test("workers: any number of them gives the same batches", async () => {
  const { below } = await runExample("workers");
  const found = below("Time for a pass").map((line) => line.trim().split(/ {2,}/));
  expect(found.slice(1, 4).map(([workers]) => workers)).toEqual(["none", "1", "2"]);
  const [one, two] = found.slice(2, 4).map((row) => row.at(-1));
  expect(Number(one)).toBeGreaterThan(0);
  expect(two).toBe(one);
});
