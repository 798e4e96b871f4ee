/**
 * A convolution is a matrix product: the windows of the image are laid out as columns (im2col), and the kernel is a row.
 * Its gradient for the image goes the way back (col2im), which is also the transposed convolution.
 */
import * as ort from "onnxruntime-node";
import {
  arange,
  conv2d,
  convTranspose2d,
  drawGraph,
  exportOnnx,
  fold,
  grad,
  type Tensor,
  tensor,
  unfold,
} from "tapegrad";
import { difference, rowsOf, section, startExample } from "./support/example.js";

const { save } = startExample("convolution-as-matmul", "Writes a convolution as a matrix product, and back.");

const image = arange(0, 35).reshape([1, 1, 5, 7]);
const kernel = arange(1, 10).reshape([1, 1, 3, 3]);
const padding = 1;
section("the image and the kernel");
console.log(await rowsOf(image));
console.log(await rowsOf(kernel));

section("conv2d");
const result = conv2d(image, kernel, null, { padding });
console.log(await rowsOf(result));

section("the same as plain loops");
const looped = loops((await image.squeeze().toArray()) as number[][], (await kernel.squeeze().toArray()) as number[][]);
console.log(`greatest difference: ${await difference(looped, result)}`);

section("the same as a matrix product: kernel [1, 9] times columns [9, 35]");
const columns = unfold(image, 3, { padding });
console.log(`unfold gives shape [${columns.shape.join(", ")}]`);
const product = kernel.reshape([1, 9]).matmul(columns).reshape([1, 1, 5, 7]);
console.log(`greatest difference: ${await difference(product, result)}`);

section("the way back: convTranspose2d of the result");
const back = convTranspose2d(result, kernel, null, { padding });
console.log(await rowsOf(back));

section("the same as a matrix product and fold: columns [9, 1] times [1, 35], added up into an image");
const folded = fold(kernel.reshape([9, 1]).matmul(result.reshape([1, 1, 35])), [5, 7], 3, { padding });
console.log(`greatest difference: ${await difference(folded, back)}`);

section("gradients of conv2d, for a gradient of ones");
const x = image.clone().requiresGrad_();
const w = kernel.clone().requiresGrad_();
const y = conv2d(x, w, null, { padding });
const total = y.sum();
const [xGrad, wGrad] = grad(total, [x, w], { createGraph: true }) as [Tensor, Tensor];
console.log("for the image:");
console.log(await rowsOf(xGrad));
console.log("for the kernel:");
console.log(await rowsOf(wGrad));

section("one dimension: windows of 3 over [0, 1, 2, 3, 4], padding 1");
const line = arange(0, 5).reshape([1, 1, 1, 5]);
const windows = unfold(line, [1, 3], { padding: [0, 1] })
  .reshape([3, 5])
  .transpose(0, 1);
console.log(await rowsOf(windows));
console.log('times [1, 1, 1], as numpy.convolve(mode="same"):');
console.log(await rowsOf(windows.matmul(tensor([1, 1, 1])).reshape([1, 5])));

section("the same in ONNX Runtime, from files that are written here");
// grad is traced like any other operation: the gradients become a file, too.
const conv = (image: Tensor, kernel: Tensor): Tensor => conv2d(image, kernel, null, { padding });
const subjects: Readonly<Record<string, readonly [(image: Tensor, kernel: Tensor) => unknown, Tensor]>> = {
  "convolution.onnx": [conv, image],
  "transposed.onnx": [(image, kernel) => convTranspose2d(image, kernel, null, { padding }), result],
  "gradients.onnx": [
    (image, kernel) => {
      const [x, w] = [image.requiresGrad_(), kernel.requiresGrad_()];
      const [X_grad, W_grad] = grad(conv(x, w).sum(), [x, w]);
      return { X_grad, W_grad };
    },
    image,
  ],
};
const here: readonly (readonly Tensor[])[] = [[result], [back], [xGrad, wGrad]];
for (const [index, [file, [subject, first]]] of Object.entries(subjects).entries()) {
  const bytes = await exportOnnx(subject, [first, kernel], { inputNames: ["X", "W"] });
  save(file, bytes);
  const session = await ort.InferenceSession.create(bytes);
  const feeds = { X: await fed(first), W: await fed(kernel) };
  for (const [k, { data, dims }] of Object.values(await session.run(feeds)).entries()) {
    const found = tensor(data as Float32Array, { shape: [...dims] });
    const apart = await difference(found, here[index]?.[k] ?? found);
    console.log(`${session.outputNames[k]} [${dims.join(", ")}]: difference ${apart}`);
  }
}

section("pictures of the tape");
const names = { image: x, kernel: w };
save("forward.svg", await drawGraph(y, { names }).svg());
save(
  "gradients.svg",
  await drawGraph([xGrad, wGrad], {
    names: { ...names, "gradient for image": xGrad, "gradient for kernel": wGrad },
  }).svg(),
);

/** A tensor as ONNX Runtime takes it. */
async function fed(tensor: Tensor): Promise<ort.Tensor> {
  return new ort.Tensor("float32", (await tensor.data()) as Float32Array, tensor.shape);
}

/** The definition: for each place, the sum over the window of kernel times image, which is 0 outside. */
function loops(pixels: readonly number[][], taps: readonly number[][]): Tensor {
  const out = pixels.map((row, i) =>
    row.map((_, j) => {
      let sum = 0;
      taps.forEach((tapRow, di) => {
        tapRow.forEach((tap, dj) => {
          sum += tap * (pixels[i + di - padding]?.[j + dj - padding] ?? 0);
        });
      });
      return sum;
    }),
  );
  return tensor(out).reshape([1, 1, out.length, out[0]?.length ?? 0]);
}
