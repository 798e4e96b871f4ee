import { ArgumentError, DTypeError, ShapeError } from "../../errors.js";
import { checkFloating } from "../dtype.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import { at, broadcastShapes, formatShape, type Shape, sameShape } from "../shape.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { add, mul } from "./arithmetic.js";
import { expand } from "./broadcast.js";
import { eq } from "./compare.js";
import { bandOf } from "./diagonals.js";
import { dropout } from "./dropout.js";
import { detach, reshape, transpose, unsqueeze } from "./layout.js";
import { any, logicalNot, logicalOr } from "./logic.js";
import { maskedFill } from "./masking.js";
import { matmul } from "./matmul.js";
import { checkOneDtype } from "./operands.js";
import { amax } from "./reductions.js";
import { softmax } from "./softmax.js";

/** Settings of {@link scaledDotProductAttention}. */
export interface AttentionOptions {
  /** Broadcasts to [..., L, S]: bool, true where a key counts; or of the inputs' dtype, added to the scores. Default: none. */
  readonly attnMask?: Tensor | null;
  /** Probability with which a weight is dropped; pass 0 (the default) out of training. */
  readonly dropoutP?: number;
  /** Whether query i sees keys 0 to i alone. Default false. */
  readonly isCausal?: boolean;
  /** Factor of the scores. Default 1 / √E. */
  readonly scale?: number | null;
  /**
   * Whether key and value may have fewer heads, on the third axis from the end, than query: each then serves as many neighbours as
   * there are heads of query for one of theirs. Default false.
   */
  readonly enableGqa?: boolean;
}

/**
 * softmax(scale · query · keyᵀ + mask) · value: for each query the average of the values, weighted by how well the keys fit.
 *
 * query [..., L, E], key [..., S, E], value [..., S, D] → [..., L, D]; the axes before broadcast. A query that no key counts for
 * gives zeros.
 *
 * @throws ShapeError where the extents do not fit, or the mask does not broadcast to the scores.
 * @throws ArgumentError where a mask meets `isCausal`, or a number is out of its range.
 * @throws DTypeError for whole numbers, where dtypes differ, or the mask is neither bool nor of their dtype.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html
 * @see A. Vaswani et al.: Attention Is All You Need, https://arxiv.org/abs/1706.03762, equation 1
 */
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions = {},
): Tensor {
  checkOptions("scaledDotProductAttention", options, ["attnMask", "dropoutP", "isCausal", "scale", "enableGqa"]);
  const name = "scaledDotProductAttention";
  const { attnMask = null, dropoutP = 0, isCausal = false, scale = null, enableGqa = false } = options;
  commonKernels(name, query, key, value, ...(attnMask === null ? [] : [attnMask]));
  checkFloating(name, query.dtype);
  checkOneDtype(name, query, key, value);
  const shared = enableGqa ? headsShared(query, key, value) : 1;
  checkShapes(query.shape, manyHeaded(key.shape, shared), manyHeaded(value.shape, shared));
  if (attnMask !== null) checkMask(query, manyHeaded(key.shape, shared), attnMask, isCausal);
  if (!(dropoutP >= 0 && dropoutP <= 1) || (scale !== null && !Number.isFinite(scale))) {
    throw new ArgumentError(
      `${name}: got dropoutP ${dropoutP} and scale ${scale}; expected a probability from 0 to 1, and a finite number or null. Correct them.`,
    );
  }
  return composite(() => {
    const factor = scale ?? 1 / Math.sqrt(at(query.shape, query.ndim - 1));
    const scores = matmul(mul(query, factor), transpose(repeatHeads(key, shared), -2, -1));
    const weights = dropout(maskedSoftmax(scores, attnMask, isCausal), dropoutP);
    return matmul(weights, repeatHeads(value, shared));
  });
}

/** Softmax over the keys. Rows that are hidden whole are let through it unmasked, where they would give NaN, and then become 0. */
function maskedSoftmax(scores: Tensor, mask: Tensor | null, isCausal: boolean): Tensor {
  const hide = (hidden: Tensor): Tensor => softmax(maskedFill(scores, hidden, Number.NEGATIVE_INFINITY), -1);
  if (isCausal) {
    return hide(
      bandOf(scores, at(scores.shape, scores.ndim - 2), at(scores.shape, scores.ndim - 1), (diagonal) => diagonal > 0),
    );
  }
  if (mask === null) return softmax(scores, -1);
  if (mask.dtype === "bool") {
    const empty = logicalNot(any(mask, -1, { keepdim: true }));
    return maskedFill(hide(logicalNot(logicalOr(mask, empty))), empty, 0);
  }
  const empty = eq(amax(detach(mask), -1, { keepdim: true }), Number.NEGATIVE_INFINITY);
  return maskedFill(softmax(add(scores, maskedFill(mask, empty, 0)), -1), empty, 0);
}

/** How many heads of query share one of key and value. */
function headsShared(query: Tensor, key: Tensor, value: Tensor): number {
  const [heads = 0, keyHeads = 0, valueHeads = 0] = [query, key, value].map(({ shape }) => shape.at(-3));
  if (keyHeads > 0 && heads > 0 && keyHeads === valueHeads && heads % keyHeads === 0) return heads / keyHeads;
  throw new ShapeError(
    `scaledDotProductAttention: got query ${formatShape(query.shape)}, key ${formatShape(key.shape)} and value ${formatShape(value.shape)} with enableGqa; ` +
      `expected heads on the third axis from the end, as many of key as of value, and a multiple of them of query. Reshape them.`,
  );
}

function manyHeaded(shape: Shape, shared: number): Shape {
  return shared === 1 ? shape : shape.with(-3, at(shape, shape.length - 3) * shared);
}

/** Each head as many times as it serves one of query, one after the other. */
function repeatHeads(x: Tensor, shared: number): Tensor {
  if (shared === 1) return x;
  const axis = x.ndim - 2;
  const repeated = expand(unsqueeze(x, axis), x.shape.toSpliced(axis, 0, shared));
  return reshape(repeated, manyHeaded(x.shape, shared));
}

function checkShapes(query: Shape, key: Shape, value: Shape): void {
  const fits =
    query.length >= 2 &&
    key.length >= 2 &&
    value.length >= 2 &&
    query.at(-1) === key.at(-1) &&
    key.at(-2) === value.at(-2) &&
    query.at(-1) !== 0 &&
    key.at(-2) !== 0;
  if (!fits) {
    throw new ShapeError(
      `scaledDotProductAttention: got query ${formatShape(query)}, key ${formatShape(key)} and value ${formatShape(value)}; ` +
        `expected [..., L, E], [..., S, E] and [..., S, D], none of E and S being 0. Reshape or transpose them.`,
    );
  }
  const place = "scaledDotProductAttention, axes before the last two";
  broadcastShapes(place, query.slice(0, -2), key.slice(0, -2), value.slice(0, -2));
}

function checkMask(query: Tensor, key: Shape, mask: Tensor, isCausal: boolean): void {
  if (isCausal) {
    throw new ArgumentError(
      `scaledDotProductAttention: got an attnMask and isCausal; expected one of them. Put both into the mask, with tril.`,
    );
  }
  if (mask.dtype !== "bool" && mask.dtype !== query.dtype) {
    throw new DTypeError(
      `scaledDotProductAttention: got an attnMask of ${mask.dtype}; expected bool or ${query.dtype}. Cast it.`,
    );
  }
  const batch = broadcastShapes("scaledDotProductAttention", query.shape.slice(0, -2), key.slice(0, -2));
  const scores = [...batch, at(query.shape, query.ndim - 2), at(key, key.length - 2)];
  const joined =
    mask.ndim <= scores.length ? broadcastShapes("scaledDotProductAttention: attnMask", scores, mask.shape) : null;
  if (joined === null || !sameShape(joined, scores)) {
    throw new ShapeError(
      `scaledDotProductAttention: got an attnMask of shape ${formatShape(mask.shape)}; expected one that broadcasts to the scores ${formatShape(scores)}. Reshape it.`,
    );
  }
}
