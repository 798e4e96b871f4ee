/** Parts of the demo page that need no browser. */
import { data } from "tapegrad";
import { beforeAll, describe, expect, test } from "vitest";
import { addPoint } from "../../examples/demo/curves.js";
import { fitDigit } from "../../examples/demo/digit.js";
import { type CurvePoint, contenders } from "../../examples/demo/messages.js";
import { Means } from "../../examples/demo/pace.js";

/** Ink in a rectangle, on a pad of 280×280. */
function rectangle(left: number, top: number, width: number, height: number): Uint8Array {
  const ink = new Uint8Array(280 * 280);
  for (let y = top; y < top + height; y++) ink.fill(255, y * 280 + left, y * 280 + left + width);
  return ink;
}

/** The rows and columns with ink, and its centre of mass. */
function measure(image: Float32Array, side = 28) {
  let [left, top, right, bottom, mass, x, y] = [side, side, -1, -1, 0, 0, 0];
  image.forEach((value, i) => {
    if (value === 0) return;
    const [column, row] = [i % side, Math.floor(i / side)];
    [left, right, top, bottom] = [
      Math.min(left, column),
      Math.max(right, column),
      Math.min(top, row),
      Math.max(bottom, row),
    ];
    mass += value;
    x += value * (column + 0.5);
    y += value * (row + 0.5);
  });
  return { width: right - left + 1, height: bottom - top + 1, mass, x: x / mass, y: y / mass };
}

/** Where MNIST's images have their centre of mass. */
function expectCentred({ x, y }: { x: number; y: number }): void {
  for (const place of [x, y]) {
    expect(place).toBeGreaterThan(14 - 1e-4);
    expect(place).toBeLessThan(15);
  }
}

const fitted = (ink: ArrayLike<number>, width = 280, height = 280): Float32Array => {
  const image = fitDigit(ink, width, height);
  if (image === null) throw new Error("There is no ink.");
  return image;
};

describe("a drawing becomes an image as MNIST's", () => {
  test("nothing where there is no ink", () => {
    expect(fitDigit(new Uint8Array(280 * 280), 280, 280)).toBeNull();
  });

  test.each([
    ["high", rectangle(10, 20, 50, 200), 5, 20],
    ["wide", rectangle(70, 200, 200, 40), 20, 4],
    ["small", rectangle(0, 0, 10, 5), 20, 10],
    ["a dot", rectangle(100, 100, 1, 1), 20, 20],
    ["a hair", rectangle(100, 0, 1, 280), 1, 20],
  ])("%s: the longer side is 20 pixels, the shorter in proportion", (_, ink, width, height) => {
    const measured = measure(fitted(ink));
    expect(measured).toMatchObject({ width, height });
    expectCentred(measured);
  });

  test("the ink is as much as its area is of the larger side's", () => {
    const { mass } = measure(fitted(rectangle(30, 30, 100, 200)));
    expect(mass).toBeCloseTo(10 * 20, 3);
  });

  test("the centre of mass is in the centre, not the box's", () => {
    // An L: most of it is at its lower left.
    const foot = rectangle(50, 190, 160, 40);
    const ink = rectangle(50, 30, 40, 200).map((value, i) => Math.max(value, foot[i] ?? 0));
    const { x, y, width, height } = measure(fitted(ink));
    expect([width, height]).toEqual([16, 20]);
    expectCentred({ x, y });
  });

  test("soft ink stays soft", () => {
    expect(Math.max(...fitted(rectangle(0, 0, 100, 100).map((value) => value / 5)))).toBeCloseTo(0.2, 6);
  });
});

describe("images of MNIST", () => {
  const digits = new data.MNIST({ train: false, limit: 200 });
  beforeAll(() => digits.load());

  test("come out as they went in, to the pixel", () => {
    let same = 0;
    for (let index = 0; index < digits.length; index++) {
      const pixels = digits.data.subarray(index * 784, (index + 1) * 784);
      const image = fitted(pixels, 28, 28);
      if (image.every((value, i) => Math.abs(value - (pixels[i] ?? 0) / 255) < 1e-6)) same++;
    }
    expect(same).toBe(200);
  });
});

describe("curves", () => {
  test("stay short, and keep their ends and their means", () => {
    const curve: CurvePoint[] = [];
    for (let images = 1; images <= 10_000; images++) addPoint(curve, { images, loss: 5, accuracy: images / 10_000 });
    expect(curve.length).toBeLessThan(2000);
    expect(curve.length).toBeGreaterThan(500);
    expect(curve.at(-1)?.images).toBe(10_000);
    expect(curve.every(({ loss }) => loss === 5)).toBe(true);
    const steps = curve.slice(1).map((point, i) => point.images - (curve[i]?.images ?? 0));
    expect(Math.min(...steps)).toBeGreaterThan(0);
  });

  test("a point is the mean over images, not over batches", () => {
    const means = new Means();
    means.add({ images: 30, loss: 1, accuracy: 0.5 });
    means.add({ images: 10, loss: 3, accuracy: 1 });
    expect(means.images).toBe(40);
    expect(means.take()).toEqual({ loss: 1.5, accuracy: 0.625 });
    expect(means.images).toBe(0);
  });
});

test.each([
  [1, null, ["cpu 1"]],
  [8, null, ["cpu 1", "cpu 8"]],
  [8, "a GPU", ["cpu 1", "cpu 8", "webgpu 0"]],
])("with %i threads and %s as GPU it compares %j", (threads, gpu, expected) => {
  const found = contenders({ threads, isolated: true, gpu, gpuMissing: null });
  expect(found.map((contender) => `${contender.device} ${contender.threads}`)).toEqual(expected);
});
