import { expect, test } from "vitest";
import { absent } from "./gpu.js";

// Where the checks of the repository run, suites that are skipped would say nothing.
test.runIf(process.env.CI)("there is a GPU where the repository is checked", () => {
  expect(absent).toBeNull();
});
