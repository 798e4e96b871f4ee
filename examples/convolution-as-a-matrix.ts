/**
 * A convolution is linear, so it has a matrix: for every element of the output a row, in which the kernel stands where it
 * reads the input. The Toeplitz matrix is looked at, and put into an nn.Linear that gives the same numbers.
 */
import * as Plot from "@observablehq/plot";
import { conv2d, manualSeed, nn, pad, randn, type Tensor, tensor } from "tapegrad";
import { difference, rowsOf, section, startExample } from "./support/example.js";
import { diverging, pngAddress } from "./support/pictures.js";
import { plot } from "./support/plots.js";

const { save } = startExample("convolution-as-a-matrix", "Draws the matrix of a convolution, and computes with it.");
manualSeed(0);

/** Compares a convolution with its linear layer on an image, and draws the matrix. */
async function show(
  file: string,
  title: string,
  conv: nn.Conv2d,
  inputShape: readonly [number, number, number],
): Promise<void> {
  section(title);
  const linear = nn.utils.convToLinear(conv, inputShape);
  const x = randn([1, ...inputShape]);
  const output = conv.forward(x);
  const byMatrix = linear.weight.matmul(x.flatten());
  const [rows = 0, columns = 0] = linear.weight.shape;
  const zeros = await linear.weight.eq(0).sum().item();
  console.log(`input [${inputShape.join(", ")}], output [${output.shape.slice(1).join(", ")}]`);
  console.log(`matrix of ${rows}×${columns}, ${((100 * zeros) / (rows * columns)).toFixed(1)} % zeros`);
  console.log(`matrix · x: greatest difference ${(await difference(byMatrix, output.flatten())).toExponential(0)}`);
  console.log(
    `nn.Linear: greatest difference ${(await difference(linear.forward(x.flatten(1)), output.flatten(1))).toExponential(0)}`,
  );
  const scale = Math.floor(600 / columns);
  const picture = diverging((await linear.weight.toArray()) as number[][]);
  const [channels, height, width] = inputShape;
  const [, outChannels, outHeight, outWidth] = output.shape;
  save(
    file,
    plot({
      width: 80 + columns * scale,
      height: 92 + rows * scale,
      marginLeft: 60,
      marginTop: 50,
      marginRight: 20,
      x: {
        label: `element of the input (${channels}·${height}·${width})`,
        domain: [0, columns],
        axis: "top",
      },
      y: { label: `element of the output (${outChannels}·${outHeight}·${outWidth})`, domain: [rows, 0] },
      marks: [
        Plot.image([picture], {
          x: columns / 2,
          y: rows / 2,
          width: columns * scale,
          height: rows * scale,
          src: pngAddress,
          imageRendering: "pixelated",
          preserveAspectRatio: "none",
        }),
        Plot.frame(),
      ],
    }),
  );
}

await show(
  "zeros.svg",
  "zero padding: a 4×3×3×3 kernel on a 3×7×9 image (red: negative, blue: positive, white: 0)",
  new nn.Conv2d(3, 4, 3, { padding: 1, bias: false }),
  [3, 7, 9],
);
await show(
  "circular.svg",
  "circular padding: a 3×2×3×3 kernel on a 2×5×5 image",
  new nn.Conv2d(2, 3, 3, { padding: 1, paddingMode: "circular", bias: false }),
  [2, 5, 5],
);

section("a matrix to read: the kernel [1, 2, 3] over five elements, padding 1, with zeros and circular");
for (const paddingMode of ["zeros", "circular"] as const) {
  const conv = new nn.Conv2d(1, 1, [1, 3], { padding: [0, 1], paddingMode, bias: false });
  conv.weight = new nn.Parameter(tensor([[[[1, 2, 3]]]]));
  console.log(await rowsOf(nn.utils.convToLinear(conv, [1, 1, 5]).weight));
  console.log();
}

section("convolution modulo N is the linear convolution with its tail wrapped around");
const [signal, kernel] = [tensor([1, 2, 0, 5]), tensor([0.5, -0.25, 1, 0, 0.75])];

/** The convolution of signals, whose kernel is turned around, unlike in networks; `x` reaches as far as it is padded. */
function slide(x: Tensor, h: Tensor): Tensor {
  return conv2d(x.reshape([1, 1, 1, -1]), h.flip(0).reshape([1, 1, 1, -1])).flatten();
}

/** Sums of what lies N apart. */
function wrapped(x: Tensor, n: number): Tensor {
  const rows = Math.ceil(x.numel() / n);
  return pad(x, [0, rows * n - x.numel()])
    .reshape([rows, n])
    .sum(0);
}

const linear = slide(pad(signal, [kernel.numel() - 1, kernel.numel() - 1]), kernel);
console.log(`linear: ${await rowsOf(linear, 2)}`);
for (const n of [2, 3, 4, 6, 8]) {
  const circular = slide(pad(wrapped(signal, n), [n - 1, 0], "circular"), wrapped(kernel, n));
  const apart = await difference(circular, wrapped(linear, n));
  console.log(`modulo ${n}: ${await rowsOf(circular, 2)}, difference from the wrapped one ${apart.toExponential(0)}`);
}
