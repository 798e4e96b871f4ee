import { expect, test } from "vitest";
import { numbersIn, runExample } from "./runExample.js";

test("convolution-as-matmul prints reference case 1", async () => {
  const { below, files, read, text } = await runExample("convolution-as-matmul");
  expect(numbersIn(below("── conv2d"))).toEqual([
    [134, 211, 250, 289, 328, 367, 238],
    [333, 492, 537, 582, 627, 672, 423],
    [564, 807, 852, 897, 942, 987, 612],
    [795, 1122, 1167, 1212, 1257, 1302, 801],
    [422, 571, 592, 613, 634, 655, 382],
  ]);
  expect(text).toContain("unfold gives shape [1, 9, 35]");
  expect(numbersIn(below("── the way back"))).toEqual([
    [2672, 5379, 6804, 7659, 8514, 8403, 6254],
    [8117, 15408, 18909, 20790, 22671, 21780, 15539],
    [14868, 27315, 32400, 34425, 36450, 34191, 23922],
    [20039, 35544, 41283, 43164, 45045, 41508, 28325],
    [18608, 32055, 36756, 38151, 39546, 35943, 23966],
  ]);
  expect(numbersIn(below("── gradients"))).toEqual([
    [12, 21, 21, 21, 21, 21, 16],
    [27, 45, 45, 45, 45, 45, 33],
    [27, 45, 45, 45, 45, 45, 33],
    [27, 45, 45, 45, 45, 45, 33],
    [24, 39, 39, 39, 39, 39, 28],
    [312, 378, 336],
    [495, 595, 525],
    [480, 574, 504],
  ]);
  expect(numbersIn(below("── one dimension"))).toEqual([
    [0, 0, 1],
    [0, 1, 2],
    [1, 2, 3],
    [2, 3, 4],
    [3, 4, 0],
    [1, 3, 6, 9, 7],
  ]);
  expect(text.match(/greatest difference: .*/g)).toEqual(Array(3).fill("greatest difference: 0"));
  const inOnnxRuntime = below("── the same in ONNX Runtime").filter((line) => !line.startsWith("written"));
  expect(inOnnxRuntime).toEqual([
    "output [1, 1, 5, 7]: difference 0",
    "output [1, 1, 5, 7]: difference 0",
    "X_grad [1, 1, 5, 7]: difference 0",
    "W_grad [1, 1, 3, 3]: difference 0",
  ]);
  expect(files).toEqual(["convolution.onnx", "forward.svg", "gradients.onnx", "gradients.svg", "transposed.onnx"]);
  expect(read("forward.svg").toString()).toContain("conv2d");
  expect(read("gradients.svg").toString()).toContain("conv2dWeightGrad");
});
