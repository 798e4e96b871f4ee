/** Networks that live on a GPU are exported from there, and imported ones go there. */
import { expect, test } from "vitest";
import { networks } from "../../../examples/models.js";
import { exportOnnx, importOnnx, nn, randn, type Tensor, webgpu } from "../../../src/index.js";
import { describeOnGpu } from "../../kernels/webgpu/gpu.js";
import { asFound, expectSame, runOnnx } from "./support.js";

describeOnGpu("on a GPU", async () => {
  await webgpu.init();

  test("exported from there, and imported to there", async () => {
    const model = networks.scratch.make().eval();
    const x = randn([2, 1, 28, 28]);
    const expected = model.forward(x);
    model.to("webgpu");
    const bytes = await exportOnnx(model, x.to("webgpu"));
    await expectSame(await runOnnx(bytes, [x]), expected);
    const imported = (await importOnnx(bytes)).to("webgpu");
    const output = await (imported.forward(x.to("webgpu")) as Tensor).cpu();
    await expectSame(asFound(output), expected);
  });

  test("running statistics stay what they were", async () => {
    const layer = new nn.BatchNorm1d(3).to("webgpu");
    await exportOnnx(layer, randn([4, 3]).to("webgpu"), { training: true });
    expect(await layer.runningMean?.toArray()).toEqual([0, 0, 0]);
    expect(await layer.numBatchesTracked?.item()).toBe(0);
  });
});
