/** The maxima and averages of windows, with their gradients: what pools of any number of axes are made of. */
import { ShapeError } from "../../errors.js";
import type { AvgPoolGeometry, WindowGeometry } from "../../kernels/kernelSet.js";
import { record } from "../autograd.js";
import { composite } from "../scopes.js";
import { commonKernels, Tensor } from "../tensor.js";
import { inputShape, outputShape, type WindowSettings } from "../window.js";
import { contiguous } from "./layout.js";
import { gateOf, noteGated } from "./rectifier.js";

/** The maximum of each window of a batch of planes, and its place row·W + column. */
export function maxima(x: Tensor, geometry: WindowGeometry): [Tensor, Tensor] {
  const dense = contiguous(x);
  const shape = outputShape(geometry, geometry.channels);
  const values = Tensor.allocate(shape, x.dtype, x.device, "maxPool2d");
  const indices = Tensor.allocate(shape, "int32", x.device, "maxPool2d");
  commonKernels("maxPool2d", dense).maxPool2d(dense, values, indices, geometry);
  // What a ReLU gave is saved by that, too: it costs nothing.
  const saved = gateOf(dense, true) === null ? [indices] : [indices, dense];
  const { version } = values.storage;
  record("maxPool2d", values, [dense], saved, (g, ...[indices = g, x = g]) => [
    (unseen) => {
      // Whose maxima were changed or given back since, that works without a gate.
      const isWhole = !values.isReleased && values.storage.version === version;
      const gate = isWhole ? gateOf(x, unseen) : null;
      const xGrad = toMaxima(g, indices, geometry, gate === null ? null : values);
      noteGated(xGrad, gate);
      return xGrad;
    },
  ]);
  if (dense !== x) dense.dispose();
  return [values, indices];
}

/**
 * The gradient of {@link maxima}: each window's value goes to the place of its maximum. With a gate, the maxima of what a ReLU gave,
 * only where the maximum is positive: then it is the ReLU's gradient, too, and not differentiable.
 */
function toMaxima(g: Tensor, indices: Tensor, geometry: WindowGeometry, gate: Tensor | null = null): Tensor {
  return composite(() => {
    const dense = contiguous(g);
    const out = Tensor.allocate(inputShape(geometry), g.dtype, g.device, "maxPool2dGrad");
    commonKernels("maxPool2dGrad", dense, indices).maxPool2dGrad(dense, indices, out, geometry, gate);
    return record("maxPool2dGrad", out, [dense], [indices], (outGrad, indices) => [
      () => fromMaxima(outGrad, indices, geometry),
    ]);
  });
}

/** The transpose of {@link toMaxima}: what lies at the place of each window's maximum. */
function fromMaxima(x: Tensor, indices: Tensor, geometry: WindowGeometry): Tensor {
  return composite(() => {
    const dense = contiguous(x);
    const { batch, channels, inHeight, inWidth, outHeight, outWidth } = geometry;
    const out = Tensor.allocate(outputShape(geometry, channels), x.dtype, x.device, "maxPool2dGrad");
    const planes = batch * channels;
    commonKernels("maxPool2dGrad", dense, indices).gather(
      flatPlanes(dense, planes, inHeight * inWidth),
      1,
      flatPlanes(indices, planes, outHeight * outWidth),
      flatPlanes(out, planes, outHeight * outWidth),
    );
    return record("maxPool2dGrad", out, [dense], [indices], (g, indices) => [() => toMaxima(g, indices, geometry)]);
  });
}

/** What a kernel sees when it reads dense planes as the rows of a matrix. */
function flatPlanes({ buffer, dtype, offset }: Tensor, planes: number, size: number) {
  return { buffer, dtype, offset, shape: [planes, size], strides: [size, 1] };
}

/** A dilated window may step over a small input with none of its taps inside: such a window has no maximum. */
export function checkTaps(
  where: string,
  name: string,
  extent: number,
  outExtent: number,
  { kernel, stride, padding, dilation }: WindowSettings,
  axis: 0 | 1,
): void {
  const before = axis === 0 ? padding.top : padding.left;
  for (let place = 0; place < outExtent; place++) {
    const start = place * stride[axis] - before;
    const firstInside = start < 0 ? Math.ceil(-start / dilation[axis]) : 0;
    if (firstInside < kernel[axis] && start + firstInside * dilation[axis] < extent) continue;
    throw new ShapeError(
      `${where}: got an input of ${name} ${extent} on which window ${place}, of ${kernel[axis]} taps from ${start} on in steps of ${dilation[axis]}, ` +
        `holds nothing but padding; expected an element of the input in each window. Use less padding or dilation.`,
    );
  }
}

/** The average of each window of a batch of planes. */
export function averages(x: Tensor, geometry: AvgPoolGeometry): Tensor {
  return composite(() => {
    const dense = contiguous(x);
    const out = Tensor.allocate(outputShape(geometry, geometry.channels), x.dtype, x.device, "avgPool2d");
    commonKernels("avgPool2d", dense).avgPool2d(dense, out, geometry);
    return record("avgPool2d", out, [dense], [], (g) => [() => shares(g, geometry)]);
  });
}

/** The gradient of {@link averages}: each element of a window gets its share. */
function shares(g: Tensor, geometry: AvgPoolGeometry): Tensor {
  return composite(() => {
    const dense = contiguous(g);
    const out = Tensor.allocate(inputShape(geometry), g.dtype, g.device, "avgPool2dGrad");
    commonKernels("avgPool2dGrad", dense).avgPool2dGrad(dense, out, geometry);
    return record("avgPool2dGrad", out, [dense], [], (outGrad) => [() => averages(outGrad, geometry)]);
  });
}
