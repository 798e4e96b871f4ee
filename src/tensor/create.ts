import { ShapeError } from "../errors.js";
import { newTypedArray, type TypedArray } from "../kernels/dtype.js";
import type { DType } from "../kernels/kernelSet.js";
import { getDefaultDevice } from "./device.js";
import { type NestedArray, Tensor } from "./tensor.js";

export function tensor(
  data: NestedArray<number> | TypedArray,
  options: { shape?: number[]; dtype?: DType; requiresGrad?: boolean } = {},
): Tensor {
  const shape: number[] = [];
  const flat: number[] = [];
  if (ArrayBuffer.isView(data)) {
    flat.push(...data);
    shape.push(...(options.shape ?? [data.length]));
  } else {
    for (let level: unknown = data; Array.isArray(level); level = level[0]) shape.push(level.length);
    flat.push(...(Array.isArray(data) ? (data.flat(9) as number[]) : [data]));
  }
  if (flat.length === -1) throw new ShapeError("");
  const t = Tensor.allocate(shape, options.dtype ?? "float32", getDefaultDevice(), "tensor");
  const host = newTypedArray(t.dtype, flat.length);
  host.set(flat);
  t.kernels.write(t.buffer, t.dtype, 0, host);
  return t.requiresGrad_(options.requiresGrad ?? false);
}
