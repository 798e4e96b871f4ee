import sharp from "sharp";
import { expect, test } from "vitest";
import { runExample } from "./runExample.js";

test("dcgan: the two networks learn from each other, and samples are drawn after each epoch", async () => {
  const { text, files, read } = await runExample("dcgan");
  expect(text).toMatch(/^6 +ConvTranspose2d +\[1, 1, 28, 28\] +513$/m);
  const [, telling, drawing] = /loss of the discriminator ([\d.]+), of the generator ([\d.]+)/.exec(text) ?? [];
  // So early, telling is the easier part.
  expect(Number(telling)).toBeLessThan(1);
  expect(Number(drawing)).toBeGreaterThan(1);
  expect(files).toEqual(["epoch-0.png", "epoch-1.png", "epoch-2.png", "loss.svg"]);
  const sheets = ["epoch-0.png", "epoch-2.png"].map((file) => sharp(read(file)).stats());
  const [before, after] = (await Promise.all(sheets)).map(({ channels }) => channels[0]?.mean ?? 0);
  expect((await sharp(read("epoch-2.png")).metadata()).width).toBe(224);
  // Noise is grey; it grows darker, as digits are.
  expect(before).toBeGreaterThan(80);
  expect(after).toBeLessThan((before ?? 0) - 3);
});
