import { expect, test } from "vitest";
import { formFor } from "../../../src/kernels/webgpu/product.js";
import { blocks } from "../../../src/kernels/webgpu/productBlocks.js";
import { tiles } from "../../../src/kernels/webgpu/productTiles.js";

test.each([
  ["a GPU", { isFallbackAdapter: false }, tiles],
  ["a CPU in a GPU's place", { isFallbackAdapter: true }, blocks],
  ["a device that tells nothing of itself", undefined, tiles],
])("the form of products on %s", (_, adapterInfo, form) => {
  expect(formFor({ adapterInfo })).toBe(form);
});
