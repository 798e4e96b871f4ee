import { expect, test } from "vitest";
import { numbersIn, runExample } from "./runExample.js";

test("convolution-as-a-matrix: the matrix gives what the convolution gives", async () => {
  const { below, text, files, read } = await runExample("convolution-as-a-matrix");
  expect(text).toContain("matrix of 252×189, 88.0 % zeros");
  expect(text).toContain("matrix of 75×50, 64.0 % zeros");
  const differences = [...text.matchAll(/greatest difference (.*)/g)].map(([, number]) => Number(number));
  expect(differences).toHaveLength(4);
  for (const each of differences) expect(each).toBeLessThanOrEqual(2e-6);
  expect(numbersIn(below("── a matrix to read"))).toEqual([
    [2, 3, 0, 0, 0],
    [1, 2, 3, 0, 0],
    [0, 1, 2, 3, 0],
    [0, 0, 1, 2, 3],
    [0, 0, 0, 1, 2],
  ]);
  const wrapped = below("── convolution modulo N");
  // Modulo 2: the sum of even places, and that of odd places.
  expect(wrapped[1]).toBe("modulo 2: [ 0.50 15.50], difference from the wrapped one 0e+0");
  expect(wrapped.slice(1).every((line) => line.endsWith(" 0e+0"))).toBe(true);
  expect(files).toEqual(["circular.svg", "zeros.svg"]);
  expect(read("zeros.svg").toString()).toContain("element of the input (3·7·9)");
});
