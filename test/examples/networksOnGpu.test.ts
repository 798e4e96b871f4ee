/** The small forms of the networks of examples/networks give PyTorch's outputs, gradients and losses on a GPU. */
import { webgpu } from "tapegrad";
import { test } from "vitest";
import { describeOnGpu } from "../kernels/webgpu/gpu.js";
import { cases, expectDigests, expectPass, expectTraining, isLarge, moved, prepare } from "./networkCase.js";

const small = cases.filter((each) => !isLarge(each) && !each.name.endsWith("larger images"));

describeOnGpu("on a GPU", async () => {
  await webgpu.init();

  test.each(small.map((each) => [each.name, each] as const))("%s", async (_, each) => {
    const prepared = moved(prepare(each), "webgpu");
    const { model } = prepared;
    await expectPass(prepared, each.training);
    const buffers = model.namedBuffers().filter(([, { dtype }]) => dtype === "float32");
    await expectDigests(each.buffers, buffers);
    model.eval();
    await expectPass(prepared, each.evaluation);
    await expectTraining(prepared, { lr: each.lr, losses: each.losses.slice(0, 2) });
  });
});
