import { expect, test } from "vitest";
import { runExample } from "./runExample.js";

test("denoise: both networks take noise away", async () => {
  const { below, files, read } = await runExample("denoise");
  const found = below("other digits").map((line) => line.trim().split(/ {2,}/));
  expect(found.slice(1, 4).map(([name]) => name)).toEqual(["noisy", "patches", "U-Net"]);
  const [noisy = 0, patches = 0, unet = 0] = found.slice(1, 4).map((row) => Number(row.at(-1)));
  // Noise of 0.5 against 1.
  expect(noisy).toBeCloseTo(6.02, 1);
  expect(patches).toBeGreaterThan(noisy + 5);
  expect(unet).toBeGreaterThan(noisy + 3);
  expect(files).toEqual(["digits.svg", "learning.svg"]);
  expect(read("learning.svg").toString()).toContain("images seen");
});
