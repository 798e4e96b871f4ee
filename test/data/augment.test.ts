/** Augmenting transforms against torchvision (test/golden/transforms.json), and what they refuse. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  type DType,
  data,
  Generator,
  manualSeed,
  ones,
  rand,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.js";

const { transforms } = data;
const wrong = <T>(value: unknown): T => value as T;

interface Packed {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
interface Golden {
  readonly images: Record<string, Packed>;
  readonly cases: readonly {
    readonly transform: string;
    readonly image: string;
    readonly args: readonly unknown[];
    readonly options: object;
    readonly outputs: readonly Packed[];
    readonly then: number;
  }[];
}

const golden = JSON.parse(readFileSync(new URL("../golden/transforms.json", import.meta.url), "utf8")) as Golden;
const unpack = ({ dtype, shape, data }: Packed): Tensor => tensor([...data], { dtype, shape });

describe("three results in a row are torchvision's", () => {
  const names = golden.cases.map(
    (each) => [`${each.transform} ${JSON.stringify([...each.args, each.options])} of ${each.image}`, each] as const,
  );
  test.each(names)("%s", (_, each) => {
    const make = transforms as unknown as Record<string, (...args: unknown[]) => (x: Tensor) => Tensor>;
    const none = Object.keys(each.options).length === 0 ? [] : [each.options];
    const args = each.transform === "randomErasing" && each.args.length === 0 ? [0.5] : each.args;
    const flips = each.transform.endsWith("Flip") && each.args.length === 0 ? [0.5] : args;
    const transform = make[each.transform]?.(...flips, ...none);
    const image = unpack(golden.images[each.image] as Packed);
    const before = image.dataSync();
    manualSeed(3);
    for (const packed of each.outputs) {
      const out = transform?.(image);
      expect(out?.shape).toEqual(packed.shape);
      out?.dataSync().forEach((value, index) => {
        const wanted = packed.data[index] ?? Number.NaN;
        if (!(Math.abs(value - wanted) <= 2e-5)) expect.fail(`got ${value} at ${index}; expected ${wanted}`);
      });
    }
    expect(rand([1]).itemSync()).toBe(Math.fround(each.then));
    expect(image.dataSync()).toEqual(before);
  });
});

test("a generator of one's own leaves the default one alone", () => {
  manualSeed(1);
  const expected = rand([1]).itemSync();
  manualSeed(1);
  const draw = () =>
    transforms.randomCrop(3, { generator: new Generator(5) })(
      ones([1, 9, 9]).mul(tensor([[0, 1, 2, 3, 4, 5, 6, 7, 8]])),
    );
  expect(draw().dataSync()).toEqual(draw().dataSync());
  expect(rand([1]).itemSync()).toBe(expected);
});

describe("mixup", () => {
  test("mixes each image and its label with those before", () => {
    const images = tensor([
      [1, 1],
      [2, 2],
      [4, 4],
    ]);
    const [x, y] = transforms.mixup(4, { generator: new Generator(5) })([
      images,
      tensor([0, 2, 2], { dtype: "int32" }),
    ]);
    const share = (x.dataSync()[2] ?? 0) - 1;
    const expected = [0, 1, 2].map((row) => {
      const [own, other] = [[1, 2, 4][row] ?? 0, [4, 1, 2][row] ?? 0];
      return share * own + (1 - share) * other;
    });
    expect([...x.dataSync()].filter((_, i) => i % 2 === 0)).toEqual(expected.map((value) => expect.closeTo(value, 5)));
    expect(y.sum(1).toArraySync()).toEqual([1, 1, 1].map((value) => expect.closeTo(value, 6)));
    expect(y.select(0, 2).toArraySync()).toEqual([0, 0, 1, 0].map((value) => expect.closeTo(value, 6)));
    const again = transforms.mixup(4)([x, y]);
    expect(again[1].shape).toEqual([3, 4]);
  });

  test.each([0.2, 1, 4])("draws shares with the mean and variance of the beta distribution, alpha %d", (alpha) => {
    const mix = transforms.mixup(1, { alpha, generator: new Generator(5) });
    const [images, labels] = [tensor([0, 1]), zeros([2], { dtype: "int32" })];
    const shares = Array.from({ length: 4000 }, () => Number(mix([images, labels])[0].dataSync()[1]));
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    const variance = shares.reduce((sum, share) => sum + (share - 0.5) ** 2, 0) / shares.length;
    expect(mean).toBeCloseTo(0.5, 1);
    expect(variance / (1 / (4 * (2 * alpha + 1)))).toBeCloseTo(1, 1);
  });
});

describe("mistakes", () => {
  test.each([
    [
      "an empty crop",
      () => transforms.randomCrop(0),
      ArgumentError,
      "randomCrop: got size 0; expected a whole number of 1 or more,",
    ],
    ["three extents", () => transforms.centerCrop([1, 2, 3]), ArgumentError, "centerCrop: got size [1, 2, 3];"],
    [
      "an image that is too small",
      () => transforms.randomCrop(5)(zeros([1, 4, 9])),
      ShapeError,
      "randomCrop: got an image of shape [1, 4, 9] to cut [5, 5] out of; expected one that is not smaller.",
    ],
    [
      "negative padding",
      () => transforms.randomCrop(5, { padding: -1 }),
      ArgumentError,
      "randomCrop: got padding [-1];",
    ],
    [
      "a mode that is not there",
      () => transforms.randomCrop(5, { paddingMode: wrong("symmetric") }),
      ArgumentError,
      'randomCrop: got paddingMode "symmetric"; expected one of constant, reflect, edge.',
    ],
    [
      "a vector",
      () => transforms.randomHorizontalFlip()(zeros([4])),
      ShapeError,
      "randomHorizontalFlip: got a tensor of shape [4];",
    ],
    ["a probability of 2", () => transforms.randomVerticalFlip(2), ArgumentError, "randomVerticalFlip: got p 2;"],
    [
      "whole numbers",
      () => transforms.resize(2)(zeros([1, 4, 4], { dtype: "int32" })),
      Error,
      "resize: got a tensor of int32;",
    ],
    ["a negative angle", () => transforms.randomRotation(-5), ArgumentError, "randomRotation: got degrees -5;"],
    [
      "an option of torchvision's that is not there",
      () => transforms.randomRotation(5, wrong({ expand: true })),
      ArgumentError,
      "randomRotation: got the option expand; expected an object with interpolation, center, fill, generator.",
    ],
    [
      "a shift of two images",
      () => transforms.randomAffine(5, { translate: [2, 0] }),
      ArgumentError,
      "randomAffine: got translate 2;",
    ],
    [
      "a scale of 0",
      () => transforms.randomAffine(5, { scale: [0, 1] }),
      ArgumentError,
      "randomAffine: got scale [0, 1];",
    ],
    ["a hue beyond the circle", () => transforms.colorJitter({ hue: 0.7 }), ArgumentError, "colorJitter: got hue 0.7;"],
    [
      "two channels",
      () => transforms.colorJitter({ hue: 0.1 })(zeros([2, 4, 4])),
      ShapeError,
      "colorJitter: got an image of shape [2, 4, 4] with 2 channels;",
    ],
    [
      "another word",
      () => transforms.randomErasing(1, { value: wrong("noise") }),
      ArgumentError,
      'randomErasing: got value "noise";',
    ],
    [
      "too many values",
      () => transforms.randomErasing(1, { value: [1, 2] })(zeros([3, 9, 9])),
      ShapeError,
      "randomErasing: got 2 values for an image of shape [3, 9, 9];",
    ],
    ["no classes", () => transforms.mixup(0), ArgumentError, "mixup: got numClasses 0;"],
    [
      "labels with fractions",
      () => transforms.mixup(3)([zeros([2, 4]), zeros([2])]),
      Error,
      "mixup: got labels of float32 and shape [2];",
    ],
    [
      "fewer labels than images",
      () => transforms.mixup(3)([zeros([2, 4]), zeros([1], { dtype: "int32" })]),
      ShapeError,
      "mixup: got images of shape [2, 4] and labels of shape [1];",
    ],
    [
      "no generator",
      () => transforms.randomCrop(2, { generator: wrong(3) }),
      ArgumentError,
      "randomCrop: got 3 as generator;",
    ],
  ])("%s", (_, run, kind, text) => {
    expect(run).toThrow(kind);
    expect(run).toThrow(text);
  });
});
