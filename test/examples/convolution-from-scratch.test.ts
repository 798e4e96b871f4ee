import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { runExample } from "./runExample.js";

test("convolution-from-scratch: all ways agree, and both layers learn the same", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tapegrad-photo-"));
  const image = join(folder, "photo.jpg");
  await sharp({ create: { width: 50, height: 40, channels: 3, background: "#336699" } })
    .jpeg()
    .toFile(image);
  const { below, files, text, read } = await runExample("convolution-from-scratch", "--image", image);
  rmSync(folder, { recursive: true });
  expect(text).toContain("photo.jpg of 50×40 pixels");

  const rows = below("── the same convolution four ways").slice(1);
  expect(rows).toHaveLength(5);
  for (const row of rows) {
    expect(row).toMatch(/ [\d.]+ m?s +\de[-+]\d+$/);
    expect(Number(row.split(/\s+/).at(-1))).toBeLessThanOrEqual(1e-6);
  }
  expect(Number(/shape \[1, 3, 19, 24\], difference (.*)/.exec(text)?.[1])).toBeLessThanOrEqual(1e-6);

  // They begin with the same weights, and see the same batches.
  const [builtIn, own] = [...text.matchAll(/epoch 1: loss ([\d.]+), accuracy ([\d.]+) %/g)];
  expect(Number(own?.[1])).toBeCloseTo(Number(builtIn?.[1]), 2);
  expect(files).toEqual(["accuracy.svg", "filters.svg", "loss.svg"]);
  expect(read("accuracy.svg").toString()).toContain("time of training (s)");
  expect(read("filters.svg").toString()).toContain("edge detect");
});
