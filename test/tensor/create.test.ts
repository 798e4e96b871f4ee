import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import "../../src/devices.js";
import "../../src/tensor/methods.js";
import { ArgumentError, DeviceError, DTypeError, ShapeError, type TapegradError } from "../../src/errors.js";
import type { DType } from "../../src/kernels/dtype.js";
import {
  arange,
  empty,
  emptyLike,
  eye,
  type FlatData,
  full,
  fullLike,
  linspace,
  type NestedData,
  ones,
  onesLike,
  tensor,
  zeros,
  zerosLike,
} from "../../src/tensor/create.js";
import type { Tensor } from "../../src/tensor/tensor.js";

interface Case {
  op: string;
  args: number[];
  dtype: DType;
  shape: number[];
  data: (number | boolean)[];
}

const golden: { cases: Case[] } = JSON.parse(
  readFileSync(new URL("../golden/create/create.json", import.meta.url), "utf8"),
);

function facts(x: Tensor): [readonly number[], DType, unknown] {
  return [x.shape, x.dtype, x.toArraySync()];
}

describe("tensor", () => {
  it.each<[NestedData, readonly number[], DType]>([
    [3.5, [], "float32"],
    [true, [], "bool"],
    [[], [0], "float32"],
    [[[], []], [2, 0], "float32"],
    [[1, 2, 3], [3], "float32"],
    [[true, false], [2], "bool"],
    [
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      [3, 2],
      "float32",
    ],
    [
      [
        [[1], [2]],
        [[3], [4]],
      ],
      [2, 2, 1],
      "float32",
    ],
    [[Number.NaN, Infinity, -Infinity], [3], "float32"],
  ])("takes its shape and dtype from %j", (data, shape, dtype) => {
    expect(facts(tensor(data))).toEqual([shape, dtype, data]);
  });

  it("gives numbers the dtype that is asked for", () => {
    expect(facts(tensor([1, 0.1], { dtype: "float64" }))).toEqual([[2], "float64", [1, 0.1]]);
    expect(facts(tensor([1, -2147483648], { dtype: "int32" }))).toEqual([[2], "int32", [1, -2147483648]]);
    expect(facts(tensor([0, -0, 0.5, 256, Number.NaN], { dtype: "bool" }))).toEqual([
      [5],
      "bool",
      [false, false, true, true, true],
    ]);
    expect(facts(tensor([[true], [false]], { dtype: "float32" }))).toEqual([[2, 1], "float32", [[1], [0]]]);
    expect(tensor(0.1).itemSync()).toBe(Math.fround(0.1));
    expect(tensor(1e300).itemSync()).toBe(Infinity);
  });

  it.each<[FlatData, DType]>([
    [new Float32Array([1, 2]), "float32"],
    [new Float64Array([1, 2]), "float64"],
    [new Int8Array([1, 2]), "int32"],
    [new Uint8Array([1, 2]), "int32"],
    [new Uint8ClampedArray([1, 2]), "int32"],
    [new Int16Array([1, 2]), "int32"],
    [new Uint16Array([1, 2]), "int32"],
    [new Int32Array([1, 2]), "int32"],
    [new Uint32Array([1, 2]), "int32"],
    [new BigInt64Array([1n, 2n]), "int32"],
    [new BigUint64Array([1n, 2n]), "int32"],
  ])("takes %o", (data, dtype) => {
    expect(facts(tensor(data))).toEqual([[2], dtype, [1, 2]]);
    expect(facts(tensor(data, { shape: [2, 1] }))).toEqual([[2, 1], dtype, [[1], [2]]]);
    expect(facts(tensor(data, { dtype: "float32" }))).toEqual([[2], "float32", [1, 2]]);
    expect(facts(tensor(data, { dtype: "float64" }))).toEqual([[2], "float64", [1, 2]]);
    expect(facts(tensor(data, { dtype: "int32" }))).toEqual([[2], "int32", [1, 2]]);
    expect(facts(tensor(data, { dtype: "bool" }))).toEqual([[2], "bool", [true, true]]);
    expect(tensor(data, { dtype: "bool" }).dataSync()).toEqual(new Uint8Array([1, 1]));
  });

  it("takes a part of a buffer, also of one that is shared", () => {
    const bytes = new Float32Array([1, 2, 3, 4]);
    expect(tensor(bytes.subarray(1, 3)).toArraySync()).toEqual([2, 3]);
    const shared = new Float32Array(new SharedArrayBuffer(8));
    shared.set([5, 6]);
    expect(tensor(shared).toArraySync()).toEqual([5, 6]);
  });

  it("copies, data as well as shape", () => {
    const data = new Float32Array([1, 2]);
    const shape = [2];
    const x = tensor(data, { shape });
    data[0] = 9;
    shape[0] = 5;
    expect(facts(x)).toEqual([[2], "float32", [1, 2]]);
  });

  it("gives flat data a shape", () => {
    expect(tensor([1, 2, 3, 4], { shape: [2, 2] }).toArraySync()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(tensor(7, { shape: [1, 1] }).toArraySync()).toEqual([[7]]);
  });

  it("takes device and requiresGrad", () => {
    const x = tensor([1], { device: "cpu", requiresGrad: true });
    expect([x.device, x.requiresGrad, x.isLeaf, x.madeBy]).toEqual(["cpu", true, true, "tensor"]);
  });

  it("gives back what toArray gave", () => {
    const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
    fc.assert(
      fc.property(shapes, fc.constantFrom<DType>("float32", "float64", "int32", "bool"), (shape, dtype) => {
        const count = shape.reduce((product, extent) => product * extent, 1);
        const x = tensor(
          Array.from({ length: count }, (_, i) => i % 7),
          { shape, dtype },
        );
        const y = tensor(x.toArraySync(), { dtype });
        // Rows of which there are none leave no trace in nested arrays.
        if (count > 0) expect(y.shape).toEqual(x.shape);
        expect(y.toArraySync()).toEqual(x.toArraySync());
      }),
    );
  });

  it.each<[string, () => unknown, TapegradError]>([
    [
      "a short row",
      () =>
        tensor([
          [1, 2, 3],
          [1, 2],
        ]),
      new ShapeError(
        "tensor: got a row of 2 at [1]; expected a row of 3, as before it. Make all rows equally long and equally deep.",
      ),
    ],
    [
      "a long row, deep down",
      () =>
        tensor([
          [[1], [2]],
          [[3], [4, 5]],
        ]),
      new ShapeError(
        "tensor: got a row of 2 at [1, 1]; expected a row of 1, as before it. Make all rows equally long and equally deep.",
      ),
    ],
    [
      "a row after an empty one",
      () => tensor([[], [1]]),
      new ShapeError(
        "tensor: got a row of 1 at [1]; expected a row of 0, as before it. Make all rows equally long and equally deep.",
      ),
    ],
    [
      "a number among rows",
      () => tensor([[1], 2]),
      new ShapeError(
        "tensor: got 2 at [1]; expected a row of 1, as before it. Make all rows equally long and equally deep.",
      ),
    ],
    [
      "a row among numbers",
      () => tensor([[1, [2]]]),
      new ShapeError("tensor: got a row of 1 at [0, 1]; expected a number, as before it. Make all rows equally deep."),
    ],
    [
      "a boolean among numbers",
      () => tensor([1, true]),
      new DTypeError(
        "tensor: got true at [1]; expected a number. Numbers and booleans do not mix: convert one kind to the other.",
      ),
    ],
    [
      "a number among booleans",
      () => tensor([[true], [0]], { dtype: "float32" }),
      new DTypeError(
        "tensor: got 0 at [1, 0]; expected a boolean. Numbers and booleans do not mix: convert one kind to the other.",
      ),
    ],
    [
      "a string",
      () => tensor([1, "2"] as never),
      new DTypeError('tensor: got the string "2" at [1]; expected a number. Convert it to a number, or leave it out.'),
    ],
    [
      "a hole",
      () => tensor(new Array(2) as never),
      new DTypeError("tensor: got undefined at [0]; expected a number. Convert it to a number, or leave it out."),
    ],
    [
      "null",
      () => tensor([[null]] as never),
      new DTypeError("tensor: got null at [0, 0]; expected a number. Convert it to a number, or leave it out."),
    ],
    [
      "a bigint",
      () => tensor([1n] as never),
      new DTypeError("tensor: got the bigint 1n at [0]; expected a number. Convert it to a number, or leave it out."),
    ],
    [
      "a row that is a typed array",
      () => tensor([new Float32Array(2)] as never),
      new DTypeError("tensor: got a Float32Array at [0]; expected a number. Convert it to a number, or leave it out."),
    ],
    [
      "a fraction for int32",
      () => tensor([[1, 2.5]], { dtype: "int32" }),
      new DTypeError(
        "tensor: got 2.5 at [0, 1]; expected whole numbers from -2147483648 to 2147483647 for int32. Round it, or use another dtype.",
      ),
    ],
    [
      "NaN for int32",
      () => tensor(new Float32Array([Number.NaN]), { dtype: "int32" }),
      new DTypeError(
        "tensor: got NaN at [0]; expected whole numbers from -2147483648 to 2147483647 for int32. Round it, or use another dtype.",
      ),
    ],
    [
      "an unsigned number beyond int32",
      () => tensor(new Uint32Array([1, 2 ** 31])),
      new DTypeError(
        "tensor: got 2147483648 at [1]; expected whole numbers from -2147483648 to 2147483647 for int32. Round it, or use another dtype.",
      ),
    ],
    [
      "a bigint beyond int32",
      () => tensor(new BigInt64Array([2n ** 40n])),
      new DTypeError(
        "tensor: got 1099511627776 at [0]; expected whole numbers from -2147483648 to 2147483647 for int32. Round it, or use another dtype.",
      ),
    ],
    [
      "a scalar beyond int32",
      () => tensor(2 ** 31, { dtype: "int32" }),
      new DTypeError(
        "tensor: got 2147483648; expected whole numbers from -2147483648 to 2147483647 for int32. Round it, or use another dtype.",
      ),
    ],
    [
      "a shape of another element count",
      () => tensor(new Float32Array(5), { shape: [2, 3] }),
      new ShapeError("tensor: got 5 elements for shape [2, 3]; expected 6. Correct the shape or the data."),
    ],
    [
      "a shape with −1",
      () => tensor([1, 2], { shape: [-1] }),
      new ShapeError(
        "tensor: got shape [-1]; expected extents that are whole numbers of 0 or more. Correct the extent -1.",
      ),
    ],
    [
      "a tensor",
      () => tensor(zeros([2]) as never),
      new ArgumentError(
        "tensor: got a Tensor; expected a number, a boolean, nested arrays of them, or a typed array. Use .clone() or .detach() for a tensor; convert anything else first.",
      ),
    ],
    [
      "a DataView",
      () => tensor(new DataView(new ArrayBuffer(4)) as never),
      new ArgumentError(
        "tensor: got a DataView; expected a number, a boolean, nested arrays of them, or a typed array. Use .clone() or .detach() for a tensor; convert anything else first.",
      ),
    ],
    [
      "nothing",
      () => tensor(undefined as never),
      new ArgumentError(
        "tensor: got undefined; expected a number, a boolean, nested arrays of them, or a typed array. Use .clone() or .detach() for a tensor; convert anything else first.",
      ),
    ],
    [
      "an array that holds itself",
      () => {
        const circle: NestedData[] = [];
        circle.push(circle);
        tensor(circle);
      },
      new ShapeError(
        "tensor: got arrays nested more than 64 deep; expected at most 64 axes. Flatten some, or look for an array that holds itself.",
      ),
    ],
    [
      "gradients of whole numbers",
      () => tensor([1], { dtype: "int32", requiresGrad: true }),
      new DTypeError(
        'tensor: got requiresGrad for a tensor of int32; expected float32 or float64, which alone have gradients. Pass { dtype: "float32" }.',
      ),
    ],
    [
      "gradients of booleans",
      () => tensor([true], { requiresGrad: true }),
      new DTypeError(
        'tensor: got requiresGrad for a tensor of bool; expected float32 or float64, which alone have gradients. Pass { dtype: "float32" }.',
      ),
    ],
    [
      "an unknown dtype",
      () => tensor([1], { dtype: "int64" as never }),
      new DTypeError(
        'tensor: got dtype "int64"; expected one of float16, float32, float64, int32, bool. Choose the nearest.',
      ),
    ],
    [
      "options that are a shape",
      () => tensor([1], null as never),
      new ArgumentError(
        'tensor: got null as options; expected an object such as { dtype: "float32" }. Put options last, by name.',
      ),
    ],
  ])("refuses %s", (_, call, error) => {
    expect(call).toThrow(error);
  });
});

describe("constant tensors", () => {
  it("are float32 unless told otherwise", () => {
    expect(facts(zeros([2, 1]))).toEqual([[2, 1], "float32", [[0], [0]]]);
    expect(facts(ones([2], { dtype: "int32" }))).toEqual([[2], "int32", [1, 1]]);
    expect(facts(ones([], { dtype: "bool" }))).toEqual([[], "bool", true]);
    expect(facts(full([2], 2.5))).toEqual([[2], "float32", [2.5, 2.5]]);
    expect(facts(full([2], 3))).toEqual([[2], "float32", [3, 3]]);
    expect(facts(full([2], true))).toEqual([[2], "bool", [true, true]]);
    expect(facts(full([1], 256, { dtype: "bool" }))).toEqual([[1], "bool", [true]]);
    expect(facts(zeros([2, 0]))).toEqual([[2, 0], "float32", [[], []]]);
    expect([empty([3, 4]).shape, empty([2], { dtype: "bool" }).dtype]).toEqual([[3, 4], "bool"]);
  });

  it("take requiresGrad", () => {
    for (const x of [zeros, ones, empty].map((make) => make([2], { requiresGrad: true }))) {
      expect([x.requiresGrad, x.isLeaf]).toEqual([true, true]);
    }
  });

  it("do not keep the caller's shape", () => {
    const shape = [2, 3];
    const x = zeros(shape);
    shape[0] = 7;
    expect(x.shape).toEqual([2, 3]);
  });

  it("follow another tensor in shape and dtype, not in history", () => {
    const x = ones([2, 3], { dtype: "float64", requiresGrad: true }).transpose(0, 1);
    for (const y of [zerosLike(x), onesLike(x), fullLike(x, 2), emptyLike(x)]) {
      expect([y.shape, y.dtype, y.device, y.requiresGrad]).toEqual([[3, 2], "float64", "cpu", false]);
      expect(y.storage).not.toBe(x.storage);
    }
    expect(facts(fullLike(ones([2], { dtype: "int32" }), 7))).toEqual([[2], "int32", [7, 7]]);
    expect(facts(onesLike(zeros([2]), { dtype: "bool" }))).toEqual([[2], "bool", [true, true]]);
    expect(zerosLike(x, { requiresGrad: true }).requiresGrad).toBe(true);
    expect(facts(zerosLike(x))[2]).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
  });

  it.each<[string, () => unknown, TapegradError]>([
    [
      "a number as shape",
      () => zeros(3 as never),
      new ShapeError("zeros: got shape 3; expected an array of extents. Write [3]."),
    ],
    [
      "a fractional extent",
      () => ones([2, 1.5]),
      new ShapeError(
        "ones: got shape [2, 1.5]; expected extents that are whole numbers of 0 or more. Correct the extent 1.5.",
      ),
    ],
    [
      "too many elements",
      () => empty([2 ** 20, 2 ** 20]),
      new ShapeError(
        "empty: got shape [1048576, 1048576] with 1099511627776 elements; expected at most 2147483647. Split the tensor.",
      ),
    ],
    [
      "a value that int32 does not hold",
      () => full([2], 2 ** 31, { dtype: "int32" }),
      new DTypeError(
        "full: got 2147483648; expected whole numbers from -2147483648 to 2147483647 for int32. Round it, or use another dtype.",
      ),
    ],
    [
      "a fraction like whole numbers",
      () => fullLike(zeros([2], { dtype: "int32" }), 0.5),
      new DTypeError(
        "fullLike: got 0.5; expected whole numbers from -2147483648 to 2147483647 for int32. Round it, or use another dtype.",
      ),
    ],
    [
      "no value",
      () => full([2], {} as never),
      new ArgumentError(
        "full: got an object as the value; expected a number or a boolean. Convert it, or use copy_ for a tensor.",
      ),
    ],
    [
      "something that is no tensor",
      () => zerosLike([1] as never),
      new ArgumentError("zerosLike: got Array; expected a tensor. Make one with tensor(…)."),
    ],
    [
      "a device that is missing",
      () => zeros([2], { device: "webgpu" }),
      new DeviceError(
        'device: got "webgpu" before it was started; expected it to be awake. Call await setDefaultDevice("webgpu") or await webgpu.init() first.',
      ),
    ],
  ])("refuse %s", (_, call, error) => {
    expect(call).toThrow(error);
  });
});

describe("ranges", () => {
  const functions = { arange, linspace, eye } as Record<string, (...args: unknown[]) => Tensor>;

  it.each(golden.cases.map((each) => [`${each.op}(${each.args.join(", ")}) of ${each.dtype}`, each] as const))(
    "%s is PyTorch's",
    (_, { op, args, dtype, shape, data }) => {
      const x = functions[op]?.(...args, { dtype }) ?? zeros([0]);
      expect([x.shape, x.dtype]).toEqual([shape, dtype]);
      // PyTorch steps in the dtype itself, and so rounds more often.
      const scale =
        Math.max(...args.map(Math.abs)) * (dtype === "float32" ? 2 ** -22 : dtype === "float64" ? 2 ** -51 : 0);
      x.dataSync().forEach((value, i) => {
        expect(Math.abs(value - Number(data[i])), `at ${i}`).toBeLessThanOrEqual(scale);
      });
    },
  );

  it("are float32 by default, and take options after any number", () => {
    expect(facts(arange(3))).toEqual([[3], "float32", [0, 1, 2]]);
    expect(facts(arange(3, { dtype: "int32" }))).toEqual([[3], "int32", [0, 1, 2]]);
    expect(facts(arange(1, 3, { dtype: "int32" }))).toEqual([[2], "int32", [1, 2]]);
    expect(facts(arange(1, 6, 2, { dtype: "int32" }))).toEqual([[3], "int32", [1, 3, 5]]);
    expect(facts(linspace(0, 1, 3))).toEqual([[3], "float32", [0, 0.5, 1]]);
    expect(facts(eye(2))).toEqual([
      [2, 2],
      "float32",
      [
        [1, 0],
        [0, 1],
      ],
    ]);
    expect(eye(2, { dtype: "bool" }).dtype).toBe("bool");
    expect(arange(3, { requiresGrad: true }).requiresGrad).toBe(true);
    expect(eye(2, 1, { requiresGrad: true }).requiresGrad).toBe(true);
  });

  it("meet both ends exactly", () => {
    const x = linspace(0, 1, 50, { dtype: "float64" }).dataSync();
    expect([x[0], x[49]]).toEqual([0, 1]); // 49 steps of 1 / 49 give less.
  });

  it.each<[string, () => unknown, TapegradError]>([
    [
      "a step of 0",
      () => arange(0, 5, 0),
      new ArgumentError(
        "arange: got step 0 from 0 to 5; expected one that leads from the first to the second. Change its sign, or swap the bounds.",
      ),
    ],
    [
      "a step that leads away",
      () => arange(5, 0),
      new ArgumentError(
        "arange: got step 1 from 5 to 0; expected one that leads from the first to the second. Change its sign, or swap the bounds.",
      ),
    ],
    [
      "a bound of NaN",
      () => arange(Number.NaN),
      new ArgumentError("arange: got the bounds 0 and NaN with step 1; expected finite numbers. Correct them."),
    ],
    [
      "a bound that is a string",
      () => arange("5" as never),
      new ArgumentError("arange: got the bounds 0 and 5 with step 1; expected finite numbers. Correct them."),
    ],
    [
      "an endless range",
      () => arange(0, 1e12),
      new ShapeError(
        "arange: got shape [1000000000000] with 1000000000000 elements; expected at most 2147483647. Split the tensor.",
      ),
    ],
    [
      "fractions as int32",
      () => arange(0, 3, 0.5, { dtype: "int32" }),
      new DTypeError(
        "arange: got 0.5; expected whole numbers from -2147483648 to 2147483647 for int32. Round it, or use another dtype.",
      ),
    ],
    [
      "numbers beyond int32",
      () => arange(2147483646, 2147483649, { dtype: "int32" }),
      new DTypeError(
        "arange: got 2147483648; expected whole numbers from -2147483648 to 2147483647 for int32. Round it, or use another dtype.",
      ),
    ],
    [
      "a range of bools",
      () => arange(2, { dtype: "bool" }),
      new DTypeError("arange: got bool; expected a dtype with numbers. Use int32, and cast the result."),
    ],
    [
      "half a step",
      () => linspace(0, 1, 2.5),
      new ArgumentError("linspace: got 2.5 steps; expected a whole number of 0 or more. Round it."),
    ],
    [
      "an infinite end",
      () => linspace(0, Infinity, 2),
      new ArgumentError("linspace: got the bounds 0 and Infinity; expected finite numbers. Correct them."),
    ],
    [
      "a bound beyond int32",
      () => linspace(0, 3e9, 2, { dtype: "int32" }),
      new DTypeError(
        "linspace: got 3000000000; expected whole numbers from -2147483648 to 2147483647 for int32. Round it, or use another dtype.",
      ),
    ],
    [
      "a negative extent",
      () => eye(-1),
      new ShapeError(
        "eye: got shape [-1, -1]; expected extents that are whole numbers of 0 or more. Correct the extent -1.",
      ),
    ],
    [
      "an extent that is a string",
      () => eye(2, "3" as never),
      new ShapeError(
        "eye: got shape [2, 3]; expected extents that are whole numbers of 0 or more. Correct the extent 3.",
      ),
    ],
  ])("refuse %s", (_, call, error) => {
    expect(call).toThrow(error);
  });
});
