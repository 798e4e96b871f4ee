/**
 * Why convolutions become matrix products: the same one as loops, as nine products, as one product over a strided view,
 * and built in, each timed; at last in whole numbers of 8 bits.
 */
import * as Plot from "@observablehq/plot";
import {
  arange,
  asStrided,
  conv2d,
  manualSeed,
  noGrad,
  pad,
  randn,
  ShapeError,
  type Tensor,
  tensor,
  unfold,
} from "tapegrad";
import { difference, milliseconds, rowsOf, section, startExample, table, timeOf } from "./support/example.js";
import { plot } from "./support/plots.js";

const { options, save } = startExample(
  "im2col-lecture",
  "Times a convolution as loops, as matrix products and built in.",
);
manualSeed(0);

// --- a view that holds every window -------------------------------------------------------------------------------

section("0…24 as 5×5, seen through strides [5, 1, 5, 1] as [3, 3, 3, 3]: all windows, and no copy");
const small = arange(0, 25).reshape([5, 5]);
const windows = asStrided(small, [3, 3, 3, 3], [5, 1, 5, 1]);
console.log("view without contiguous:");
try {
  windows.view([9, 9]);
} catch (error) {
  if (!(error instanceof ShapeError)) throw error;
  console.log(`  ${error.name}: ${error.message}`);
}
console.log("reshape copies:");
const matrix = windows.reshape([9, 9]);
console.log(await rowsOf(matrix));
console.log(
  `made contiguous and viewed, it is the same: ${(await difference(windows.contiguous().view([9, 9]), matrix)) === 0}`,
);
console.log("times 0…8, the kernel:");
console.log(await rowsOf(matrix.matmul(arange(0, 9)).reshape([3, 3])));

// --- timings ------------------------------------------------------------------------------------------------------

// N, H, W, C and h, w, C, O: channels last, as in the lecture.
const [batch, height, width, channels] = options.quick ? [2, 12, 12, 8] : [10, 32, 32, 8];
const [kernelHeight, kernelWidth, outChannels] = [3, 3, 16];
const [outHeight, outWidth] = [height - kernelHeight + 1, width - kernelWidth + 1];
const images = randn([batch, height, width, channels]);
const weight = randn([kernelHeight, kernelWidth, channels, outChannels]);

/** Seven loops over plain arrays. */
function loops(x: Float32Array, w: Float32Array): Tensor {
  const out = new Float32Array(batch * outHeight * outWidth * outChannels);
  let at = 0;
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++) {
        for (let o = 0; o < outChannels; o++) {
          let sum = 0;
          for (let c = 0; c < channels; c++) {
            for (let di = 0; di < kernelHeight; di++) {
              for (let dj = 0; dj < kernelWidth; dj++) {
                const pixel = x[((n * height + i + di) * width + j + dj) * channels + c] ?? 0;
                sum += pixel * (w[((di * kernelWidth + dj) * channels + c) * outChannels + o] ?? 0);
              }
            }
          }
          out[at++] = sum;
        }
      }
    }
  }
  return tensor(out, { shape: [batch, outHeight, outWidth, outChannels] });
}

/** A matrix product for each tap of the kernel. */
function nineProducts(x: Tensor, w: Tensor): Tensor {
  let sum: Tensor | null = null;
  for (let i = 0; i < kernelHeight; i++) {
    for (let j = 0; j < kernelWidth; j++) {
      const part = x.slice(null, [i, i + outHeight], [j, j + outWidth]).matmul(w.slice(i, j));
      sum = sum === null ? part : sum.add_(part);
    }
  }
  return sum ?? x;
}

/** One matrix product: a view with every window, laid out as rows. */
function im2col(x: Tensor, w: Tensor): Tensor {
  const [ofImage = 0, ofRow = 0, ofColumn = 0, ofChannel = 0] = x.strides;
  const view = asStrided(
    x,
    [batch, outHeight, outWidth, kernelHeight, kernelWidth, channels],
    [ofImage, ofRow, ofColumn, ofRow, ofColumn, ofChannel],
  );
  const inner = kernelHeight * kernelWidth * channels;
  return view
    .reshape([-1, inner])
    .matmul(w.reshape([inner, outChannels]))
    .reshape([batch, outHeight, outWidth, outChannels]);
}

section(
  `a convolution of ${batch}×${height}×${width}×${channels} with ${kernelHeight}×${kernelWidth}×${channels}×${outChannels}, median times`,
);
const [plainImages, plainWeight] = [(await images.data()) as Float32Array, (await weight.data()) as Float32Array];
const [imagesFirst, weightFirst] = [
  images.permute([0, 3, 1, 2]).contiguous(),
  weight.permute([3, 2, 0, 1]).contiguous(),
];
const wanted = conv2d(imagesFirst, weightFirst).permute([0, 2, 3, 1]);
const repeats = options.quick ? 2 : 30;
/** What it is, how it goes, and what the lecture measured in numpy and PyTorch. */
const ways: readonly (readonly [name: string, way: () => Tensor, lecture: number])[] = [
  ["loops", () => loops(plainImages, plainWeight), 10_900],
  ["nine matrix products", () => nineProducts(images, weight), 6.56],
  ["im2col by strides", () => im2col(images, weight), 4.32],
  ["built-in conv2d", () => conv2d(imagesFirst, weightFirst), 2.06],
];
/** One time, for the picture. */
interface Bar {
  readonly way: string;
  readonly where: string;
  readonly time: number;
}
const bars: Bar[] = [];
const rows = [["way", "here", "in the lecture", "difference"]];
for (const [name, way, lecture] of ways) {
  const result = noGrad(way);
  const apart = await difference(name === "built-in conv2d" ? result.permute([0, 2, 3, 1]) : result, wanted);
  const time = await timeOf(() => noGrad(way), repeats);
  rows.push([name, milliseconds(time), milliseconds(lecture), apart.toExponential(0)]);
  bars.push({ way: name, where: "here", time });
  // With less to do, the lecture's times are not those of the same work.
  if (!options.quick) bars.push({ way: name, where: "in the lecture", time: lecture });
}
console.log(table(rows));
save(
  "times.svg",
  plot({
    width: 720,
    height: 320,
    marginLeft: 140,
    marginRight: 130,
    marginTop: 10,
    x: { label: "time (ms)", type: "log", grid: true, tickFormat: String },
    y: { axis: null },
    fy: { label: null, axis: "left", domain: ways.map(([name]) => name), padding: 0.3 },
    color: { domain: ["here", "in the lecture"], range: ["#1f77b4", "#9aa7b4"] },
    marks: [
      Plot.dot(bars, { fy: "way", y: "where", x: "time", fill: "where", r: 5 }),
      Plot.text(bars, {
        fy: "way",
        y: "where",
        x: "time",
        text: ({ time, where }: Bar) => `${milliseconds(time)} ${where}`,
        textAnchor: "start",
        dx: 9,
      }),
    ],
  }),
);

// --- whole numbers ------------------------------------------------------------------------------------------------

/** Whole numbers of 8 bits, and what each stands for in multiples of: one scale for all, or one for each row. */
interface Quantized {
  readonly values: Int8Array;
  readonly scales: readonly number[];
}

/** Rounds the rows of a matrix to −127…127, where 127 stands for the greatest absolute value of the row. */
async function quantize(matrix: Tensor, perRow: boolean): Promise<Quantized> {
  const [count = 1, width = 1] = perRow ? matrix.shape : [1, matrix.numel()];
  const greatest = await matrix.abs().reshape([count, width]).amax(1).data();
  const scales = Array.from(greatest, (value) => value / 127 || 1);
  const numbers = await matrix.data();
  return {
    values: Int8Array.from(numbers, (value, k) => Math.round(value / (scales[Math.floor(k / width)] ?? 1))),
    scales,
  };
}

/** A matrix product of 8-bit numbers [rows, inner] · [inner, columns] with sums of 32 bits, scaled back at the end. */
function multiply(left: Quantized, right: Quantized, columns: number): Float32Array {
  const inner = right.values.length / columns;
  const rowCount = left.values.length / inner;
  const out = new Float32Array(rowCount * columns);
  const sums = new Int32Array(columns);
  for (let row = 0; row < rowCount; row++) {
    sums.fill(0);
    for (let k = 0; k < inner; k++) {
      const factor = left.values[row * inner + k] ?? 0;
      for (let j = 0; j < columns; j++) sums[j] = ((sums[j] ?? 0) + factor * (right.values[k * columns + j] ?? 0)) | 0;
    }
    const scale = (left.scales[row] ?? left.scales[0] ?? 1) * (right.scales[0] ?? 1);
    for (let j = 0; j < columns; j++) out[row * columns + j] = (sums[j] ?? 0) * scale;
  }
  return out;
}

section("the same in fixed point: weights and inputs of 8 bits, sums of 32 bits, through im2col");
const image = imagesFirst.narrow(0, 0, 1);
const padded = pad(image, [1, 1, 1, 1]);
const columns = unfold(padded, [kernelHeight, kernelWidth]).squeeze(0);
const filterRows = weightFirst.reshape([outChannels, -1]);
const float = conv2d(image, weightFirst, null, { padding: 1 }).reshape([outChannels, -1]);
const range = await float.abs().max().item();
console.log(`greatest absolute value of the result in float32: ${range.toFixed(2)}`);
for (const [name, perChannel] of [
  ["one scale for all weights", false],
  ["a scale for each output channel", true],
] as const) {
  const product = multiply(await quantize(filterRows, perChannel), await quantize(columns, false), height * width);
  const error = tensor(product, { shape: [outChannels, height * width] }).sub(float);
  const [most, typical] = [await error.abs().max().item(), Math.sqrt(await error.square().mean().item())];
  const percent = (value: number): string => `${((100 * value) / range).toFixed(2)} %`;
  console.log(
    `${name}: greatest error ${most.toFixed(3)} (${percent(most)}), root mean square ${typical.toFixed(3)} (${percent(typical)})`,
  );
}
