/** Every layer and loss against PyTorch, forward and backward, on a GPU. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, test } from "vitest";
import { setDefaultDevice } from "../../src/index.js";
import { describeOnGpu } from "../kernels/webgpu/gpu.js";
import { isLayerWithoutFloat64, type LayerCase, runLayerCase } from "./layerCase.js";

const file = readFileSync(new URL("../golden/layers/layers.json", import.meta.url), "utf8");
const cases = (JSON.parse(file) as LayerCase[]).filter(isLayerWithoutFloat64);

describeOnGpu("layers on a GPU", () => {
  beforeAll(() => setDefaultDevice("webgpu"));
  afterAll(() => setDefaultDevice("cpu"));

  test.each(cases.map((each) => [`${each.layer}: ${each.name}`, each] as const))("%s", (_, each) => runLayerCase(each));
});
