import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { page, pagePath } from "./pytorchNames.js";

test("docs/pytorch-names.md is what the exports say; npm run docs:names writes it anew", () => {
  expect(readFileSync(pagePath, "utf8")).toBe(page());
});
