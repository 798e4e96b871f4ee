import { describe, expect, expectTypeOf, it } from "vitest";
import {
  ArgumentError,
  DTypeError,
  data,
  memoryStats,
  randn,
  ShapeError,
  type Tensor,
  tensor,
} from "../../src/index.js";

const { compose, normalize, toTensor } = data.transforms;

describe("toTensor", () => {
  it("turns bytes [row, column, channel] into values 0 … 1 [channel, row, column]", () => {
    const image = { data: Uint8Array.of(0, 255, 51, 102, 1, 254), width: 1, height: 2, channels: 3 };
    const x = toTensor()(image);
    expect(x.shape).toEqual([3, 2, 1]);
    expect(x.dtype).toBe("float32");
    expect([...x.dataSync()]).toEqual([0, 102 / 255, 1, 1 / 255, 51 / 255, 254 / 255].map(Math.fround));
  });

  it("tells the channels from the number of bytes", () => {
    expect(toTensor()({ data: new Uint8Array(6), width: 3, height: 2 }).shape).toEqual([1, 2, 3]);
    expect(toTensor()({ data: new Uint8ClampedArray(24), width: 3, height: 2 }).shape).toEqual([4, 2, 3]);
  });

  it("hands floating tensors on", () => {
    const x = randn([1, 2, 2]);
    expect(toTensor()(x)).toBe(x);
    expect(() => toTensor()(tensor([1], { dtype: "int32" }))).toThrow(
      new DTypeError(
        "toTensor: got a tensor of int32; expected an image { data, width, height } of bytes, or a tensor of float32. " +
          "Use .float().div(255) for a tensor of bytes.",
      ),
    );
  });

  it("refuses what is no image", () => {
    expect(() => toTensor()({ data: new Uint8Array(7), width: 3, height: 2 })).toThrow(ShapeError);
    expect(() => toTensor()({ data: new Uint8Array(6), width: 3, height: 2, channels: 3 })).toThrow(
      new ShapeError(
        "toTensor: got 6 bytes for width 3, height 2 and channels 3; expected width · height · channels bytes, " +
          "with whole numbers of 1 or more. Correct the extents, or pass channels.",
      ),
    );
    expect(() => toTensor()({ data: new Uint8Array(), width: 0, height: 2 })).toThrow(ShapeError);
    // @ts-expect-error: floats are no bytes
    expect(() => toTensor()({ data: new Float32Array(6), width: 3, height: 2 })).toThrow(
      new DTypeError(
        "toTensor: got data of Float32Array; expected an image { data, width, height } with data in a Uint8Array or " +
          "Uint8ClampedArray. Decode the image to bytes first.",
      ),
    );
    // @ts-expect-error: no image at all
    expect(() => toTensor()(undefined)).toThrow(/^toTensor: got no data; /);
  });
});

describe("normalize", () => {
  const x = tensor([0.1, 0.9, 0.5, 0.25], { shape: [2, 1, 2] });

  it("takes mean and std for each channel, rounded where PyTorch rounds", () => {
    const y = normalize([0.485, 0.456], [0.229, 0.224])(x);
    // torchvision's Normalize of the same tensor.
    expect([...y.dataSync()]).toEqual([
      -1.6812227964401245, 1.8122268915176392, 0.1964285671710968, -0.9196428060531616,
    ]);
    expect([...x.dataSync()]).toEqual([0.1, 0.9, 0.5, 0.25].map(Math.fround));
  });

  it("takes one number for all channels, and batches", () => {
    const single = normalize(0.5, 0.25)(x);
    expect([...single.dataSync()]).toEqual([
      Math.fround(Math.fround(0.1) - 0.5) * 4,
      Math.fround(Math.fround(0.9) - 0.5) * 4,
      0,
      -1,
    ]);
    expect(normalize([0.5, 0], 0.25)(x.unsqueeze(0)).shape).toEqual([1, 2, 1, 2]);
    expect(normalize([1, 2], [1, 1])(x.double()).dtype).toBe("float64");
  });

  it("leaves nothing behind but its result", () => {
    const before = memoryStats().tensors;
    normalize([0.5, 0.5], [1, 2])(x);
    expect(memoryStats().tensors).toBe(before + 1);
  });

  it("refuses a std of 0 and what does not fit", () => {
    expect(() => normalize([0.5, 0.5], [1, 0])).toThrow(
      new ArgumentError(
        "normalize: got mean [0.5, 0.5] and std [1, 0]; expected finite numbers, one for all channels or one for each, " +
          "and no std of 0. Leave out a channel that is constant, or give it a std of 1.",
      ),
    );
    for (const [mean, std] of [
      [Number.NaN, 1],
      [0, Number.POSITIVE_INFINITY],
      [
        [1, 2, 3],
        [1, 2],
      ],
      [[], [1, 2]],
      [[], 1],
      [[], []],
    ] as const) {
      expect(() => normalize(mean, std)).toThrow(ArgumentError);
    }
    expect(() => normalize([0, 0, 0], 1)(x)).toThrow(
      new ShapeError(
        "normalize: got shape [2, 1, 2] for 3 channels; expected […, 3, height, width]. Give mean and std for each channel, " +
          "and add the axis of channels with .unsqueeze(0) where it is missing.",
      ),
    );
    expect(() => normalize(0, 1)(tensor([[1, 2]]))).toThrow(ShapeError);
    expect(() => normalize(0, 1)(tensor([[[1]]], { dtype: "int32" }))).toThrow(DTypeError);
  });
});

describe("compose", () => {
  it("applies from the first to the last, typed from end to end", () => {
    const f = compose([(x: number) => x + 1, (x: number) => String(x), (x: string) => x.length]);
    expectTypeOf(f).toEqualTypeOf<(sample: number) => number>();
    expect(f(99)).toBe(3);
    expect(compose([])(5)).toBe(5);
    const image = compose([toTensor(), normalize(0.5, 0.5)]);
    expectTypeOf(image).returns.toEqualTypeOf<Tensor>();
    expect([...image({ data: Uint8Array.of(0, 255), width: 2, height: 1 }).dataSync()]).toEqual([-1, 1]);
    const many = compose([toTensor(), normalize(0.5, 0.5), normalize(0, 2), normalize(0, 2), normalize(1, 1)]);
    expect(many({ data: Uint8Array.of(255), width: 1, height: 1 }).itemSync()).toBe(-0.75);
  });

  it("serves as the transform of a dataset", () => {
    new data.MNIST({ transform: compose([toTensor(), normalize([0.1307], [0.3081])]) });
  });

  it("refuses what is no function", () => {
    // @ts-expect-error: a tensor is no transform
    expect(() => compose([toTensor(), tensor(1)])).toThrow(
      /^compose: got .* at \[1\]; expected an array of functions/s,
    );
    // @ts-expect-error: not in an array
    expect(() => compose(toTensor())).toThrow(ArgumentError);
  });
});
