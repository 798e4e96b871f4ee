/** Gives a tensor new elements whatever the old ones were, as initialisation and loading do. Nothing is recorded. */
import { newTypedArray } from "../kernels/dtype.js";
import { checkFloating } from "./dtype.js";
import { checkWritable } from "./ops/elementwise.js";
import { commonKernels, Tensor } from "./tensor.js";

/** Copies `source` into `target`, casting it to the dtype of `target`. A number fills it. The shapes are equal. */
export function overwrite(where: string, target: Tensor, source: Tensor | number): void {
  const kernels = typeof source === "number" ? commonKernels(where, target) : commonKernels(where, target, source);
  checkWritable(where, target);
  if (typeof source === "number") kernels.fill(target, source);
  else kernels.copy(source, target);
  target.storage.version++;
}

/** Fills `target` with what `draw` puts into a flat array of its dtype, in row-major order. */
export function overwriteWith(
  where: string,
  target: Tensor,
  draw: (out: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>) => void,
): void {
  commonKernels(where, target);
  checkFloating(where, target.dtype);
  const values = newTypedArray(target.dtype, target.numel());
  if (!(values instanceof Float32Array || values instanceof Float64Array)) return;
  draw(values);
  const drawn = Tensor.allocate(target.shape, target.dtype, target.device, where);
  try {
    drawn.kernels.write(drawn.buffer, drawn.dtype, 0, values);
    overwrite(where, target, drawn);
  } finally {
    drawn.dispose();
  }
}
