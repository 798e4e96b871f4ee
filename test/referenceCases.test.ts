/** The systems that this library grew out of: their exact inputs, and the results that they must give. */
import { describe, expect, test } from "vitest";
import {
  arange,
  asStrided,
  conv2d,
  convTranspose2d,
  fold,
  linear,
  manualSeed,
  matmul,
  maxPool2d,
  ones,
  pad,
  rand,
  randn,
  relu,
  ShapeError,
  type Tensor,
  tensor,
  unfold,
  zeros,
} from "../src/index.js";

/** The largest difference between two tensors of one shape. */
function distance(a: Tensor, b: Tensor): number {
  expect(a.shape).toEqual(b.shape);
  return a.sub(b).abs().amax().itemSync();
}

describe("convolution as a matrix product", () => {
  const data = arange(35).reshape([1, 1, 5, 7]).float();
  const kernel = arange(1, 10).reshape([1, 1, 3, 3]).float();
  const convolved = [
    [134, 211, 250, 289, 328, 367, 238],
    [333, 492, 537, 582, 627, 672, 423],
    [564, 807, 852, 897, 942, 987, 612],
    [795, 1122, 1167, 1212, 1257, 1302, 801],
    [422, 571, 592, 613, 634, 655, 382],
  ];
  const spread = [
    [2672, 5379, 6804, 7659, 8514, 8403, 6254],
    [8117, 15408, 18909, 20790, 22671, 21780, 15539],
    [14868, 27315, 32400, 34425, 36450, 34191, 23922],
    [20039, 35544, 41283, 43164, 45045, 41508, 28325],
    [18608, 32055, 36756, 38151, 39546, 35943, 23966],
  ];

  test("conv2d", () => {
    expect(conv2d(data, kernel, null, { padding: 1 }).toArraySync()).toEqual([[convolved]]);
  });

  test("plain loops", () => {
    const [pixels, taps] = [data.dataSync(), kernel.dataSync()];
    const result = Array.from({ length: 5 }, (_, y) =>
      Array.from({ length: 7 }, (_, x) => {
        let sum = 0;
        for (let ky = 0; ky < 3; ky++) {
          for (let kx = 0; kx < 3; kx++) {
            const [row, column] = [y + ky - 1, x + kx - 1];
            const inside = row >= 0 && row < 5 && column >= 0 && column < 7;
            if (inside) sum += Number(pixels[row * 7 + column]) * Number(taps[ky * 3 + kx]);
          }
        }
        return sum;
      }),
    );
    expect(result).toEqual(convolved);
  });

  test("the flat kernel times the columns of unfold", () => {
    const columns = unfold(data, 3, { padding: 1 });
    expect(columns.shape).toEqual([1, 9, 35]);
    expect(matmul(kernel.flatten(), columns).reshape([5, 7]).toArraySync()).toEqual(convolved);
  });

  test("convTranspose2d of the result", () => {
    const result = tensor([[convolved]]);
    expect(convTranspose2d(result, kernel, null, { padding: 1 }).toArraySync()).toEqual([[spread]]);
  });

  test("fold of the kernel's column times the result's row", () => {
    const columns = matmul(kernel.reshape([9, 1]), tensor(convolved).reshape([1, 35]));
    expect(fold(columns, [5, 7], 3, { padding: 1 }).toArraySync()).toEqual([spread]);
  });

  test("gradients for an output gradient of ones", () => {
    const x = data.clone().requiresGrad_();
    const weight = kernel.clone().requiresGrad_();
    conv2d(x, weight, null, { padding: 1 }).backward(ones([1, 1, 5, 7]));
    expect(x.grad?.toArraySync()).toEqual([
      [
        [
          [12, 21, 21, 21, 21, 21, 16],
          [27, 45, 45, 45, 45, 45, 33],
          [27, 45, 45, 45, 45, 45, 33],
          [27, 45, 45, 45, 45, 45, 33],
          [24, 39, 39, 39, 39, 39, 28],
        ],
      ],
    ]);
    expect(weight.grad?.toArraySync()).toEqual([
      [
        [
          [312, 378, 336],
          [495, 595, 525],
          [480, 574, 504],
        ],
      ],
    ]);
  });

  test("in one dimension", () => {
    const line = arange(5).float().reshape([1, 1, 1, 5]);
    const rows = unfold(line, [1, 3], { padding: [0, 1] })
      .squeeze(0)
      .transpose(0, 1);
    expect(rows.toArraySync()).toEqual([
      [0, 0, 1],
      [0, 1, 2],
      [1, 2, 3],
      [2, 3, 4],
      [3, 4, 0],
    ]);
    expect(matmul(rows, ones([3])).toArraySync()).toEqual([1, 3, 6, 9, 7]);
  });
});

describe("the im2col lecture, channels last", () => {
  test("loops, nine matrix products, im2col by strides and conv2d agree", () => {
    manualSeed(0);
    const z = randn([10, 32, 32, 8]);
    const weight = randn([3, 3, 8, 16]);

    const builtIn = conv2d(z.permute([0, 3, 1, 2]), weight.permute([3, 2, 0, 1])).permute([0, 2, 3, 1]);
    expect(builtIn.shape).toEqual([10, 30, 30, 16]);

    let nineProducts = zeros([10, 30, 30, 16]);
    for (let ky = 0; ky < 3; ky++) {
      for (let kx = 0; kx < 3; kx++) {
        const shifted = z.slice(null, [ky, ky + 30], [kx, kx + 30]);
        nineProducts = nineProducts.add(matmul(shifted, weight.select(0, ky).select(0, kx)));
      }
    }

    const [byImage = 0, byRow = 0, byColumn = 0, byChannel = 0] = z.strides;
    const windows = asStrided(z, [10, 30, 30, 3, 3, 8], [byImage, byRow, byColumn, byRow, byColumn, byChannel]);
    const byStrides = matmul(windows.reshape([9000, 72]), weight.reshape([72, 16])).reshape([10, 30, 30, 16]);

    const loops = tensor(naiveChannelsLast(z, weight), { shape: [10, 30, 30, 16] });
    for (const result of [builtIn, nineProducts, byStrides]) expect(distance(result, loops)).toBeLessThan(1e-4);
  });

  test("im2col of a 5×5 square by strides", () => {
    const windows = asStrided(arange(25).reshape([5, 5]), [3, 3, 3, 3], [5, 1, 5, 1]);
    const matrix = windows.contiguous().reshape([9, 9]);
    expect(matrix.select(0, 0).toArraySync()).toEqual([0, 1, 2, 5, 6, 7, 10, 11, 12]);
    expect(windows.reshape([9, 9]).toArraySync()).toEqual(matrix.toArraySync());
    expect(() => windows.view([9, 9])).toThrow(
      new ShapeError(
        "view: got shape [9, 9] for a tensor of shape [3, 3, 3, 3] and strides [5, 1, 5, 1]; expected a shape that these strides " +
          "can carry without a copy. Use .reshape(), or .contiguous() before .view().",
      ),
    );
    expect(matmul(matrix, arange(9)).reshape([3, 3]).toArraySync()).toEqual([
      [312, 348, 384],
      [492, 528, 564],
      [672, 708, 744],
    ]);
  });
});

/** Seven nested loops over [N, H, W, C] and [kh, kw, C, O]. */
function naiveChannelsLast(z: Tensor, weight: Tensor): Float64Array<ArrayBuffer> {
  const [batch = 0, height = 0, width = 0, channels = 0] = z.shape;
  const [taps = 0, , , filters = 0] = weight.shape;
  const [rows, columns] = [height - taps + 1, width - taps + 1];
  const [pixels, factors] = [z.dataSync(), weight.dataSync()];
  const result = new Float64Array(batch * rows * columns * filters);
  let place = 0;
  for (let n = 0; n < batch; n++) {
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        for (let filter = 0; filter < filters; filter++, place++) {
          let sum = 0;
          for (let ky = 0; ky < taps; ky++) {
            for (let kx = 0; kx < taps; kx++) {
              for (let channel = 0; channel < channels; channel++) {
                const pixel = ((n * height + y + ky) * width + x + kx) * channels + channel;
                const factor = ((ky * taps + kx) * channels + channel) * filters + filter;
                sum += Number(pixels[pixel]) * Number(factors[factor]);
              }
            }
          }
          result[place] = sum;
        }
      }
    }
  }
  return result;
}

describe("questions people asked", () => {
  test("unfold, matmul and fold make a convolution", () => {
    manualSeed(0);
    const x = randn([1, 3, 10, 12]);
    const weight = randn([2, 3, 4, 5]);
    const products = unfold(x, [4, 5])
      .transpose(1, 2)
      .matmul(weight.reshape([2, 60]).transpose(0, 1))
      .transpose(1, 2);
    const folded = fold(products, [7, 8], 1);
    expect(folded.shape).toEqual([1, 2, 7, 8]);
    const convolved = conv2d(x, weight);
    // The two add 60 products in another order: what rounding leaves is relative to the largest sum.
    const largest = convolved.abs().max().itemSync();
    expect(distance(folded, convolved)).toBeLessThan(2e-6 * largest);
  });

  test("a circular convolution is a linear one with its tail wrapped around", () => {
    const linearConvolution = (a: Tensor, b: Tensor): Tensor => {
      const [length = 0, taps = 0] = [a.shape[0], b.shape[0]];
      const kernel = b.flip(0).reshape([1, 1, 1, taps]);
      return conv2d(a.reshape([1, 1, 1, length]), kernel, null, { padding: [0, taps - 1] }).flatten();
    };
    const circularConvolution = (a: Tensor, b: Tensor, modulus: number): Tensor => {
      const whole = linearConvolution(a, b);
      const missing = (modulus - (whole.numel() % modulus)) % modulus;
      return pad(whole, [0, missing]).reshape([-1, modulus]).sum(0);
    };
    const a = tensor([1, 2, 0, 5]);
    const b = tensor([0.5, -0.25, 1, 0, 0.75]);
    const whole = [0.5, 0.75, 0.5, 4.5, -0.5, 6.5, 0, 3.75];
    expect(linearConvolution(a, b).toArraySync()).toEqual(whole);
    expect(circularConvolution(a, b, 2).toArraySync()).toEqual([0.5 + 0.5 - 0.5 + 0, 0.75 + 4.5 + 6.5 + 3.75]);
    expect(circularConvolution(a, b, 3).toArraySync()).toEqual([0.5 + 4.5 + 0, 0.75 - 0.5 + 3.75, 0.5 + 6.5]);
    expect(circularConvolution(a, b, 5).toArraySync()).toEqual([0.5 + 6.5, 0.75, 0.5 + 3.75, 4.5, -0.5]);
    expect(circularConvolution(a, b, 8).toArraySync()).toEqual(whole);

    // Modulo 5 it is also what circular padding gives.
    const padded = pad(pad(a, [0, 1]).reshape([1, 1, 1, 5]), [4, 0], "circular");
    const byPadding = conv2d(padded, b.flip(0).reshape([1, 1, 1, 5])).flatten();
    expect(byPadding.toArraySync()).toEqual(circularConvolution(a, b, 5).toArraySync());
  });

  test("a fixed-point convolution: 8-bit factors, 32-bit sums, scaled back", () => {
    manualSeed(0);
    const x = rand([1, 3, 8, 8]).mul(2).sub(1);
    const weight = randn([4, 3, 3, 3]);
    const scaleOf = (t: Tensor): number => t.abs().amax().itemSync() / 127;
    const quantized = (t: Tensor, scale: number): Tensor => t.div(scale).add(t.sign().mul(0.5)).int();
    const [xScale, weightScale] = [scaleOf(x), scaleOf(weight)];
    const [x8, weight8] = [quantized(x, xScale), quantized(weight, weightScale)];
    for (const t of [x8, weight8]) expect(t.abs().amax().itemSync()).toBe(127);

    const columns = unfold(x8.float(), 3).int();
    const sums = matmul(weight8.reshape([4, 27]), columns);
    expect(sums.dtype).toBe("int32");
    const exact = conv2d(x8.double(), weight8.double()).int();
    expect(sums.reshape([1, 4, 6, 6]).toArraySync()).toEqual(exact.toArraySync());

    const scaledBack = sums
      .float()
      .mul(xScale * weightScale)
      .reshape([1, 4, 6, 6]);
    // Each factor is off by half a step at most, in each of the 27 products of a sum.
    const bound =
      27 * (0.5 * xScale * 127 * weightScale + 0.5 * weightScale * 127 * xScale + 0.25 * xScale * weightScale);
    const error = distance(scaledBack, conv2d(x, weight));
    expect(error).toBeLessThan(bound);
    expect(error).toBeLessThan(0.05);
    expect(error).toBeGreaterThan(1e-4);
  });

  test.each([
    ["without padding", [4, 3, 3, 3], [3, 7, 9], 0, false],
    ["with zero padding", [4, 3, 3, 3], [3, 7, 9], 1, false],
    ["with circular padding", [3, 2, 3, 3], [2, 5, 5], 1, true],
  ] as const)("a convolution is a Toeplitz matrix, %s", (_, weightShape, imageShape, padding, circular) => {
    manualSeed(0);
    const weight = randn([...weightShape]);
    const image = randn([...imageShape]);
    const matrix = toeplitz(weight, imageShape, padding, circular);
    const convolved = circular
      ? conv2d(pad(image.unsqueeze(0), [padding, padding, padding, padding], "circular"), weight)
      : conv2d(image.unsqueeze(0), weight, null, { padding });
    expect(matrix.shape).toEqual([convolved.numel(), image.numel()]);
    expect(distance(matmul(matrix, image.flatten()), convolved.flatten())).toBeLessThan(2e-5);
    // The layer whose weight is that matrix does the same to a batch.
    expect(distance(linear(image.reshape([1, -1]), matrix), convolved.flatten(1))).toBeLessThan(2e-5);
  });

  test("where 16·6·6 comes from", () => {
    let x = zeros([1, 1, 32, 32]);
    const shapes: (readonly number[])[] = [];
    for (const [filters, channels] of [
      [6, 1],
      [16, 6],
    ] as const) {
      x = relu(conv2d(x, zeros([filters, channels, 3, 3])));
      shapes.push(x.shape);
      x = maxPool2d(x, 2);
      shapes.push(x.shape);
    }
    expect(shapes).toEqual([
      [1, 6, 30, 30],
      [1, 6, 15, 15],
      [1, 16, 13, 13],
      [1, 16, 6, 6],
    ]);
    x = x.flatten(1);
    expect(x.shape).toEqual([1, 16 * 6 * 6]);
    for (const [out, inside] of [
      [120, 576],
      [84, 120],
      [10, 84],
    ] as const) {
      x = linear(x, zeros([out, inside]), zeros([out]));
    }
    expect(x.shape).toEqual([1, 10]);

    expect(() => linear(zeros([1, 400]), zeros([120, 576]), zeros([120]))).toThrow(
      new ShapeError(
        "linear: got 400 features in the last axis of the input, which has shape [1, 400]; expected 576, for a weight of shape [120, 576]. " +
          "Reshape or flatten the input to 576 features, or make the layer new nn.Linear(400, 120), or new nn.LazyLinear(120), which infers it.",
      ),
    );
  });
});

/** The matrix B with conv2d(image, weight).flatten() = B · image.flatten(), for stride 1. */
function toeplitz(
  weight: Tensor,
  [, height, width]: readonly [number, number, number],
  padding: number,
  circular: boolean,
): Tensor {
  const [filters = 0, channels = 0, taps = 0] = weight.shape;
  const factors = weight.dataSync();
  const [rows, columns] = [height + 2 * padding - taps + 1, width + 2 * padding - taps + 1];
  const size = channels * height * width;
  const matrix = new Float32Array(filters * rows * columns * size);
  let factor = 0;
  for (let filter = 0; filter < filters; filter++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let ky = 0; ky < taps; ky++) {
        for (let kx = 0; kx < taps; kx++, factor++) {
          for (let y = 0; y < rows; y++) {
            for (let x = 0; x < columns; x++) {
              let [inY, inX] = [y + ky - padding, x + kx - padding];
              if (circular) [inY, inX] = [(inY + height) % height, (inX + width) % width];
              if (inY < 0 || inY >= height || inX < 0 || inX >= width) continue;
              const row = (filter * rows + y) * columns + x;
              matrix[row * size + (channel * height + inY) * width + inX] = Number(factors[factor]);
            }
          }
        }
      }
    }
  }
  return tensor(matrix, { shape: [filters * rows * columns, size] });
}
