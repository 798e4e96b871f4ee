/** What flows through an imported graph: tensors, and whole numbers that JavaScript computes with, such as shapes. */
import { DataFormatError } from "../../../errors.js";
import { tensor } from "../../../tensor/create.js";
import type { Device } from "../../../tensor/device.js";
import { elementCount, type Shape } from "../../../tensor/shape.js";
import { Tensor } from "../../../tensor/tensor.js";

/** An array of int64, which tensors do not have. */
export class Ints {
  constructor(
    readonly shape: Shape,
    readonly values: readonly number[],
  ) {}

  static list(values: readonly number[]): Ints {
    return new Ints([values.length], values);
  }
}

export type Value = Tensor | Ints;

/** The value as a tensor: int64 becomes int32. */
export function asTensor(value: Value, device: Device): Tensor {
  if (value instanceof Tensor) return value;
  const wrong = value.values.find((each) => (each | 0) !== each);
  if (wrong !== undefined) {
    throw new DataFormatError(
      `importOnnx: got ${wrong} among elements of int64; expected numbers that int32 holds, since there is no int64. Convert the model.`,
    );
  }
  return tensor(Int32Array.from(value.values), { shape: value.shape, dtype: "int32", device });
}

/** The elements as plain numbers. Tensors are read, which a GPU cannot do at once. */
export function numbersOf(value: Value): readonly number[] {
  return value instanceof Tensor ? Array.from(value.dataSync()) : value.values;
}

/** Elementwise on whole numbers, with broadcasting. */
export function combine(a: Ints, b: Ints, fn: (x: number, y: number) => number): Ints {
  const rank = Math.max(a.shape.length, b.shape.length);
  const shape = Array.from({ length: rank }, (_, axis) => {
    const [x, y] = [a.shape[axis - rank + a.shape.length] ?? 1, b.shape[axis - rank + b.shape.length] ?? 1];
    if (x !== y && x !== 1 && y !== 1) {
      throw new DataFormatError(
        `importOnnx: got shapes [${a.shape.join(", ")}] and [${b.shape.join(", ")}]; expected shapes that broadcast. The file is damaged: make it again.`,
      );
    }
    return x === 1 ? y : x;
  });
  const values = Array.from({ length: elementCount(shape) }, (_, index) =>
    fn(a.values[place(index, shape, a.shape)] ?? 0, b.values[place(index, shape, b.shape)] ?? 0),
  );
  return new Ints(shape, values);
}

/** Where an element of an array lies in one that is broadcast to its shape. */
function place(index: number, shape: Shape, from: Shape): number {
  let [rest, result, stride] = [index, 0, 1];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const extent = shape[axis] ?? 1;
    const own = from[axis - shape.length + from.length] ?? 1;
    if (own !== 1) result += (rest % extent) * stride;
    stride *= own;
    rest = Math.floor(rest / extent);
  }
  return result;
}
