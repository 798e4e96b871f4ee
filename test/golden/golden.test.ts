/** Every op against PyTorch, on the CPU. */
import { describe, test } from "vitest";
import { goldenCases, goldenFiles } from "./golden.js";
import { runGolden } from "./runCase.js";

describe.each(goldenFiles)("%s", (file) => {
  test.each(goldenCases(file))("%s", (_, each) => runGolden(each, "cpu"));
});
