import { expect, test } from "vitest";
import { runExample } from "./runExample.js";

test("cnnumpy: LeNet-5 learns, and im2col by indices agrees with the built-in layers", async () => {
  const { below, text, files } = await runExample("cnnumpy");
  const differences = below("── im2col and col2im").map((line) => Number(line.split(" ").at(-1)));
  expect(differences).toHaveLength(5);
  for (const each of differences) expect(each).toBeLessThanOrEqual(2e-6);
  expect(text).toMatch(/^parameters +61,706$/m);
  expect(text).toMatch(/^epoch 1\/1 100% \| loss /m);
  const accuracy = Number(/^test accuracy: ([\d.]+) %/m.exec(text)?.[1]);
  expect(accuracy).toBeGreaterThan(75);
  expect(text).toMatch(/^validation accuracy: [\d.]+ % \(\d+ of 1000\)$/m);
  expect(files).toEqual(["loss.svg"]);
});
