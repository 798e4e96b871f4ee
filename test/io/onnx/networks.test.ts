/** The networks of examples/networks in evaluation: ONNX Runtime gives what they give, and so does the file when it is read again. */
import { describe, expect, test } from "vitest";
import { exportOnnx, importOnnx, noGrad, randn } from "../../../src/index.js";
import { cases, isLarge, prepare } from "../../examples/networkCase.js";
import { asFound, expectSame, runOnnx } from "./support.js";

describe.each(cases.filter((each) => !isLarge(each)).map((each) => [each.name, each] as const))("%s", (_, each) => {
  test("in ONNX Runtime, for batches of any size", async () => {
    const { model, images } = prepare(each);
    // Running statistics that are not those of a new network.
    noGrad(() => void model.forward(images));
    model.eval();
    const bytes = await exportOnnx(model, images);
    const imported = await importOnnx(bytes);
    const [, ...image] = each.shape;
    for (const x of [images, randn([3, ...image])]) {
      const expected = noGrad(() => model.forward(x));
      await expectSame(await runOnnx(bytes, [x]), expected, 1e-4);
      await expectSame(asFound(noGrad(() => imported.forward(x))), expected, 1e-4);
    }
    expect(imported.parameters().length).toBeGreaterThan(0);
  });
});
