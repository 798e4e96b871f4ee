/** Turns a drawing into an image as MNIST's are: 20×20 pixels of ink, with their centre of mass in the centre of 28×28. */

/** Pixels of ink with what is around them cut off, from 0 to 1. */
interface Ink {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** Width and height of an image, and of the ink in it. */
export const side = 28;
const inkSide = 20;

/**
 * The drawing as an image of 28×28 pixels from 0 to 1, or null where there is no ink.
 *
 * The ink's box is fitted into 20×20 with its proportions kept, then moved by whole pixels until its centre of mass, (x, y)
 * from the left upper corner, has 14 ≤ x < 15 and 14 ≤ y < 15: that is where MNIST's images have theirs, each of them.
 *
 * @param ink how much ink each pixel has, 0 … 255, row by row
 * @see http://yann.lecun.com/exdb/mnist/
 */
export function fitDigit(ink: ArrayLike<number>, width: number, height: number): Float32Array | null {
  const cut = cutOut(ink, width, height);
  if (cut === null) return null;
  const scale = inkSide / Math.max(cut.width, cut.height);
  const small = resize(cut, Math.max(1, Math.round(cut.width * scale)), Math.max(1, Math.round(cut.height * scale)));
  const [left, top] = placeOf(small);
  const image = new Float32Array(side * side);
  for (let y = 0; y < small.height; y++) {
    image.set(small.values.subarray(y * small.width, (y + 1) * small.width), (top + y) * side + left);
  }
  return image;
}

function cutOut(ink: ArrayLike<number>, width: number, height: number): Ink | null {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if ((ink[y * width + x] ?? 0) === 0) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  if (right < 0) return null;
  const cut = { width: right - left + 1, height: bottom - top + 1 };
  const values = Float32Array.from(
    { length: cut.width * cut.height },
    (_, i) => (ink[(top + Math.floor(i / cut.width)) * width + left + (i % cut.width)] ?? 0) / 255,
  );
  return { ...cut, values };
}

/** Each pixel is the mean of the area that it covers: along rows, then along columns. */
function resize({ width, height, values }: Ink, newWidth: number, newHeight: number): Ink {
  const rows = new Float32Array(newWidth * height);
  for (let y = 0; y < height; y++) means(values, y * width, 1, width, rows, y * newWidth, 1, newWidth);
  const all = new Float32Array(newWidth * newHeight);
  for (let x = 0; x < newWidth; x++) means(rows, x, newWidth, height, all, x, newWidth, newHeight);
  return { width: newWidth, height: newHeight, values: all };
}

/** Writes `toCount` means of the `fromCount` values that lie `fromStep` apart. */
function means(
  from: Float32Array,
  fromStart: number,
  fromStep: number,
  fromCount: number,
  to: Float32Array,
  toStart: number,
  toStep: number,
  toCount: number,
): void {
  const extent = fromCount / toCount;
  for (let i = 0; i < toCount; i++) {
    const [begin, end] = [i * extent, (i + 1) * extent];
    let sum = 0;
    for (let j = Math.floor(begin); j < Math.min(end, fromCount); j++) {
      const covered = Math.min(j + 1, end) - Math.max(j, begin);
      sum += covered * (from[fromStart + j * fromStep] ?? 0);
    }
    to[toStart + i * toStep] = sum / extent;
  }
}

/** Where the ink's left upper corner goes. */
function placeOf({ width, height, values }: Ink): [left: number, top: number] {
  let [mass, x, y] = [0, 0, 0];
  values.forEach((value, i) => {
    mass += value;
    x += value * ((i % width) + 0.5);
    y += value * (Math.floor(i / width) + 0.5);
  });
  const place = (centre: number, extent: number): number =>
    Math.min(Math.max(Math.ceil(side / 2 - centre), 0), side - extent);
  return [place(x / mass, width), place(y / mass, height)];
}
