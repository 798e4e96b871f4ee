/** Transforms that cover parts of images, and that mix them. */
import { ArgumentError, DTypeError, ShapeError } from "../../errors.js";
import { tensor } from "../../tensor/create.js";
import { add, mul } from "../../tensor/ops/arithmetic.js";
import { to } from "../../tensor/ops/cast.js";
import { copy_ } from "../../tensor/ops/fill.js";
import { oneHot } from "../../tensor/ops/indexing.js";
import { clone } from "../../tensor/ops/layout.js";
import { roll } from "../../tensor/ops/rearrange.js";
import { narrow } from "../../tensor/ops/slicing.js";
import { composite, noGrad } from "../../tensor/scopes.js";
import { formatShape } from "../../tensor/shape.js";
import { commonKernels, type Tensor } from "../../tensor/tensor.js";
import {
  checkFractions,
  checkNames,
  checkShare,
  Draws,
  extentsOf,
  type RandomOptions,
  rangeOf,
  roundHalfEven,
} from "./parts.js";

/** Settings of {@link randomErasing}. */
export interface RandomErasingOptions extends RandomOptions {
  /** Share of the area that is covered, [from, to]. Default [0.02, 0.33]. */
  readonly scale?: readonly [from: number, to: number];
  /** Height divided by width of what is covered, [from, to]. Default [0.3, 3.3]. */
  readonly ratio?: readonly [from: number, to: number];
  /** What covers it: a number, one for each channel, or `"random"` for normally distributed ones. Default 0. */
  readonly value?: number | readonly number[] | "random";
}

/**
 * A transform that covers a rectangle of an image […, C, H, W] with probability `p`. With the same seed it is torchvision's.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomErasing.html
 * @see Zhong et al.: Random erasing data augmentation, https://arxiv.org/abs/1708.04896
 */
export function randomErasing(p = 0.5, options: RandomErasingOptions = {}): (x: Tensor) => Tensor {
  const where = "randomErasing";
  checkNames(where, options, ["scale", "ratio", "value", "generator"]);
  const { scale = [0.02, 0.33], ratio = [0.3, 3.3], value = 0 } = options;
  checkShare(where, "p", p, 0, 1);
  const scales = rangeOf(where, "scale", scale, { least: 0, most: 1 });
  const ratios = rangeOf(where, "ratio", ratio, { least: Number.MIN_VALUE });
  const logs = ratios.map((number) => Math.fround(Math.log(Math.fround(number)))) as [number, number];
  const values = value === "random" ? null : typeof value === "number" ? [value] : value;
  if (values !== null && !(Array.isArray(values) && values.every((each) => Number.isFinite(each)))) {
    throw new ArgumentError(
      `${where}: got value ${JSON.stringify(value)}; expected a number, numbers for all channels, or "random". Correct value.`,
    );
  }
  const draws = new Draws(where, options);
  return (x) => {
    const [rows, columns] = extentsOf(where, x, 3);
    checkFractions(where, x);
    const channels = x.size(-3);
    if (values !== null && values.length !== 1 && values.length !== channels) {
      throw new ShapeError(
        `${where}: got ${values.length} values for an image of shape ${formatShape(x.shape)}; expected 1, or ${channels}, one for each channel. Correct value.`,
      );
    }
    if (!(draws.uniform(0, 1) < p)) return x;
    for (let attempt = 0; attempt < 10; attempt++) {
      const area = rows * columns * draws.uniform(...scales);
      const aspect = Math.fround(Math.exp(draws.uniform(...logs)));
      const [height, width] = [roundHalfEven(Math.sqrt(area * aspect)), roundHalfEven(Math.sqrt(area / aspect))];
      if (height >= rows || width >= columns) continue;
      const cover = values ?? new Float32Array(channels * height * width);
      if (cover instanceof Float32Array) draws.generator.fillNormal(cover, 0, 1);
      const top = draws.whole(rows - height + 1);
      const left = draws.whole(columns - width + 1);
      if (height === 0 || width === 0) return x;
      return noGrad(() => {
        const out = clone(x);
        const shape = values === null ? [channels, height, width] : [values.length, 1, 1];
        const part = narrow(narrow(out, -2, top, height), -1, left, width);
        copy_(part, tensor(Float32Array.from(cover), { shape, dtype: x.dtype, device: x.device }));
        return out;
      });
    }
    return x;
  };
}

/** Settings of {@link mixup}. */
export interface MixupOptions extends RandomOptions {
  /** The share of the mixture is drawn from the beta distribution with this for both parameters. Default 1, evenly. */
  readonly alpha?: number;
}

/**
 * A function from a batch [images [N, …], labels [N]] to one in which each image is mixed with the one before it:
 * [share·x + (1 − share)·x′, targets [N, numClasses] mixed likewise], for losses that take class probabilities. Labels may
 * also be probabilities [N, numClasses] already. Apply it to what a loader gives. The share has PyTorch's distribution, not
 * its random numbers.
 *
 * @throws ArgumentError where `numClasses` is no whole number of 1 or more, or alpha is not above 0.
 * @throws DTypeError, ShapeError (the function) where the batch is none.
 * @see https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.MixUp.html
 * @see Zhang et al.: mixup, https://arxiv.org/abs/1710.09412
 */
export function mixup(
  numClasses: number,
  options: MixupOptions = {},
): (batch: readonly [images: Tensor, labels: Tensor]) => [images: Tensor, targets: Tensor] {
  checkNames("mixup", options, ["alpha", "generator"]);
  const { alpha = 1 } = options;
  if (!(Number.isInteger(numClasses) && numClasses >= 1)) {
    throw new ArgumentError(
      `mixup: got numClasses ${numClasses}; expected a whole number of 1 or more. Give the number of classes.`,
    );
  }
  checkShare("mixup", "alpha", alpha, Number.MIN_VALUE, Infinity);
  const draws = new Draws("mixup", options);
  return ([images, labels]) => {
    commonKernels("mixup", images, labels);
    checkFractions("mixup", images);
    const isLabels = labels.dtype === "int32" && labels.ndim === 1;
    const isShares = labels.dtype === images.dtype && labels.ndim === 2 && labels.size(1) === numClasses;
    if (!isLabels && !isShares) {
      throw new DTypeError(
        `mixup: got labels of ${labels.dtype} and shape ${formatShape(labels.shape)}; expected int32 [N], or ${images.dtype} [N, ${numClasses}]. Cast labels with .int().`,
      );
    }
    if (images.ndim < 1 || images.size(0) !== labels.size(0)) {
      throw new ShapeError(
        `mixup: got images of shape ${formatShape(images.shape)} and labels of shape ${formatShape(labels.shape)}; expected as many labels as images. Pass a batch of a loader.`,
      );
    }
    const share = betaShare(draws, alpha);
    const mixed = (x: Tensor): Tensor => add(mul(x, share), mul(roll(x, 1, 0), 1 - share));
    return [
      composite(() => mixed(images)),
      composite(() => mixed(isLabels ? to(oneHot(labels, numClasses), images.dtype) : labels)),
    ];
  };
}

/** A number from the beta distribution with both parameters alpha: a / (a + b) of two from the gamma distribution. */
function betaShare(draws: Draws, alpha: number): number {
  if (alpha === 1) return draws.uniform(0, 1);
  const [a, b] = [logGammaDraw(draws, alpha), logGammaDraw(draws, alpha)];
  return 1 / (1 + Math.exp(b - a));
}

/**
 * The logarithm of a number from the gamma distribution: small parameters give numbers too small for themselves.
 *
 * @see Marsaglia and Tsang: A simple method for generating gamma variables, 2000
 */
function logGammaDraw(draws: Draws, alpha: number): number {
  if (alpha < 1) return logGammaDraw(draws, alpha + 1) + Math.log(1 - draws.uniform(0, 1)) / alpha;
  const d = alpha - 1 / 3;
  const normal = new Float64Array(1);
  for (;;) {
    draws.generator.fillNormal(normal, 0, 1);
    const z = normal[0] ?? 0;
    const v = (1 + z / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(1 - draws.uniform(0, 1)) < z * z * 0.5 + d - d * v + d * Math.log(v)) {
      return Math.log(d * v);
    }
  }
}
