/** Norms over groups of channels of each sample. */
import { ArgumentError, ShapeError } from "../../errors.js";
import { forRange } from "../autocast.js";
import { withGradMode } from "../autograd.js";
import { checkFloating } from "../dtype.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import { at, denseStrides, formatShape, type Shape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { add_, mul_ } from "./arithmetic.js";
import { checkWritable } from "./elementwise.js";
import { contiguous, view } from "./layout.js";
import { batchNorm } from "./normalization.js";
import { mean } from "./reductions.js";
import { checkAffine, checkEps, type NormOptions, normalizeGroups } from "./sampleNorm.js";

export type { NormOptions } from "./sampleNorm.js";

/** Settings of {@link instanceNorm}. */
export interface InstanceNormOptions extends NormOptions {
  /** Whether mean and variance are those of each sample, and the running ones, where given, are updated. Default true. */
  readonly useInputStats?: boolean;
  /** Weight of the batch in the new running mean and variance. Default 0.1. */
  readonly momentum?: number;
}

/**
 * (x − mean) / √(variance + eps) · weight + bias, with mean and biased variance over each of `numGroups` groups of
 * neighbouring channels of each sample. x is [N, C, …]; weight and bias are [C].
 *
 * @throws ShapeError where x has no channels, or weight or bias is not [C].
 * @throws ArgumentError where the groups do not divide the channels, or eps is not above 0.
 * @throws DTypeError for whole numbers, or where dtypes differ.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.group_norm.html
 * @see Y. Wu, K. He: Group Normalization, https://arxiv.org/abs/1803.08494, equations 1 to 3
 */
export function groupNorm(
  x: Tensor,
  numGroups: number,
  weight: Tensor | null = null,
  bias: Tensor | null = null,
  options: NormOptions = {},
): Tensor {
  checkOptions("groupNorm", options, ["eps"]);
  const { eps = 1e-5 } = options;
  [x, weight, bias] = forRange(x, weight, bias);
  checkInput("groupNorm", x, weight, bias, eps);
  const channels = at(x.shape, 1);
  if (!Number.isInteger(numGroups) || numGroups < 1 || channels % numGroups !== 0) {
    throw new ArgumentError(
      `groupNorm: got numGroups = ${numGroups} for ${channels} channels; expected a whole number of 1 or more that divides them. Correct numGroups.`,
    );
  }
  return composite(() => inGroups("groupNorm", x, numGroups, weight, bias, eps));
}

/**
 * (x − mean) / √(variance + eps) · weight + bias, with mean and biased variance over each channel of each sample. x is
 * [N, C, …] with one further axis at least; all others are [C]. Running mean and variance, where given, become
 * (1 − momentum)·old + momentum·mean over the batch, in place and with the unbiased variance; with `useInputStats` false
 * they are used instead.
 *
 * @throws ShapeError where x is not [N, C, …], another argument is not [C], or a channel has fewer than two values.
 * @throws ArgumentError where eps is not above 0, the momentum is not finite, or running statistics are wanted and missing.
 * @throws DTypeError for whole numbers, or where dtypes differ.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.instance_norm.html
 * @see D. Ulyanov, A. Vedaldi, V. Lempitsky: Instance Normalization, https://arxiv.org/abs/1607.08022
 */
export function instanceNorm(
  x: Tensor,
  runningMean: Tensor | null = null,
  runningVar: Tensor | null = null,
  weight: Tensor | null = null,
  bias: Tensor | null = null,
  options: InstanceNormOptions = {},
): Tensor {
  checkOptions("instanceNorm", options, ["useInputStats", "momentum", "eps"]);
  const { useInputStats = true, momentum = 0.1, eps = 1e-5 } = options;
  const running = [runningMean, runningVar].filter((tensor) => tensor !== null);
  commonKernels("instanceNorm", x, ...running);
  [x, weight, bias] = forRange(x, weight, bias);
  checkInput("instanceNorm", x, weight, bias, eps);
  checkAffine("instanceNorm", x, [at(x.shape, 1)], { runningMean, runningVar });
  if (x.ndim < 3) {
    throw new ShapeError(
      `instanceNorm: got shape ${formatShape(x.shape)}; expected at least three axes, [N, C, …]. Add the batch with .unsqueeze(0).`,
    );
  }
  if (!Number.isFinite(momentum)) {
    throw new ArgumentError(
      `instanceNorm: got momentum = ${momentum}; expected a finite number. It is the batch's weight in the running statistics; use 0.1.`,
    );
  }
  if (!useInputStats) {
    if (runningMean === null || runningVar === null) {
      throw new ArgumentError(
        `instanceNorm: got useInputStats false without running statistics; expected both of them. Pass runningMean and runningVar.`,
      );
    }
    return batchNorm(x, runningMean, runningVar, weight, bias, { eps });
  }
  const count = elements(x.shape.slice(2));
  if (count < 2) {
    throw new ShapeError(
      `instanceNorm: got ${count} values per channel with shape ${formatShape(x.shape)}; expected at least 2, which a variance takes. ` +
        `Use larger inputs, or groupNorm over several channels.`,
    );
  }
  for (const tensor of running) checkWritable("instanceNorm", tensor);
  return composite(() => {
    if (running.length > 0) withGradMode(false, () => updateRunning(x, runningMean, runningVar, momentum));
    return inGroups("instanceNorm", x, at(x.shape, 1), weight, bias, eps);
  });
}

function updateRunning(x: Tensor, runningMean: Tensor | null, runningVar: Tensor | null, momentum: number): void {
  const [batch, channels] = [at(x.shape, 0), at(x.shape, 1)];
  const count = elements(x.shape.slice(2));
  const dense = contiguous(x);
  const statistic = (): Tensor => Tensor.allocate([batch * channels], x.dtype, x.device, "instanceNorm");
  const [center, spread] = [statistic(), statistic()];
  // Each channel of each sample counts as a channel of one sample.
  const shape = [1, batch * channels, count];
  const { buffer, dtype, offset } = dense;
  x.kernels.channelStats({ buffer, dtype, shape, strides: denseStrides(shape), offset }, center, spread);
  const average = (of: Tensor): Tensor => mean(view(of, [batch, channels]), 0);
  if (runningMean !== null) add_(mul_(runningMean, 1 - momentum), average(center), { alpha: momentum });
  if (runningVar !== null) {
    add_(mul_(runningVar, 1 - momentum), average(spread), { alpha: (momentum * count) / (count - 1) });
  }
}

function inGroups(
  name: string,
  x: Tensor,
  groups: number,
  weight: Tensor | null,
  bias: Tensor | null,
  eps: number,
): Tensor {
  const [samples, channels] = [at(x.shape, 0), at(x.shape, 1)];
  const length = elements(x.shape.slice(2));
  return normalizeGroups(name, x, { samples, channels, length, groups }, weight, bias, eps);
}

function checkInput(where: string, x: Tensor, weight: Tensor | null, bias: Tensor | null, eps: number): void {
  commonKernels(where, x, ...(weight === null ? [] : [weight]), ...(bias === null ? [] : [bias]));
  checkFloating(where, x.dtype);
  if (x.ndim < 2) {
    throw new ShapeError(
      `${where}: got shape ${formatShape(x.shape)}; expected at least two axes, [N, C, …]. Add the missing one with .unsqueeze(0).`,
    );
  }
  checkAffine(where, x, [at(x.shape, 1)], { weight, bias });
  checkEps(where, eps);
}

function elements(shape: Shape): number {
  return shape.reduce((product, extent) => product * extent, 1);
}
