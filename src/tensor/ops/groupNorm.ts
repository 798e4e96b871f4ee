/** Norms over groups of channels of each sample. */
import { ArgumentError, ShapeError } from "../../errors.js";
import { isGradEnabled, record, withGradMode } from "../autograd.js";
import { checkFloating } from "../dtype.js";
import { composite } from "../scopes.js";
import { at, formatShape, type Shape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { add, add_, mul, mul_, neg_, pow, sub } from "./arithmetic.js";
import { expand, sum } from "./broadcast.js";
import { checkWritable } from "./elementwise.js";
import { contiguous, reshape, view } from "./layout.js";
import { batchNorm } from "./normalization.js";
import { mean, var as variance } from "./reductions.js";
import { asRows, checkAffine, checkEps, type NormOptions, rowStats } from "./rowStats.js";

export type { NormOptions } from "./rowStats.js";

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
  { eps = 1e-5 }: NormOptions = {},
): Tensor {
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
  { useInputStats = true, momentum = 0.1, eps = 1e-5 }: InstanceNormOptions = {},
): Tensor {
  const running = [runningMean, runningVar].filter((tensor) => tensor !== null);
  commonKernels("instanceNorm", x, ...running);
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
  const { center, spread } = rowStats("instanceNorm", contiguous(x), batch * channels);
  const average = (of: Tensor): Tensor => mean(view(of, [batch, channels]), 0);
  if (runningMean !== null) add_(mul_(runningMean, 1 - momentum), average(center), { alpha: momentum });
  if (runningVar !== null) {
    add_(mul_(runningVar, 1 - momentum), average(spread), { alpha: (momentum * count) / (count - 1) });
  }
}

/** Mean and variance are those of the groups of x. */
interface Saved {
  readonly x: Tensor;
  readonly center: Tensor;
  readonly spread: Tensor;
  readonly scale: Tensor | null;
  readonly groups: number;
  readonly eps: number;
}

function inGroups(
  name: string,
  x: Tensor,
  groups: number,
  weight: Tensor | null,
  bias: Tensor | null,
  eps: number,
): Tensor {
  const dense = contiguous(x);
  const { center, spread } = rowStats(name, dense, at(x.shape, 0) * groups);
  const out = Tensor.allocate(x.shape, x.dtype, x.device, name);
  withGradMode(false, () => {
    const planes = at(x.shape, 0) * at(x.shape, 1);
    const perPlane = planeValues(dense, { center, spread, weight, bias });
    const { center: mean, spread: variance, weight: scale, bias: shift } = perPlane;
    x.kernels.batchNorm(asRows(dense, planes), mean, variance, scale, shift, eps, asRows(out, planes));
  });
  const inputs = [dense, ...(weight === null ? [] : [weight]), ...(bias === null ? [] : [bias])];
  const saved = [dense, center, spread, ...(weight === null ? [] : [weight])];
  return record(name, out, inputs, saved, (g, ...[x = g, center = g, spread = g, scale = null]) => {
    const compute = isGradEnabled() ? composedGrads : fusedGrads;
    const grads = compute(g, { x, center, spread, scale, groups, eps });
    return [grads.x, ...(weight === null ? [] : [grads.weight]), ...(bias === null ? [] : [grads.bias])];
  });
}

/**
 * The statistics of the groups and the weights of the channels as a number for each channel of each sample, so that
 * all is one pass of the kernels of batch normalisation over [1, N·C, L].
 */
function planeValues(
  x: Tensor,
  values: {
    readonly center: Tensor;
    readonly spread: Tensor;
    readonly weight: Tensor | null;
    readonly bias?: Tensor | null;
  },
) {
  const [batch, channels] = [at(x.shape, 0), at(x.shape, 1)];
  const rows = values.center.numel();
  const planes = batch * channels;
  const ofGroup = (of: Tensor): Tensor =>
    rows === planes ? of : contiguous(reshape(expand(view(of, [rows, 1]), [rows, planes / rows]), [planes]));
  const ofChannel = (of: Tensor | null | undefined): Tensor | null =>
    of ? contiguous(reshape(expand(of, [batch, channels]), [planes])) : null;
  return {
    center: ofGroup(values.center),
    spread: ofGroup(values.spread),
    weight: ofChannel(values.weight),
    bias: ofChannel(values.bias),
  };
}

/** Everything at the first that is asked for: one pass over planes for the sums, one over groups for what goes through their statistics. */
function fusedGrads(g: Tensor, { x, center, spread, scale, eps }: Saved) {
  const [batch, channels] = [at(x.shape, 0), at(x.shape, 1)];
  const planes = batch * channels;
  const rows = center.numel();
  const compute = () => {
    const made = (shape: Shape): Tensor => Tensor.allocate(shape, x.dtype, x.device, "groupNormGrad");
    const [xGrad, products, sums] = [made(x.shape), made([planes]), made([planes])];
    const dense = contiguous(g);
    const perPlane = planeValues(x, { center, spread, weight: scale });
    // Where each group is a channel, the kernel itself knows what goes through the statistics.
    const whole = rows === planes;
    x.kernels.batchNormGrad(
      asRows(dense, planes),
      asRows(x, planes),
      perPlane.center,
      perPlane.spread,
      perPlane.weight,
      eps,
      whole,
      asRows(xGrad, planes),
      products,
      sums,
    );
    if (!whole) addThrough(xGrad, products, sums, perPlane.weight);
    if (dense !== g) dense.dispose();
    return { x: xGrad, products, sums };
  };
  /** Takes (mean of w·g + x̂ · mean of w·g·x̂) / √(variance + eps) of each group off. */
  const addThrough = (xGrad: Tensor, products: Tensor, sums: Tensor, weight: Tensor | null): void => {
    const inverse = pow(add(spread, eps), -0.5);
    const factor = mul_(neg_(inverse), rows / x.numel());
    const ofGroups = (of: Tensor): Tensor =>
      mul(sum(view(weight === null ? of : mul(of, weight), [rows, planes / rows]), 1), factor);
    const through = Tensor.allocate(x.shape, x.dtype, x.device, "groupNormGrad");
    const [slope, shift] = [ofGroups(products), ofGroups(sums)];
    x.kernels.batchNorm(asRows(x, rows), center, spread, slope, shift, eps, asRows(through, rows));
    add_(xGrad, through);
    through.dispose();
  };
  let grads: ReturnType<typeof compute> | undefined;
  const all = () => {
    grads ??= compute();
    return grads;
  };
  const overBatch = (of: Tensor): Tensor => composite(() => sum(view(of, [batch, channels]), 0));
  return { x: () => all().x, weight: () => overBatch(all().products), bias: () => overBatch(all().sums) };
}

/** The same in ops that have gradients in turn. */
function composedGrads(g: Tensor, { x, scale, groups, eps }: Saved) {
  const [batch, channels] = [at(x.shape, 0), at(x.shape, 1)];
  const grouped = (of: Tensor): Tensor => reshape(of, [batch, groups, -1]);
  const kept = { keepdim: true };
  const perChannel = (of: Tensor): Tensor => reshape(of, [1, -1, ...x.shape.slice(2).map(() => 1)]);
  const others = x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  const inverse = (): Tensor => pow(add(variance(grouped(x), -1, { correction: 0, keepdim: true }), eps), -0.5);
  const normalized = (): Tensor => mul(sub(grouped(x), mean(grouped(x), -1, kept)), inverse());
  return {
    x: () =>
      composite(() => {
        const slope = grouped(scale === null ? g : mul(g, perChannel(scale)));
        const xHat = normalized();
        const through = add(mean(slope, -1, kept), mul(xHat, mean(mul(slope, xHat), -1, kept)));
        return reshape(mul(sub(slope, through), inverse()), [batch, channels, ...x.shape.slice(2)]);
      }),
    weight: () => composite(() => sum(mul(g, reshape(normalized(), x.shape)), others)),
    bias: () => sum(g, others),
  };
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
