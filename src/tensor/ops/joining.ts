/** One tensor made of several. */
import { ArgumentError, ShapeError } from "../../errors.js";
import type { DType, Strided } from "../../kernels/kernelSet.js";
import { record } from "../autograd.js";
import { promoteTypes } from "../dtype.js";
import { at, checkShape, formatShape, normalizeAxis, type Shape, sameShape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { to } from "./cast.js";
import { zerosFor } from "./layout.js";
import { narrow, select } from "./slicing.js";

export { einsum } from "./einsum.js";
export { type MeshgridOptions, meshgrid } from "./meshgrid.js";

/**
 * The tensors one after another along an existing axis, in their common dtype. Their shapes are equal but for that
 * axis; empty tensors of shape [0] are passed over, as in PyTorch.
 *
 * @throws ShapeError where the shapes do not fit, or a tensor has no axes.
 * @throws ArgumentError where the list is empty.
 * @see https://pytorch.org/docs/stable/generated/torch.cat.html
 */
export function cat(tensors: readonly Tensor[], dim = 0): Tensor {
  const first = firstOf("cat", tensors);
  const kernels = commonKernels("cat", ...tensors);
  const scalar = tensors.findIndex((tensor) => tensor.ndim === 0);
  if (scalar >= 0) {
    throw new ShapeError(
      `cat: got tensor ${scalar} without axes; expected at least one axis. Use stack, or .unsqueeze(0) first.`,
    );
  }
  const model = tensors.find((tensor) => !isSkipped(tensor)) ?? first;
  const axis = normalizeAxis("cat", dim, model.ndim);
  let length = 0;
  const parts = tensors.map((tensor, index) => {
    if (isSkipped(tensor)) return { dtype: tensor.dtype, start: 0, extent: null };
    const fits = tensor.ndim === model.ndim && tensor.shape.every((n, i) => i === axis || n === model.shape[i]);
    if (!fits) {
      throw new ShapeError(
        `cat: got shapes ${formatShape(model.shape)} and ${formatShape(tensor.shape)} (tensor ${index}) on axis ${axis}; ` +
          `expected equal shapes but for that axis. Reshape or pad one of them.`,
      );
    }
    const part = { dtype: tensor.dtype, start: length, extent: at(tensor.shape, axis) };
    length += part.extent;
    return part;
  });
  const shape = model.shape.map((extent, i) => (i === axis ? length : extent));
  checkShape("cat", shape);

  const out = Tensor.allocate(shape, commonType(tensors), model.device, "cat");
  const stride = at(out.strides, axis);
  tensors.forEach((tensor, index) => {
    const { start = 0 } = parts[index] ?? {};
    if (!isSkipped(tensor)) kernels.copy(tensor, within(out, tensor.shape, out.strides, start * stride));
  });

  return record("cat", out, tensors, [], (g) =>
    parts.map(({ dtype, start, extent }) => () => {
      return to(extent === null ? zerosFor(g, [0], "catGrad") : narrow(g, axis, start, extent), dtype);
    }),
  );
}

/**
 * The tensors, all of one shape, side by side along a new axis at `dim`, in their common dtype.
 *
 * @throws ShapeError where the shapes differ, or `dim` is out of range.
 * @throws ArgumentError where the list is empty.
 * @see https://pytorch.org/docs/stable/generated/torch.stack.html
 */
export function stack(tensors: readonly Tensor[], dim = 0): Tensor {
  const model = firstOf("stack", tensors);
  const kernels = commonKernels("stack", ...tensors);
  const axis = normalizeAxis("stack", dim, model.ndim + 1);
  tensors.forEach((tensor, index) => {
    if (!sameShape(tensor.shape, model.shape)) {
      throw new ShapeError(
        `stack: got shapes ${formatShape(model.shape)} and ${formatShape(tensor.shape)} (tensor ${index}); expected equal shapes. ` +
          `Use cat to join along an axis that is there, or reshape one of them.`,
      );
    }
  });
  const shape = [...model.shape.slice(0, axis), tensors.length, ...model.shape.slice(axis)];
  checkShape("stack", shape);

  const out = Tensor.allocate(shape, commonType(tensors), model.device, "stack");
  const strides = out.strides.filter((_, i) => i !== axis);
  tensors.forEach((tensor, index) => {
    kernels.copy(tensor, within(out, tensor.shape, strides, index * at(out.strides, axis)));
  });

  const dtypes = tensors.map(({ dtype }) => dtype);
  return record("stack", out, tensors, [], (g) =>
    dtypes.map((dtype, index) => () => to(select(g, axis, index), dtype)),
  );
}

function within(out: Tensor, shape: Shape, strides: readonly number[], start: number): Strided {
  return { buffer: out.buffer, dtype: out.dtype, shape, strides, offset: out.offset + start };
}

/** PyTorch's old empty tensor, which joins anything. */
function isSkipped(tensor: Tensor): boolean {
  return tensor.ndim === 1 && tensor.shape[0] === 0;
}

function commonType(tensors: readonly Tensor[]): DType {
  return tensors.map(({ dtype }) => dtype).reduce(promoteTypes);
}

function firstOf(where: string, tensors: readonly Tensor[]): Tensor {
  const first = Array.isArray(tensors) ? (tensors as readonly Tensor[])[0] : undefined;
  if (first === undefined) {
    throw new ArgumentError(
      `${where}: got ${Array.isArray(tensors) ? "an empty list" : String(tensors)}; expected an array of one tensor or more. Write ${where}([a, b]).`,
    );
  }
  return first;
}
