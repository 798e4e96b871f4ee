import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ShapeError } from "../../src/errors.js";
import {
  broadcastShapes,
  broadcastStrides,
  checkShape,
  denseStrides,
  elementCount,
  inferShape,
  isDense,
  normalizeAxes,
  normalizeAxis,
  type Shape,
  viewStrides,
} from "../../src/tensor/shape.js";

/** Where each element lies, in row-major order of the shape. */
function places(shape: Shape, strides: Shape): number[] {
  return shape.reduce<number[]>(
    (found, extent, axis) =>
      found.flatMap((place) => Array.from({ length: extent }, (_, i) => place + i * (strides[axis] ?? 0))),
    [0],
  );
}

/** The strides with which `target` reads the given places, found by trying, or null where there are none. */
function stridesFor(target: Shape, wanted: readonly number[]): number[] | null {
  const dense = denseStrides(target);
  const strides = target.map((extent, axis) => (extent > 1 ? (wanted[dense[axis] ?? 0] ?? 0) - (wanted[0] ?? 0) : 0));
  return String(places(target, strides)) === String(wanted) ? strides : null;
}

const layout = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 12 })), { maxLength: 4 })
  .map((axes) => ({ shape: axes.map(([extent]) => extent), strides: axes.map(([, stride]) => stride) }));

/** Layouts that arise from a dense array by reordering, cutting and repeating axes: more of them can be viewed anew. */
const sensibleLayout = fc
  .array(
    fc.record({
      extent: fc.integer({ min: 1, max: 4 }),
      spare: fc.constantFrom(0, 0, 0, 1),
      repeated: fc.constantFrom(false, false, false, true),
      rank: fc.constantFrom(0, 0, 0, 1),
    }),
    { maxLength: 5 },
  )
  .map((axes) => {
    const strides = denseStrides(axes.map(({ extent, spare }) => extent + spare));
    const order = axes.map((_, axis) => axis).sort((a, b) => (axes[a]?.rank ?? 0) - (axes[b]?.rank ?? 0));
    return {
      shape: order.map((axis) => axes[axis]?.extent ?? 1),
      strides: order.map((axis) => (axes[axis]?.repeated === true ? 0 : (strides[axis] ?? 0))),
    };
  });

/** A shape with as many elements: the factors of the count dealt out anew, with axes of extent 1 between them. */
function otherShape(count: number, choices: readonly number[]): number[] {
  if (count === 0) return [0, ...choices.slice(0, 2).map((choice) => choice % 3)];
  const target: number[] = [];
  let rest = count;
  for (const choice of choices) {
    const divisors = Array.from({ length: rest }, (_, i) => i + 1).filter((divisor) => rest % divisor === 0);
    const extent = divisors[choice % divisors.length] ?? 1;
    target.push(extent);
    rest /= extent;
  }
  return rest === 1 ? target : [...target, rest];
}

describe("viewStrides", () => {
  const choices = fc.array(fc.nat({ max: 20 }), { maxLength: 5 });

  test.each([
    ["any strides", layout],
    ["strides of views", sensibleLayout],
  ])("finds strides exactly where there are some: %s", (_, layouts) => {
    let found = 0;
    let none = 0;
    fc.assert(
      fc.property(layouts, choices, ({ shape, strides }, picks) => {
        const target = otherShape(elementCount(shape), picks);
        const wanted = places(shape, strides);
        const result = viewStrides(shape, strides, target);
        expect(result === null).toBe(stridesFor(target, wanted) === null);
        if (result === null) none++;
        else {
          found++;
          expect(result).toHaveLength(target.length);
          expect(places(target, result)).toEqual(wanted);
        }
      }),
      { numRuns: 3000 },
    );
    expect(Math.min(found, none)).toBeGreaterThan(100);
  });

  test("joins and splits axes", () => {
    expect(viewStrides([2, 3, 4], [12, 4, 1], [6, 2, 2])).toEqual([4, 2, 1]);
    expect(viewStrides([4, 3], [1, 4], [12])).toBeNull();
    expect(viewStrides([4, 3], [1, 4], [2, 2, 3])).toEqual([2, 1, 4]);
    expect(viewStrides([2, 3], [0, 1], [6])).toBeNull();
    expect(viewStrides([], [], [1, 1])).toEqual([1, 1]);
  });
});

test("isDense tells whether the places are 0, 1, 2, …", () => {
  fc.assert(
    fc.property(fc.oneof(layout, sensibleLayout), ({ shape, strides }) => {
      expect(isDense(shape, strides)).toBe(places(shape, strides).every((place, index) => place === index));
      expect(isDense(shape, denseStrides(shape))).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

describe("broadcasting", () => {
  test("reads every operand at the place that its own index says", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 }),
        fc.array(fc.boolean(), { maxLength: 4 }),
        (target, ones) => {
          const shape = target.slice(target.length - ones.length).map((n, axis) => (ones[axis] === true ? 1 : n));
          expect(broadcastShapes("test", shape, target)).toEqual(target);
          const strides = broadcastStrides(shape, denseStrides(shape), target);
          const lead = target.length - shape.length;
          strides.forEach((stride, axis) => {
            const own = axis < lead ? 1 : shape[axis - lead];
            expect(stride).toBe(own === target[axis] && axis >= lead ? denseStrides(shape)[axis - lead] : 0);
          });
        },
      ),
    );
  });

  test("knows extents of 0", () => {
    expect(broadcastShapes("test", [3, 1], [0])).toEqual([3, 0]);
    expect(() => broadcastShapes("test", [3], [0])).toThrow(ShapeError);
  });

  test("refuses shapes that do not fit", () => {
    expect(() => broadcastShapes("add", [2, 3], [4, 2, 2])).toThrow(
      new ShapeError(
        "add: got shapes [2, 3] and [4, 2, 2]; expected shapes that broadcast, that is, extents that are equal or 1 counting from the last axis. " +
          "Reshape or unsqueeze one of them.",
      ),
    );
  });
});

describe("inferShape", () => {
  test("fills in the missing extent", () => {
    expect(inferShape("view", [2, -1, 3], 12)).toEqual([2, 2, 3]);
    expect(inferShape("view", [-1, 3], 0)).toEqual([0, 3]);
    expect(inferShape("view", [], 1)).toEqual([]);
  });

  const cannot = (shape: string, count: number): string =>
    `view: got shape ${shape} for ${count} elements; expected a shape of just as many. Correct the extents, or leave one as -1.`;

  test.each([
    ["another count", [2, 2], 5, cannot("[2, 2]", 5)],
    ["no whole extent", [2, -1], 5, cannot("[2, -1]", 5)],
    ["an extent that could be anything", [0, -1], 0, cannot("[0, -1]", 0)],
    [
      "two missing extents",
      [-1, -1],
      4,
      "view: got shape [-1, -1]; expected at most one extent of -1, which is worked out from the others. Say all but one.",
    ],
    [
      "a negative extent",
      [-2, 2],
      4,
      "view: got shape [-2, 2]; expected extents that are whole numbers of 0 or more. Correct the extent -2.",
    ],
  ])("refuses %s", (_, shape, count, message) => {
    expect(() => inferShape("view", shape, count)).toThrow(new ShapeError(message));
  });

  test("refuses what is no array", () => {
    expect(() => inferShape("view", 6 as unknown as number[], 6)).toThrow(
      new ShapeError("view: got shape 6; expected an array of extents. Write [6]."),
    );
  });
});

describe("checkShape", () => {
  test.each([[[2 ** 16, 2 ** 15]], [[1e200, 1e200]], [[1e200, 1e200, 0]]])("refuses %j: too many elements", (shape) => {
    expect(() => checkShape("zeros", shape)).toThrow(
      /^zeros: got shape .*; expected at most 2147483647\. Split the tensor\.$/,
    );
  });

  test.each([[[1.5]], [[Number.NaN]], [[2, -1]], [[Number.POSITIVE_INFINITY]]])("refuses %j: no extents", (shape) => {
    expect(() => checkShape("zeros", shape)).toThrow(/expected extents that are whole numbers of 0 or more/);
  });
});

describe("axes", () => {
  test("count from the end too", () => {
    expect(normalizeAxis("sum", -3, 3)).toBe(0);
    expect(normalizeAxes("sum", [-1, 0], 3)).toEqual([0, 2]);
    expect(normalizeAxes("sum", null, 2)).toEqual([0, 1]);
    expect(normalizeAxes("sum", 0, 0)).toEqual([]);
  });

  test.each([3, -4, 0.5, Number.NaN])("refuses axis %d of 3", (axis) => {
    expect(() => normalizeAxis("sum", axis, 3)).toThrow(
      new ShapeError(
        `sum: got axis ${axis}; expected a whole number from -3 to 2 for 3 axes. Choose an axis in that range.`,
      ),
    );
  });

  test("refuses an axis named twice", () => {
    expect(() => normalizeAxes("sum", [1, -1], 2)).toThrow(
      new ShapeError("sum: got axes [1,-1]; expected each axis once. Remove the repeated axis."),
    );
  });
});
