/** Sliding-window shape rules against windows that are counted one by one. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ArgumentError } from "../../src/errors.js";
import {
  evenPadding,
  pairOf,
  planesOf,
  samePadding,
  slidingWindow,
  transposedWindow,
} from "../../src/tensor/window.js";

const count = (min: number, max: number) => fc.integer({ min, max });

/** Windows of the given reach that start every `stride` places from −before on. */
function countWindows(extent: number, before: number, after: number, reach: number, stride: number, ceil: boolean) {
  let windows = 0;
  let start = -before;
  for (; start + reach <= extent + after; start += stride) windows += 1;
  const endOfLast = start - stride + reach;
  return ceil && endOfLast < extent + after && start < extent ? windows + 1 : windows;
}

test("as many outputs as windows", () => {
  const settings = [
    count(1, 12),
    count(1, 5),
    count(1, 5),
    count(0, 4),
    count(0, 4),
    count(1, 4),
    fc.boolean(),
  ] as const;
  let checked = 0;
  fc.assert(
    fc.property(...settings, (height, kernel, stride, above, below, dilation, ceilMode) => {
      // Ceil mode belongs to pools, whose padding is at most half of the kernel.
      const most = ceilMode ? Math.floor(kernel / 2) : above + below;
      const [top, bottom] = [Math.min(above, most), Math.min(below, most)];
      const reach = dilation * (kernel - 1) + 1;
      const planes = { batch: 2, channels: 3, height, width: 1 };
      const padding = { top, bottom, left: 0, right: 0 };
      const window = { kernel: [kernel, 1], stride: [stride, 1], dilation: [dilation, 1] } as const;
      const measure = () => slidingWindow("test", planes, { ...window, padding, ceilMode });
      if (reach > height + top + bottom) {
        expect(measure).toThrow(
          `test: got height ${height}, padded to ${height + top + bottom}, for a kernel of height ${kernel}`,
        );
        return;
      }
      checked += 1;
      expect(measure().outHeight).toBe(countWindows(height, top, bottom, reach, stride, ceilMode));
      expect(measure().outWidth).toBe(1);
    }),
    { numRuns: 500 },
  );
  expect(checked).toBeGreaterThan(100);
});

test('"same" padding keeps the extents for every kernel and dilation', () => {
  fc.assert(
    fc.property(count(1, 9), count(1, 6), count(1, 4), (extent, kernel, dilation) => {
      const padding = samePadding([kernel, 1], [dilation, 1]);
      expect(padding.bottom - padding.top).toBe((dilation * (kernel - 1)) % 2);
      const planes = { batch: 1, channels: 1, height: extent, width: extent };
      const settings = { kernel: [kernel, 1], stride: [1, 1], padding, dilation: [dilation, 1] } as const;
      const { outHeight, outWidth } = slidingWindow("test", planes, settings);
      expect([outHeight, outWidth]).toEqual([extent, extent]);
    }),
  );
});

test("a transposed window undoes the window", () => {
  fc.assert(
    fc.property(
      count(1, 12),
      count(1, 4),
      count(1, 4),
      count(0, 2),
      count(1, 3),
      (extent, kernel, stride, pad, dilation) => {
        fc.pre(dilation * (kernel - 1) + 1 <= extent + 2 * pad);
        const settings = {
          kernel: [kernel, kernel],
          stride: [stride, stride],
          padding: evenPadding([pad, pad]),
          dilation: [dilation, dilation],
        } as const;
        const planes = { batch: 2, channels: 3, height: extent, width: extent };
        const window = slidingWindow("test", planes, settings);
        const left = (extent + 2 * pad - dilation * (kernel - 1) - 1) % stride;
        const image = { batch: 2, channels: 5, height: window.outHeight, width: window.outWidth };
        expect(transposedWindow("test", image, 3, settings, [left, left])).toEqual(window);
      },
    ),
  );
});

test("settings are one number or a pair", () => {
  expect(pairOf("conv2d", "stride", 2, 1)).toEqual([2, 2]);
  expect(pairOf("conv2d", "stride", [2, 3], 1)).toEqual([2, 3]);
  for (const wrong of [Number.NaN, Infinity, 0.5, [1], [1, 0], "1", null, undefined]) {
    expect(() => pairOf("conv2d", "stride", wrong as number, 1)).toThrow(ArgumentError);
  }
});

test("images may come without a batch axis", () => {
  expect(planesOf("conv2d", [3, 4, 5])).toEqual({ batch: 1, channels: 3, height: 4, width: 5 });
  expect(planesOf("conv2d", [0, 3, 4, 5])).toEqual({ batch: 0, channels: 3, height: 4, width: 5 });
});
