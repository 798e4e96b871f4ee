import { expect, test } from "vitest";
import { numbersIn, runExample } from "./runExample.js";

test("im2col-lecture prints reference case 3, and all ways agree", async () => {
  const { below, text, files } = await runExample("im2col-lecture");
  expect(text).toMatch(/ShapeError: view: got .*\.reshape\(.*\.contiguous\(\)/);
  const rows = numbersIn(below("reshape copies"));
  expect(rows[0]).toEqual([0, 1, 2, 5, 6, 7, 10, 11, 12]);
  expect(text).toContain("it is the same: true");
  expect(rows.slice(-3)).toEqual([
    [312, 348, 384],
    [492, 528, 564],
    [672, 708, 744],
  ]);
  const ways = below("── a convolution of").slice(1, -1);
  expect(ways.map((row) => row.split(/ {2,}/)[0])).toEqual([
    "loops",
    "nine matrix products",
    "im2col by strides",
    "built-in conv2d",
  ]);
  for (const row of ways) expect(Number(row.split(/\s+/).at(-1))).toBeLessThanOrEqual(2e-6);
  const errors = below("── the same in fixed point").slice(1);
  expect(errors).toHaveLength(2);
  for (const line of errors) {
    const [greatest, typical] = [...line.matchAll(/\(([\d.]+) %\)/g)].map(([, percent]) => Number(percent));
    expect(greatest).toBeGreaterThan(0);
    expect(greatest).toBeLessThan(3);
    expect(typical).toBeLessThan(0.7);
  }
  expect(files).toEqual(["times.svg"]);
});
