/** Losses of distances and orders: what is alike shall be near, what is not shall be farther away by a margin. */
import { ArgumentError, ShapeError } from "../../errors.js";
import { forRange } from "../autocast.js";
import { checkFloating, resultType } from "../dtype.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import { formatShape, sameShape } from "../shape.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { add, clamp, div, minimum, mul, neg, sqrt, square, sub } from "./arithmetic.js";
import { sum } from "./broadcast.js";
import { eq } from "./compare.js";
import { checkReduction, type LossOptions, reduceLoss } from "./lossParts.js";
import { norm } from "./reductions.js";
import { where } from "./where.js";

/** Settings of {@link cosineEmbeddingLoss} and {@link marginRankingLoss}. */
export interface MarginLossOptions extends LossOptions {
  /** How far apart is far enough. Default 0. */
  readonly margin?: number;
}

/** Settings of {@link hingeEmbeddingLoss}. */
export interface HingeEmbeddingLossOptions extends LossOptions {
  /** Distance from which on two that are unlike cost nothing. Default 1. */
  readonly margin?: number;
}

/** Settings of {@link tripletMarginLoss}. */
export interface TripletMarginLossOptions extends LossOptions {
  /** How much farther away the negative shall be, above 0. Default 1. */
  readonly margin?: number;
  /** The distance is the norm of this order. Default 2. */
  readonly p?: number;
  /** Added to every difference, against infinite slopes at distance 0. Default 1e-6. */
  readonly eps?: number;
  /** Whether the positive's distance from the negative counts where that is shorter than the anchor's. Default false. */
  readonly swap?: boolean;
}

/**
 * Mean of 1 − cos where the target is 1, of max(0, cos − margin) where it is −1, and of 0 elsewhere; cos is that of the
 * angle between the vectors of `input1` and `input2`, [N, D] or [D]. The target has their shape without D.
 *
 * @throws ShapeError where the shapes do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.cosine_embedding_loss.html
 */
export function cosineEmbeddingLoss(
  input1: Tensor,
  input2: Tensor,
  target: Tensor,
  options: MarginLossOptions = {},
): Tensor {
  checkOptions("cosineEmbeddingLoss", options, ["margin", "reduction"]);
  const { margin = 0 } = options;
  checkAlike("cosineEmbeddingLoss", { input1, input2 }, options);
  [input1, input2] = forRange(input1, input2);
  commonKernels("cosineEmbeddingLoss", input1, target);
  checkMargin("cosineEmbeddingLoss", margin, -1);
  const { ndim, shape } = input1;
  if (ndim === 0 || ndim > 2 || !sameShape(target.shape, shape.slice(0, -1))) {
    throw new ShapeError(
      `cosineEmbeddingLoss: got inputs of shape ${formatShape(shape)} and a target of shape ${formatShape(target.shape)}; ` +
        `expected [N, D] and [N], or [D] and []. Reshape one of them.`,
    );
  }
  return composite(() => {
    // Too small to change a length other than 0.
    const squaredLength = (x: Tensor): Tensor => add(sum(square(x), -1), 1e-12);
    const lengths = sqrt(mul(squaredLength(input1), squaredLength(input2)));
    const cosine = div(sum(mul(input1, input2), -1), lengths);
    const apart = where(eq(target, -1), clamp(sub(cosine, margin), 0), 0);
    return reduceLoss(where(eq(target, 1), add(neg(cosine), 1), apart), options);
  });
}

/**
 * Mean of max(0, −target·(input1 − input2) + margin): `input1` shall be the greater where the target is 1, the smaller
 * where it is −1. All have the same shape.
 *
 * @throws ShapeError where the shapes differ.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.margin_ranking_loss.html
 */
export function marginRankingLoss(
  input1: Tensor,
  input2: Tensor,
  target: Tensor,
  options: MarginLossOptions = {},
): Tensor {
  checkOptions("marginRankingLoss", options, ["margin", "reduction"]);
  const { margin = 0 } = options;
  checkAlike("marginRankingLoss", { input1, input2, target }, options);
  [input1, input2, target] = forRange(input1, input2, target);
  checkMargin("marginRankingLoss", margin, -Infinity);
  return composite(() => reduceLoss(clamp(add(mul(neg(target), sub(input1, input2)), margin), 0), options));
}

/**
 * Mean of max(0, d(anchor, positive) − d(anchor, negative) + margin), with d the norm of the difference over the last axis:
 * [N, D] → [N] before the mean. All have the same shape.
 *
 * @throws ShapeError where the shapes differ, or there is no axis.
 * @throws ArgumentError where the margin is not above 0.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.triplet_margin_loss.html
 * @see Balntas et al.: Learning local feature descriptors with triplets, 2016, for `swap`
 */
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginLossOptions = {},
): Tensor {
  checkOptions("tripletMarginLoss", options, ["margin", "p", "eps", "swap", "reduction"]);
  const { margin = 1, p = 2, eps = 1e-6, swap = false } = options;
  checkAlike("tripletMarginLoss", { anchor, positive, negative }, options);
  [anchor, positive, negative] = forRange(anchor, positive, negative);
  checkMargin("tripletMarginLoss", margin, Number.MIN_VALUE);
  if (anchor.ndim === 0) {
    throw new ShapeError(
      "tripletMarginLoss: got inputs without axes; expected [D] or [N, D]. Give them an axis of features.",
    );
  }
  return composite(() => {
    const distance = (a: Tensor, b: Tensor): Tensor => norm(add(sub(a, b), eps), p, -1);
    const near = distance(anchor, positive);
    const direct = distance(anchor, negative);
    const far = swap ? minimum(direct, distance(positive, negative)) : direct;
    return reduceLoss(clamp(add(sub(near, far), margin), 0), options);
  });
}

/**
 * Mean of x where the target is 1, and of max(0, margin − x) where it is −1, for distances x. Both have the same shape.
 *
 * @throws ShapeError where the shapes differ.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.hinge_embedding_loss.html
 */
export function hingeEmbeddingLoss(input: Tensor, target: Tensor, options: HingeEmbeddingLossOptions = {}): Tensor {
  checkOptions("hingeEmbeddingLoss", options, ["margin", "reduction"]);
  const { margin = 1 } = options;
  checkAlike("hingeEmbeddingLoss", { input, target }, options);
  [input] = forRange(input);
  checkMargin("hingeEmbeddingLoss", margin, -Infinity);
  return composite(() => {
    // A target that is neither has both parts, as in PyTorch.
    const near = where(eq(target, -1), 0, input);
    const far = where(eq(target, 1), 0, clamp(add(neg(input), margin), 0));
    return reduceLoss(add(near, far), options);
  });
}

function checkMargin(where: string, margin: number, least: number): void {
  if (Number.isFinite(margin) && margin >= least) return;
  const range = least === Number.MIN_VALUE ? " above 0" : least === -Infinity ? "" : ` of ${least} or more`;
  throw new ArgumentError(`${where}: got margin = ${margin}; expected a finite number${range}. Correct the margin.`);
}

/** @throws ShapeError where the tensors differ in shape: nothing is broadcast. */
function checkAlike(where: string, tensors: Readonly<Record<string, Tensor>>, { reduction }: LossOptions): void {
  const all = Object.values(tensors);
  commonKernels(where, ...all);
  checkReduction(where, reduction);
  const [first, second] = all;
  if (first !== undefined && second !== undefined) checkFloating(where, resultType(first, second));
  if (first !== undefined && all.every((each) => sameShape(each.shape, first.shape))) return;
  const shapes = Object.entries(tensors).map(([name, { shape }]) => `${name} of shape ${formatShape(shape)}`);
  throw new ShapeError(
    `${where}: got ${shapes.join(", ")}; expected one shape. Reshape them, or expand the smaller ones.`,
  );
}
