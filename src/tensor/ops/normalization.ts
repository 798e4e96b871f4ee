import { ArgumentError, DTypeError, ShapeError } from "../../errors.js";
import type { Dense } from "../../kernels/kernelSet.js";
import { forRange } from "../autocast.js";
import { type GradThunk, isGradEnabled, record, withGradMode } from "../autograd.js";
import { checkFloating } from "../dtype.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import { at, denseStrides, formatShape, sameShape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { add, add_, mul, mul_, pow, sub } from "./arithmetic.js";
import { sum } from "./broadcast.js";
import { checkWritable } from "./elementwise.js";
import { contiguous, reshape } from "./layout.js";
import { takeRelu } from "./rectifier.js";
import { mean, var as variance } from "./reductions.js";

/** Settings of {@link batchNorm}. */
export interface BatchNormOptions {
  /** Whether mean and variance are those of the batch, and the running ones are updated. Default false. */
  readonly training?: boolean;
  /** Weight of the batch in the new running mean and variance. Default 0.1. */
  readonly momentum?: number;
  /** What is added to the variance, against division by 0. Default 1e-5. */
  readonly eps?: number;
}

/** What the gradients need beside the tensors. */
interface Settings {
  readonly training: boolean;
  readonly eps: number;
}

/**
 * (x − mean) / √(variance + eps) · weight + bias, with mean and variance per channel of x [N, C, …]. In training they
 * are those of the batch (biased variance), and the running ones become (1 − momentum)·old + momentum·batch, in place and
 * with the unbiased variance; else the running ones are used. All but x are of shape [C].
 *
 * @throws ShapeError where x has fewer than two axes, another argument is not [C], or in training a channel has fewer
 *   than two values.
 * @throws ArgumentError where running mean or variance is missing out of training, or eps or momentum is out of range.
 * @throws DTypeError for whole numbers, or where dtypes differ.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.batch_norm.html
 * @see S. Ioffe, C. Szegedy: Batch Normalization, https://arxiv.org/abs/1502.03167, algorithms 1 and 2
 */
export function batchNorm(
  x: Tensor,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  weight?: Tensor | null,
  bias?: Tensor | null,
  options: BatchNormOptions = {},
): Tensor {
  checkOptions("batchNorm", options, ["training", "momentum", "eps"]);
  const { training = false, momentum = 0.1, eps = 1e-5 } = options;
  [x, weight, bias] = forRange(x, weight, bias);
  const perChannel = Object.entries({ runningMean, runningVar, weight, bias });
  commonKernels("batchNorm", x, ...perChannel.flatMap(([, tensor]) => tensor ?? []));
  checkFloating("batchNorm", x.dtype);
  checkInput(x, training);
  for (const [name, tensor] of perChannel) if (tensor) checkPerChannel(name, tensor, x);
  checkNumbers(momentum, eps, training);
  for (const running of [runningMean, runningVar]) if (running && training) checkWritable("batchNorm", running);

  if (!training) {
    if (runningMean === null || runningVar === null) {
      throw new ArgumentError(
        `batchNorm: got no running ${runningMean === null ? "mean" : "variance"} outside of training; expected both. ` +
          `Pass them, or { training: true } to use those of the batch.`,
      );
    }
    return composite(() =>
      normalize(contiguous(x), contiguous(runningMean), contiguous(runningVar), weight, bias, { training, eps }),
    );
  }
  return composite(() => {
    const dense = contiguous(x);
    const center = Tensor.allocate([at(x.shape, 1)], x.dtype, x.device, "batchNorm");
    const spread = Tensor.allocate([at(x.shape, 1)], x.dtype, x.device, "batchNorm");
    x.kernels.channelStats(asPlanes(dense), center, spread);
    const count = x.numel() / at(x.shape, 1);
    withGradMode(false, () => {
      if (runningMean !== null) add_(mul_(runningMean, 1 - momentum), center, { alpha: momentum });
      if (runningVar !== null)
        add_(mul_(runningVar, 1 - momentum), spread, { alpha: (momentum * count) / (count - 1) });
    });
    return normalize(dense, center, spread, weight, bias, { training, eps });
  });
}

function checkInput(x: Tensor, training: boolean): void {
  if (x.ndim < 2) {
    throw new ShapeError(
      `batchNorm: got shape ${formatShape(x.shape)}; expected at least two axes, [N, C, …]. Add the missing one with .unsqueeze(0).`,
    );
  }
  const count = x.numel() / at(x.shape, 1);
  if (training && count < 2) {
    throw new ShapeError(
      `batchNorm: got ${count} values per channel in training with shape ${formatShape(x.shape)}; expected at least 2, which a variance takes. ` +
        `Use larger batches, or drop the last one of an epoch.`,
    );
  }
}

function checkPerChannel(name: string, tensor: Tensor, x: Tensor): void {
  const expected = [at(x.shape, 1)];
  if (!sameShape(tensor.shape, expected)) {
    throw new ShapeError(
      `batchNorm: got ${name} of shape ${formatShape(tensor.shape)}; expected ${formatShape(expected)}, one number per channel of ${formatShape(x.shape)}. ` +
        `Make the number of channels the same.`,
    );
  }
  if (tensor.dtype !== x.dtype) {
    throw new DTypeError(
      `batchNorm: got ${name} of ${tensor.dtype} for an input of ${x.dtype}; expected one dtype. Cast one of them with .to("${x.dtype}").`,
    );
  }
}

function checkNumbers(momentum: number, eps: number, training: boolean): void {
  if (!Number.isFinite(momentum)) {
    throw new ArgumentError(
      `batchNorm: got momentum = ${momentum}; expected a finite number. It is the batch's weight in the running statistics; use 0.1.`,
    );
  }
  if (!(training ? eps > 0 : eps >= 0)) {
    throw new ArgumentError(
      `batchNorm: got eps = ${eps}; expected ${training ? "more than 0 in training" : "0 or more"}. It keeps the divisor away from 0; use 1e-5.`,
    );
  }
}

/** A dense [N, C, …] as the kernels see it, [N, C, L]. */
function asPlanes(x: Tensor): Dense {
  const length = x.shape.slice(2).reduce((product, extent) => product * extent, 1);
  const shape = [at(x.shape, 0), at(x.shape, 1), length];
  return { buffer: x.buffer, dtype: x.dtype, shape, strides: denseStrides(shape), offset: x.offset };
}

/** All arguments but weight and bias are dense. In training, `center` and `spread` are those of x, and gradients go through them. */
function normalize(
  x: Tensor,
  center: Tensor,
  spread: Tensor,
  weight: Tensor | null | undefined,
  bias: Tensor | null | undefined,
  settings: Settings,
): Tensor {
  const scale = weight ? contiguous(weight) : null;
  const shift = bias ? contiguous(bias) : null;
  const out = Tensor.allocate(x.shape, x.dtype, x.device, "batchNorm");
  x.kernels.batchNorm(asPlanes(x), center, spread, scale, shift, settings.eps, asPlanes(out), takeRelu());
  const inputs = [x, ...(scale ? [scale] : []), ...(shift ? [shift] : [])];
  const saved = [x, center, spread, ...(scale ? [scale] : [])];
  return record("batchNorm", out, inputs, saved, (g, ...[x = g, center = g, spread = g, scale]) => {
    const compute = isGradEnabled() ? composedGrads : fusedGrads;
    const grads = compute(g, x, center, spread, scale ?? null, settings);
    return [grads.x, ...(scale ? [grads.weight] : []), ...(shift ? [grads.bias] : [])];
  });
}

interface Grads {
  readonly x: GradThunk;
  readonly weight: GradThunk;
  readonly bias: GradThunk;
}

/** One kernel works out all three, at the first that is asked for. */
function fusedGrads(
  g: Tensor,
  x: Tensor,
  center: Tensor,
  spread: Tensor,
  weight: Tensor | null,
  { training, eps }: Settings,
): Grads {
  let grads: { readonly x: Tensor; readonly weight: Tensor; readonly bias: Tensor } | undefined;
  const compute = () => {
    const like = (of: Tensor): Tensor => Tensor.allocate(of.shape, of.dtype, of.device, "batchNormGrad");
    const made = { x: like(x), weight: like(center), bias: like(center) };
    const dense = contiguous(g);
    x.kernels.batchNormGrad(
      asPlanes(dense),
      asPlanes(x),
      center,
      spread,
      weight,
      eps,
      training,
      asPlanes(made.x),
      made.weight,
      made.bias,
    );
    return made;
  };
  const all = () => {
    grads ??= compute();
    return grads;
  };
  return { x: () => all().x, weight: () => all().weight, bias: () => all().bias };
}

/** The formulas of the fused kernel in ops that have gradients in turn. */
function composedGrads(
  g: Tensor,
  x: Tensor,
  center: Tensor,
  spread: Tensor,
  weight: Tensor | null,
  { training, eps }: Settings,
): Grads {
  const axes = x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  const kept = { keepdim: true };
  const perChannel = (of: Tensor): Tensor => reshape(of, [1, -1, ...x.shape.slice(2).map(() => 1)]);
  const inverse = (): Tensor =>
    pow(add(training ? variance(x, axes, { correction: 0, keepdim: true }) : perChannel(spread), eps), -0.5);
  const normalized = (): Tensor => mul(sub(x, training ? mean(x, axes, kept) : perChannel(center)), inverse());
  const xGrad = (): Tensor => {
    const slope = weight === null ? g : mul(g, perChannel(weight));
    if (!training) return mul(slope, inverse());
    const xHat = normalized();
    const through = add(mean(slope, axes, kept), mul(xHat, mean(mul(slope, xHat), axes, kept)));
    return mul(sub(slope, through), inverse());
  };
  return {
    x: () => composite(xGrad),
    weight: () => composite(() => sum(mul(g, normalized()), axes)),
    bias: () => sum(g, axes),
  };
}
