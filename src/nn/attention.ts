import { ArgumentError, ShapeError } from "../errors.js";
import { ones } from "../tensor/create.js";
import { runScope } from "../tensor/memory.js";
import { mul } from "../tensor/ops/arithmetic.js";
import { scaledDotProductAttention } from "../tensor/ops/attention.js";
import { triu } from "../tensor/ops/diagonals.js";
import { dropout } from "../tensor/ops/dropout.js";
import { reshape, squeeze, transpose, unsqueeze } from "../tensor/ops/layout.js";
import { logicalNot, logicalOr } from "../tensor/ops/logic.js";
import { maskedFill } from "../tensor/ops/masking.js";
import { linear, matmul } from "../tensor/ops/matmul.js";
import { mean } from "../tensor/ops/reductions.js";
import { narrow } from "../tensor/ops/slicing.js";
import { softmax } from "../tensor/ops/softmax.js";
import { formatShape, type Shape, sameShape } from "../tensor/shape.js";
import { commonKernels, type Tensor } from "../tensor/tensor.js";
import { checkCount, checkDType, checkOptions, checkRange, settings } from "./arguments.js";
import { inLayer } from "./errorPlace.js";
import { type Held, renamed } from "./fields.js";
import { xavierUniform_, zeros_ } from "./init.js";
import { Linear } from "./linear.js";
import { Module } from "./module.js";
import { newParameter, type ParameterPlace } from "./newParameter.js";
import type { Parameter } from "./parameter.js";

/** Settings of {@link MultiheadAttention}. */
export interface MultiheadAttentionOptions extends ParameterPlace {
  /** Probability with which a weight is dropped in training. Default 0. */
  readonly dropout?: number;
  /** Whether biases are learnt and added. Default true. */
  readonly bias?: boolean;
  /** Whether inputs are [N, L, E] rather than [L, N, E]. Default false. */
  readonly batchFirst?: boolean;
}

/** Settings of a call of {@link MultiheadAttention}. Masks are bool, and true where a key does not count. */
export interface MultiheadAttentionCall {
  /** Keys that do not count, [N, S] (or [S] without a batch). Default: none. */
  readonly keyPaddingMask?: Tensor | null;
  /** Which keys do not count for which query, [L, S] or [N·heads, L, S]. Default: none. */
  readonly attnMask?: Tensor | null;
  /** Whether query i sees keys 0 to i alone. Default false. */
  readonly isCausal?: boolean;
  /** Whether the weights are given back too. Default true. */
  readonly needWeights?: boolean;
  /** Whether those are the average over the heads. Default true. */
  readonly averageAttnWeights?: boolean;
}

/**
 * Attention in several heads: queries, keys and values are projected, attended to in parts of embedDim / numHeads features,
 * and what comes out is projected again.
 *
 * query [L, N, E], key and value [S, N, E] (with `batchFirst` [N, L, E] and [N, S, E]; or without N) → [output in the query's
 * shape, weights [N, L, S], or [N, heads, L, S] where they are not averaged, or null].
 *
 * State dicts have PyTorch's names, `in_proj_weight` and so on.
 *
 * @throws ArgumentError where a setting is out of its range, or the heads do not divide the features.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html
 * @see A. Vaswani et al.: Attention Is All You Need, https://arxiv.org/abs/1706.03762, section 3.2.2
 */
export class MultiheadAttention extends Module {
  readonly embedDim: number;
  readonly numHeads: number;
  readonly dropout: number;
  readonly batchFirst: boolean;
  inProjWeight: Parameter;
  inProjBias: Parameter | null;
  outProj: Linear;

  constructor(embedDim: number, numHeads: number, options: MultiheadAttentionOptions = {}) {
    super();
    const where = "MultiheadAttention";
    checkOptions(where, options, ["dropout", "bias", "batchFirst", "dtype", "device"]);
    const { dropout = 0, bias = true, batchFirst = false, dtype, device } = options;
    checkCount(where, "embedDim", embedDim);
    checkCount(where, "numHeads", numHeads);
    checkRange(where, "dropout", dropout, 0, 1);
    checkDType(where, dtype);
    if (embedDim % numHeads !== 0) {
      throw new ArgumentError(
        `${where}: got numHeads ${numHeads} for embedDim ${embedDim}; expected a number that divides it. Correct one of them.`,
      );
    }
    this.embedDim = embedDim;
    this.numHeads = numHeads;
    this.dropout = dropout;
    this.batchFirst = batchFirst;
    this.inProjWeight = newParameter([3 * embedDim, embedDim], options);
    this.inProjBias = bias ? newParameter([3 * embedDim], options) : null;
    const place = { ...(dtype === undefined ? {} : { dtype }), ...(device === undefined ? {} : { device }) };
    this.outProj = new Linear(embedDim, embedDim, { bias, ...place });
    this.resetParameters();
  }

  /** Draws the projections of the inputs anew, and sets all biases to 0. */
  resetParameters(): void {
    xavierUniform_(this.inProjWeight);
    if (this.inProjBias !== null) zeros_(this.inProjBias);
    if (this.outProj.bias !== null) zeros_(this.outProj.bias);
  }

  /**
   * @throws ShapeError where the inputs or masks do not fit.
   * @throws ArgumentError where an option is unknown.
   */
  forward(query: Tensor, key: Tensor, value: Tensor, call: MultiheadAttentionCall = {}): [Tensor, Tensor | null] {
    return inLayer(this, () => {
      const names = ["keyPaddingMask", "attnMask", "isCausal", "needWeights", "averageAttnWeights"] as const;
      checkOptions("MultiheadAttention.forward", call, names);
      this.checkInputs(query, key, value);
      return runScope(
        () => this.inBatches(query, key, value, call),
        (made) => made.filter((tensor) => tensor !== null),
        (handle) => handle.discard(),
      );
    });
  }

  private inBatches(query: Tensor, key: Tensor, value: Tensor, call: MultiheadAttentionCall): [Tensor, Tensor | null] {
    const isOne = query.ndim === 2;
    const inBatch = (x: Tensor): Tensor => (isOne ? unsqueeze(x, 0) : this.batchFirst ? x : transpose(x, 0, 1));
    const { output, weights } = this.attend(inBatch(query), inBatch(key), inBatch(value), call);
    if (isOne) return [squeeze(output, 0), weights && squeeze(weights, 0)];
    return [this.batchFirst ? output : transpose(output, 0, 1), weights];
  }

  private attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    {
      keyPaddingMask = null,
      attnMask = null,
      isCausal = false,
      needWeights = true,
      averageAttnWeights = true,
    }: MultiheadAttentionCall,
  ): { output: Tensor; weights: Tensor | null } {
    const { embedDim, numHeads, inProjWeight, inProjBias } = this;
    const [batch, queries, keys] = [query.size(0), query.size(1), key.size(1)];
    const heads = (x: Tensor, part: number): Tensor => {
      const bias = inProjBias === null ? null : narrow(inProjBias, 0, part * embedDim, embedDim);
      const projected = linear(x, narrow(inProjWeight, 0, part * embedDim, embedDim), bias);
      return transpose(reshape(projected, [batch, x.size(1), numHeads, embedDim / numHeads]), 1, 2);
    };
    const [q, k, v] = [heads(query, 0), heads(key, 1), heads(value, 2)];
    const hidden = hiddenKeys({ keyPaddingMask, attnMask, isCausal }, [batch, numHeads, queries, keys], query);
    const dropoutP = this.training ? this.dropout : 0;
    const joined = (x: Tensor): Tensor =>
      linear(reshape(transpose(x, 1, 2), [batch, queries, embedDim]), this.outProj.weight, this.outProj.bias);
    if (!needWeights) {
      const mask = hidden === null ? null : logicalNot(hidden);
      return { output: joined(scaledDotProductAttention(q, k, v, { attnMask: mask, dropoutP })), weights: null };
    }
    const scores = matmul(mul(q, 1 / Math.sqrt(embedDim / numHeads)), transpose(k, -2, -1));
    const shares = softmax(hidden === null ? scores : maskedFill(scores, hidden, Number.NEGATIVE_INFINITY), -1);
    const weights = dropout(shares, dropoutP);
    return { output: joined(matmul(weights, v)), weights: averageAttnWeights ? mean(weights, 1) : weights };
  }

  private checkInputs(query: Tensor, key: Tensor, value: Tensor): void {
    commonKernels("MultiheadAttention", query, key, value);
    const batchAxis = query.ndim === 2 ? null : this.batchFirst ? 0 : 1;
    const fits =
      (query.ndim === 2 || query.ndim === 3) &&
      sameShape(key.shape, value.shape) &&
      key.ndim === query.ndim &&
      query.shape.at(-1) === this.embedDim &&
      key.shape.at(-1) === this.embedDim &&
      (batchAxis === null || query.shape[batchAxis] === key.shape[batchAxis]);
    if (fits) return;
    const axes = this.batchFirst ? "[N, L, E], [N, S, E]" : "[L, N, E], [S, N, E]";
    throw new ShapeError(
      `MultiheadAttention: got shapes ${[query, key, value].map(({ shape }) => formatShape(shape)).join(", ")}; expected ${axes} and the same once more, ` +
        `or all without N, with E = ${this.embedDim}. Reshape them, or see batchFirst.`,
    );
  }

  protected override fields(): Iterable<Held<object>> {
    return renamed(super.fields(), {
      inProjWeight: "in_proj_weight",
      inProjBias: "in_proj_bias",
      outProj: "out_proj",
    });
  }

  override extraRepr(): string {
    const { embedDim, numHeads, dropout, batchFirst } = this;
    return settings({ embedDim, numHeads, dropout: dropout || undefined, batchFirst: batchFirst || undefined });
  }
}

/** Where a key does not count for a query, broadcasting to [N, heads, L, S]; null where all count. */
function hiddenKeys(
  masks: Required<Pick<MultiheadAttentionCall, "keyPaddingMask" | "attnMask" | "isCausal">>,
  [batch = 0, heads = 0, queries = 0, keys = 0]: Shape,
  like: Tensor,
): Tensor | null {
  const { keyPaddingMask, attnMask, isCausal } = masks;
  const all: Tensor[] = [];
  if (keyPaddingMask !== null) {
    checkMask("keyPaddingMask", keyPaddingMask, batch === 1 ? [[batch, keys], [keys]] : [[batch, keys]]);
    all.push(reshape(keyPaddingMask, [batch, 1, 1, keys]));
  }
  if (attnMask !== null) {
    checkMask("attnMask", attnMask, [
      [queries, keys],
      [batch * heads, queries, keys],
    ]);
    all.push(attnMask.ndim === 2 ? attnMask : reshape(attnMask, [batch, heads, queries, keys]));
  }
  if (isCausal) all.push(triu(ones([queries, keys], { dtype: "bool", device: like.device }), 1));
  const [first, ...others] = all;
  return first === undefined ? null : others.reduce((a, b) => logicalOr(a, b), first);
}

function checkMask(name: string, mask: Tensor, shapes: readonly Shape[]): void {
  if (mask.dtype === "bool" && shapes.some((shape) => sameShape(shape, mask.shape))) return;
  throw new ShapeError(
    `MultiheadAttention: got ${name} of ${mask.dtype} and shape ${formatShape(mask.shape)}; expected bool, and ${shapes.map(formatShape).join(" or ")}, ` +
      "true where a key does not count. Compare numbers with .eq(…) or .lt(…).",
  );
}
