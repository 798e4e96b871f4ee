import { expect, test } from "vitest";
import { runExample } from "./runExample.js";

test("shapes: where 16·6·6 comes from, the error and its cure", async () => {
  const { text, files, read } = await runExample("shapes");
  for (const row of [
    /^0 +Conv2d +\[1, 6, 30, 30\] +60$/m,
    /^2 +MaxPool2d +\[1, 6, 15, 15\] +0$/m,
    /^3 +Conv2d +\[1, 16, 13, 13\] +880$/m,
    /^5 +MaxPool2d +\[1, 16, 6, 6\] +0$/m,
    /^7 +Linear +\[1, 120\] +69,240$/m,
    /^11 +Linear +\[1, 10\] +850$/m,
    /^parameters +81,194$/m,
  ]) {
    expect(text).toMatch(row);
  }
  expect(text).toMatch(
    /ShapeError: Sequential\.7: Linear\(inFeatures=400, .*got 576 features .*expected 400, .*new nn\.Linear\(576, 120\), or new nn\.LazyLinear\(120\)/,
  );
  expect(text).toContain("output [1, 10]\nLazyLinear(inFeatures=576, outFeatures=120, bias=true)");
  expect(files).toEqual(["network.svg"]);
  expect(read("network.svg").toString()).toContain("[1, 16, 6, 6]");
});
