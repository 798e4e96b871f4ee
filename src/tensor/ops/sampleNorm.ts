/** What the norms within a sample share: groups of channels that are normalised by their own mean and variance. */
import { ArgumentError, DTypeError, ShapeError } from "../../errors.js";
import type { Dense } from "../../kernels/kernelSet.js";
import { isGradEnabled, record } from "../autograd.js";
import { denseStrides, formatShape, type Shape, sameShape } from "../shape.js";
import { Tensor } from "../tensor.js";
import { add, mul, pow, sub } from "./arithmetic.js";
import { sum } from "./broadcast.js";
import { contiguous, reshape } from "./layout.js";
import { mean, var as variance } from "./reductions.js";

/** Settings of the norms within a sample. */
export interface NormOptions {
  /** What is added to the variance, against division by 0. Default 1e-5. */
  readonly eps?: number;
}

/** How a tensor is normalised: as samples of channels of a length, in groups of neighbouring channels. */
interface Grouping {
  readonly samples: number;
  readonly channels: number;
  readonly length: number;
  readonly groups: number;
}

/** What the gradients are worked out from. Mean and variance are those of the groups of x. */
interface Saved {
  readonly x: Tensor;
  readonly center: Tensor;
  readonly spread: Tensor;
  readonly scale: Tensor | null;
  readonly grouping: Grouping;
  readonly eps: number;
}

/** (x − mean) / √(variance + eps) · weight + bias, with one element of weight and bias for each channel. To be called in a composite. */
export function normalizeGroups(
  name: string,
  x: Tensor,
  grouping: Grouping,
  weight: Tensor | null,
  bias: Tensor | null,
  eps: number,
): Tensor {
  const dense = contiguous(x);
  const [scale, shift] = [weight && contiguous(weight), bias && contiguous(bias)];
  const out = Tensor.allocate(x.shape, x.dtype, x.device, name);
  const perGroup = [grouping.samples, grouping.groups];
  const [center, spread] = [0, 1].map(() => Tensor.allocate(perGroup, x.dtype, x.device, name)) as [Tensor, Tensor];
  x.kernels.groupNorm(
    asSamples(dense, grouping),
    grouping.groups,
    scale && asChannels(scale),
    shift && asChannels(shift),
    eps,
    asSamples(out, grouping),
    center,
    spread,
  );
  const inputs = [dense, ...(weight === null ? [] : [weight]), ...(bias === null ? [] : [bias])];
  const saved = [dense, center, spread, ...(weight === null ? [] : [weight])];
  return record(name, out, inputs, saved, (g, ...[x = g, center = g, spread = g, scale = null]) => {
    const compute = isGradEnabled() ? composedGrads : fusedGrads;
    const grads = compute(g, { x, center, spread, scale, grouping, eps });
    const shape = weight?.shape ?? bias?.shape ?? [grouping.channels];
    return [
      grads.x,
      ...(weight === null ? [] : [() => reshape(grads.weight(), shape)]),
      ...(bias === null ? [] : [() => reshape(grads.bias(), shape)]),
    ];
  });
}

/** All three at the first that is asked for. */
function fusedGrads(g: Tensor, { x, center, spread, scale, grouping, eps }: Saved) {
  const compute = () => {
    const made = (shape: Shape): Tensor => Tensor.allocate(shape, x.dtype, x.device, "groupNormGrad");
    const grads = { x: made(x.shape), weight: made([grouping.channels]), bias: made([grouping.channels]) };
    const [dense, factor] = [contiguous(g), scale && contiguous(scale)];
    x.kernels.groupNormGrad(
      asSamples(dense, grouping),
      asSamples(x, grouping),
      center,
      spread,
      grouping.groups,
      factor && asChannels(factor),
      eps,
      asSamples(grads.x, grouping),
      grads.weight,
      grads.bias,
    );
    if (dense !== g) dense.dispose();
    if (factor !== scale) factor?.dispose();
    return grads;
  };
  let grads: ReturnType<typeof compute> | undefined;
  const all = () => {
    grads ??= compute();
    return grads;
  };
  return { x: () => all().x, weight: () => all().weight, bias: () => all().bias };
}

/** The same in ops that have gradients in turn. */
function composedGrads(g: Tensor, { x, scale, grouping, eps }: Saved) {
  const { samples, channels, length, groups } = grouping;
  const grouped = (of: Tensor): Tensor => reshape(of, [samples, groups, channels / groups, length]);
  const average = (of: Tensor): Tensor => mean(of, [2, 3], { keepdim: true });
  const inverse = (): Tensor => pow(add(variance(grouped(x), [2, 3], { correction: 0, keepdim: true }), eps), -0.5);
  const normalized = (): Tensor => mul(sub(grouped(x), average(grouped(x))), inverse());
  const overSamples = (of: Tensor): Tensor => reshape(sum(of, [0, 3]), [channels]);
  return {
    x: () => {
      const slope = scale === null ? grouped(g) : mul(grouped(g), reshape(scale, [groups, channels / groups, 1]));
      const xHat = normalized();
      const through = add(average(slope), mul(xHat, average(mul(slope, xHat))));
      return reshape(mul(sub(slope, through), inverse()), x.shape);
    },
    weight: () => overSamples(mul(grouped(g), normalized())),
    bias: () => overSamples(grouped(g)),
  };
}

/** A dense tensor as the kernels see it: [samples, channels, length]. */
function asSamples({ buffer, dtype, offset }: Tensor, { samples, channels, length }: Grouping): Dense {
  const shape = [samples, channels, length];
  return { buffer, dtype, shape, strides: denseStrides(shape), offset };
}

function asChannels(x: Tensor): Dense {
  return { buffer: x.buffer, dtype: x.dtype, shape: [x.numel()], strides: [1], offset: x.offset };
}

export function checkEps(where: string, eps: number): void {
  if (eps > 0) return;
  throw new ArgumentError(
    `${where}: got eps = ${eps}; expected more than 0. It keeps the divisor away from 0; use 1e-5.`,
  );
}

/** @throws ShapeError, DTypeError where a weight or bias is not of `shape` and the dtype of `x`. */
export function checkAffine(
  where: string,
  x: Tensor,
  shape: Shape,
  affine: { readonly [name: string]: Tensor | null | undefined },
): void {
  for (const [name, tensor] of Object.entries(affine)) {
    if (!tensor) continue;
    if (!sameShape(tensor.shape, shape)) {
      throw new ShapeError(
        `${where}: got ${name} of shape ${formatShape(tensor.shape)} for an input of shape ${formatShape(x.shape)}; expected ${formatShape(shape)}. Correct the shape of ${name}.`,
      );
    }
    if (tensor.dtype !== x.dtype) {
      throw new DTypeError(
        `${where}: got ${name} of ${tensor.dtype} for an input of ${x.dtype}; expected one dtype. Cast one of them with .to("${x.dtype}").`,
      );
    }
  }
}
