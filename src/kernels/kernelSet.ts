/**
 * The kernel contract: what a set of kernels must do for the tensors above it, in opaque buffers and plain numbers.
 *
 * Rules that hold for every kernel:
 * - Shapes, dtypes and bounds were checked by the caller. A kernel checks nothing and knows no tensor.
 * - A launch is a synchronous enqueue: kernels run in the order of their calls, and only `read` waits for them.
 * - The caller makes the output, uninitialised. A kernel writes every element of `out` unless it says "in place",
 *   and never depends on what `out` held.
 * - `out` overlaps no input, except that elementwise kernels may be given an `out` with the very same
 *   offset and strides as an input (in-place forms).
 * - {@link Strided} arguments may have any strides: 0 where broadcast, negative where `copy`, `binary`, `where` or `reduce` reads
 *   an input backwards. {@link Dense} ones lie in row-major order without gaps from their offset on.
 * - All floating arguments of one call have one dtype, which is that of the output unless it says otherwise.
 * - Any extent may be 0; the kernel then does what the formula says (an empty sum is 0).
 *
 * @module
 */
import type { DType, TypedArray } from "./dtype.js";
import type { AvgPoolGeometry, ConvGeometry, WindowGeometry } from "./geometry.js";

export type { DType, TypedArray } from "./dtype.js";
export type { AvgPoolGeometry, ConvGeometry, WindowGeometry } from "./geometry.js";

/** Memory on a device. Only the kernel set that made it knows what is in it. */
export interface DeviceBuffer {
  /** Bytes that it takes up, for the books. */
  readonly byteLength: number;
}

/** Elements that were copied out of a buffer; see {@link KernelSet.setAside}. */
export interface Aside {
  /** The elements, once they have arrived in JavaScript's memory. They do not where the device is lost. */
  readonly data: Promise<TypedArray>;
  /** Copies the elements into another buffer, at its start. Only as long as `data` has not come. */
  restore(buffer: DeviceBuffer): void;
}

/** Is told of a launch, and gives what is told its times; see {@link KernelSet.watchTimes}. */
export type LaunchWatch = (kernel: string) => (begin: bigint, end: bigint) => void;

/** An array in a buffer: element (i, j, …) lies at offset + i·strides[0] + j·strides[1] + …, counted in elements. */
export interface Strided {
  readonly buffer: DeviceBuffer;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/** A {@link Strided} whose elements lie in row-major order without gaps. */
export type Dense = Strided;

/**
 * Activation functions that have a kernel for their gradient; see `activationGrad`. `elu` and `leakyRelu` take their factor in
 * `alpha`, `hardtanh` its bounds in `alpha` and `beta`, `softplus` its sharpness in `alpha` and its threshold in `beta`.
 * `geluTanh` is the form of `gelu` with tanh; `huber`, the curve of a loss, is x²/2 up to |x| = alpha, and a line from there on.
 */
export type ActivationOp =
  | "elu"
  | "gelu"
  | "geluTanh"
  | "hardsigmoid"
  | "hardswish"
  | "hardtanh"
  | "huber"
  | "leakyRelu"
  | "logSigmoid"
  | "mish"
  | "silu"
  | "softplus";

/** y = f(x), with at most two parameters. `clamp` takes [alpha, beta] (either may be infinite, NaN stays NaN).
 * `sign(NaN)` is 0. `relu(NaN)` is NaN. `round` takes the even one of two that are equally near. */
export type UnaryOp =
  | ActivationOp
  | "abs"
  | "ceil"
  | "clamp"
  | "cos"
  | "erf"
  | "exp"
  | "expm1"
  | "floor"
  | "log"
  | "log1p"
  | "neg"
  | "reciprocal"
  | "relu"
  | "round"
  | "rsqrt"
  | "sigmoid"
  | "sign"
  | "sin"
  | "sqrt"
  | "square"
  | "tanh";

/**
 * z = f(a, b) in the dtype of the operands. On int32, `div` does not occur, `add`, `sub` and `mul` wrap, and `pow`
 * takes a non-negative exponent.
 * `maximum` and `minimum` hand NaN on. The gradient forms take the output gradient as `a`:
 * `reluGrad` is 0 where b ≤ 0, else a (b is relu's output); `sigmoidGrad` is a·b·(1 − b) and `tanhGrad` is a·(1 − b²),
 * with b the op's output. `logitLoss` is the binary cross entropy of a logit a and a target b, log(1 + e^−|a|) + |a|·s with s = 1 − b for
 * a > 0, else b; `logitLossGrad` is its derivative by a, s − σ(−|a|) for a > 0, else σ(−|a|) − s.
 */
export type BinaryOp =
  | "add"
  | "div"
  | "logitLoss"
  | "logitLossGrad"
  | "maximum"
  | "minimum"
  | "mul"
  | "pow"
  | "reluGrad"
  | "sigmoidGrad"
  | "sub"
  | "tanhGrad";

/** z = a ∘ b as bool. Comparisons with NaN are false, but for `ne`. */
export type CompareOp = "eq" | "ge" | "gt" | "le" | "lt" | "ne";

/** Sums and products of int32 and bool are int32, and wrap. `amax` and `amin` hand NaN on. `sumSquares` is of floats. */
export type ReduceOp = "amax" | "amin" | "prod" | "sum" | "sumSquares";

/** Settings of one stochastic gradient descent step; see `sgdStep`. */
export interface SgdHyper {
  readonly lr: number;
  readonly momentum: number;
  readonly dampening: number;
  readonly weightDecay: number;
  readonly nesterov: boolean;
  readonly maximize: boolean;
  /** Whether `momentumBuffer` is yet to be filled: then it becomes the gradient itself, undampened. */
  readonly firstStep: boolean;
  readonly l1: number;
  readonly l1Mode: L1Mode;
}

/** Settings of one Adam or AdamW step; see `adamStep`. */
export interface AdamHyper {
  readonly lr: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly weightDecay: number;
  /** AdamW: the decay shrinks the parameter itself and stays out of the moments. */
  readonly decoupled: boolean;
  readonly maximize: boolean;
  /** Number of this step, from 1, for the bias correction. */
  readonly step: number;
  readonly l1: number;
  readonly l1Mode: L1Mode;
}

/** How an L1 penalty acts: a soft threshold of lr·l1 after the step, or l1·sign(w) added to the gradient. */
export type L1Mode = "proximal" | "subgradient";

/** One implementation of all kernels, on one device. */
export interface KernelSet {
  /** For people: `"reference"`, `"wasm"`, … */
  readonly name: string;

  // --- memory -------------------------------------------------------------------------------------------------------

  /** Whether arrays of this dtype can live here. */
  supports(dtype: DType): boolean;

  /** Uninitialised memory for `length` elements. */
  alloc(dtype: DType, length: number): DeviceBuffer;

  /** Gives memory back. The handle must not be used again. */
  free(buffer: DeviceBuffer): void;

  /** Copies `data` into the buffer from element `offset` on. The caller may change `data` as soon as this returns. */
  write(buffer: DeviceBuffer, dtype: DType, offset: number, data: TypedArray): void;

  /** A copy of `length` elements from `offset` on, once all kernels launched before have run. */
  read(buffer: DeviceBuffer, dtype: DType, offset: number, length: number): Promise<TypedArray>;

  /** As `read`, at once; null on a device that cannot. */
  readonly readSync: ((buffer: DeviceBuffer, dtype: DType, offset: number, length: number) => TypedArray) | null;

  /**
   * On a device that cannot be read at once: copies the first `length` elements out of the way, so that the buffer can be
   * freed, and sends them to JavaScript's memory when many have come together. For small arrays.
   */
  readonly setAside?: (buffer: DeviceBuffer, dtype: DType, length: number) => Aside;

  /**
   * On a device that computes apart: tells from now on how long launches take on its own clock. `launched` is called during the
   * launch of each of its kernels, and what it gives later with the kernel's begin and end in nanoseconds. Returns what ends it,
   * once all is told; or null, where the device tells no times.
   */
  readonly watchTimes?: (launched: LaunchWatch) => (() => Promise<void>) | null;

  // --- elementwise --------------------------------------------------------------------------------------------------

  /** out = value. */
  fill(out: Strided, value: number): void;

  /** out = x, same shape, cast to out's dtype (floats to int32 towards zero, held within its range, NaN to 0; anything but 0 to bool 1). */
  copy(x: Strided, out: Strided): void;

  unary(op: UnaryOp, x: Strided, out: Strided, alpha: number, beta: number): void;

  /** out = outGrad · f′(x): the gradient of an activation function from its input. Where lines meet, f′ is PyTorch's. */
  activationGrad(op: ActivationOp, outGrad: Strided, x: Strided, out: Strided, alpha: number, beta: number): void;

  /** Operands have out's shape (stride 0 where broadcast). One of the two may be a plain number. */
  binary(op: BinaryOp, a: Strided | number, b: Strided | number, out: Strided): void;

  compare(op: CompareOp, a: Strided | number, b: Strided | number, out: Strided): void;

  /** out = condition ? a : b; `condition` is bool. */
  where(condition: Strided, a: Strided | number, b: Strided | number, out: Strided): void;

  // --- reductions ---------------------------------------------------------------------------------------------------

  /** Reduces every axis where `out` has extent 1; `out` has x's rank. `amax` and `amin` get no empty axis. */
  reduce(op: ReduceOp, x: Strided, out: Dense): void;

  /** Index (int32) of the extreme along `axis`, the first one on ties; NaN counts as the extreme. `out` has extent 1 there. */
  argReduce(op: "amax" | "amin", x: Strided, axis: number, out: Dense): void;

  /**
   * Running sums along `axis`: out[…, i, …] = Σ x[…, j, …] over j ≤ i, or over j ≥ i with `backwards`. Floats, or int32, which
   * wraps; `out` has x's shape.
   */
  cumsum(x: Dense, axis: number, backwards: boolean, out: Dense): void;

  /**
   * Places (int32) that bring each row of x, its last axis, into order. Of equals the first one comes first; NaN is greater than
   * everything. `out` has x's shape, or a shorter last axis, for which the first places are enough.
   */
  argSort(x: Dense, descending: boolean, out: Dense): void;

  // --- indexing -----------------------------------------------------------------------------------------------------

  /**
   * out[…, i, …] = x[…, index[…, i, …], …] along `axis`; index (int32) has out's shape, its values are in range. Where they
   * could not be looked at before, the set says later that they are not, naming `caller`.
   */
  gather(x: Strided, axis: number, index: Strided, out: Dense, caller?: string): void;

  /** In place: out[…, index[…, i, …], …] += x[…, i, …] along `axis`; index has x's shape. */
  scatterAdd(x: Strided, axis: number, index: Strided, out: Strided): void;

  /**
   * In place: out[…, index[…, i, …], …] = x[…, i, …] along `axis`; index has x's shape. Of several elements for one place any
   * may stay.
   */
  scatter(x: Strided, axis: number, index: Strided, out: Strided): void;

  // --- matrix product -----------------------------------------------------------------------------------------------

  /**
   * out[…, m, n] = Σ_k a[…, m, k] · b[…, k, n] + bias[…, m, n]. All have out's rank ≥ 2 and its batch extents (stride 0
   * where broadcast), so that a transposed or repeated operand costs no copy. `bias` is null or has out's shape.
   */
  matmul(a: Strided, b: Strided, bias: Strided | null, out: Dense): void;

  // --- convolution --------------------------------------------------------------------------------------------------

  /** Cross-correlation: im2col, then weight · columns, then + bias [outChannels]; and, with `relu`, then max(·, 0), where NaN stays NaN. */
  conv2d(x: Dense, weight: Dense, bias: Dense | null, out: Dense, geometry: ConvGeometry, relu?: boolean): void;

  /**
   * Gradient of `conv2d` for its input: weightᵀ · outGrad, then col2im. It is also the transposed convolution, for
   * which `bias` [channels] is added. Where `gate`, in the shape of xGrad, is given, what comes of it goes through `reluGrad`
   * with the gate as b.
   */
  conv2dInputGrad(
    outGrad: Dense,
    weight: Dense,
    bias: Dense | null,
    xGrad: Dense,
    geometry: ConvGeometry,
    gate?: Dense | null,
  ): void;

  /**
   * Gradient of `conv2d` for its weight: outGrad · columnsᵀ, summed over the batch. Where `biasGrad` [outChannels] is given, it
   * gets the gradient for the bias: outGrad summed over the batch and all places.
   */
  conv2dWeightGrad(outGrad: Dense, x: Dense, weightGrad: Dense, geometry: ConvGeometry, biasGrad?: Dense | null): void;

  /** `conv2dInputGrad` and `conv2dWeightGrad` in one, in sets where they share work. */
  conv2dGrads?(
    outGrad: Dense,
    x: Dense,
    weight: Dense,
    xGrad: Dense,
    weightGrad: Dense,
    geometry: ConvGeometry,
    biasGrad: Dense | null,
    gate: Dense | null,
  ): void;

  /** im2col: [N, C, H, W] → [N, C·kernelHeight·kernelWidth, outHeight·outWidth], zeros where the window is in padding. */
  unfold(x: Dense, columns: Dense, geometry: WindowGeometry): void;

  /** col2im, the transpose of `unfold`: columns are added up where windows overlap. */
  fold(columns: Dense, out: Dense, geometry: WindowGeometry): void;

  // --- pooling ------------------------------------------------------------------------------------------------------

  /**
   * Maximum of each window (padding never wins; NaN does) and, in `indices` (int32), the place y·inWidth + x of the
   * first maximum, or of the last NaN. Every window holds at least one input element.
   */
  maxPool2d(x: Dense, out: Dense, indices: Dense, geometry: WindowGeometry): void;

  /**
   * xGrad = outGrad scattered to `indices` and added up; places that won nothing get 0. Where `gate`, in the shape of outGrad, is
   * given, outGrad goes through `reluGrad` with the gate as b before.
   */
  maxPool2dGrad(outGrad: Dense, indices: Dense, xGrad: Dense, geometry: WindowGeometry, gate?: Dense | null): void;

  avgPool2d(x: Dense, out: Dense, geometry: AvgPoolGeometry): void;

  avgPool2dGrad(outGrad: Dense, xGrad: Dense, geometry: AvgPoolGeometry): void;

  // --- normalisation ------------------------------------------------------------------------------------------------

  /** softmax along the last axis, or its logarithm. */
  softmax(x: Dense, out: Dense, logarithm: boolean): void;

  /** Gradient of `softmax` from its output y: y·(g − Σ g·y), or g − exp(y)·Σ g for the logarithm. */
  softmaxGrad(outGrad: Dense, y: Dense, xGrad: Dense, logarithm: boolean): void;

  /** Mean and biased variance of each channel of x [N, C, L] over N and L. Mean and variance are [C]. */
  channelStats(x: Dense, mean: Dense, variance: Dense): void;

  /**
   * out = (x − mean) / sqrt(variance + eps) · weight + bias, per channel of x [N, C, L]; and, with `relu`, then max(·, 0), where
   * NaN stays NaN.
   */
  batchNorm(
    x: Dense,
    mean: Dense,
    variance: Dense,
    weight: Dense | null,
    bias: Dense | null,
    eps: number,
    out: Dense,
    relu?: boolean,
  ): void;

  /**
   * Gradients of `batchNorm`: weightGrad [C] = Σ g·x̂, biasGrad [C] = Σ g with x̂ = (x − mean) / sqrt(variance + eps), and
   * xGrad. With `training`, mean and variance are those of x, and xGrad goes through them too; else they are constants.
   */
  batchNormGrad(
    outGrad: Dense,
    x: Dense,
    mean: Dense,
    variance: Dense,
    weight: Dense | null,
    eps: number,
    training: boolean,
    xGrad: Dense,
    weightGrad: Dense,
    biasGrad: Dense,
  ): void;

  /**
   * Normalises each of `groups` groups of neighbouring channels of each sample of x [N, C, L] by its own mean and biased
   * variance, which are results too, [N, groups]: out = (x − mean) / sqrt(variance + eps) · weight + bias, with weight and
   * bias [C]. With one group and L = 1 it is the norm of rows.
   */
  groupNorm(
    x: Dense,
    groups: number,
    weight: Dense | null,
    bias: Dense | null,
    eps: number,
    out: Dense,
    mean: Dense,
    variance: Dense,
  ): void;

  /** Gradients of `groupNorm`, through mean and variance too: xGrad, weightGrad [C] = Σ g·x̂ and biasGrad [C] = Σ g over N and L. */
  groupNormGrad(
    outGrad: Dense,
    x: Dense,
    mean: Dense,
    variance: Dense,
    groups: number,
    weight: Dense | null,
    eps: number,
    xGrad: Dense,
    weightGrad: Dense,
    biasGrad: Dense,
  ): void;

  // --- random numbers -----------------------------------------------------------------------------------------------

  /**
   * out (float32) = value where a number of 53 random bits is below `threshold` (a whole number up to 2⁵³), else 0. Two
   * draws of a Mersenne Twister make a number: the low 21 bits of the first lie above the 32 of the second. Of the
   * twister's 624 `words`, which are changed in place, the first `drawn` are drawn already; returns how many are then.
   * Absent where numbers that JavaScript draws are copied just as well.
   */
  readonly bernoulli?: (words: Int32Array, drawn: number, threshold: number, value: number, out: Dense) => number;

  // --- optimizer steps ----------------------------------------------------------------------------------------------

  /**
   * In place, PyTorch's SGD for one parameter: g = ±grad (+ l1·sign(p) as subgradient) + weightDecay·p; with momentum
   * b = momentum·b + (1 − dampening)·g and g = b, or g + momentum·b with nesterov; p −= lr·g; then, for the proximal
   * mode, p = sign(p)·max(|p| − lr·l1, 0). `momentumBuffer` is null without momentum.
   */
  sgdStep(parameter: Dense, grad: Dense, momentumBuffer: Dense | null, hyper: SgdHyper): void;

  /**
   * In place, PyTorch's Adam (or AdamW) for one parameter: m = β₁m + (1 − β₁)g, v = β₂v + (1 − β₂)g²,
   * p −= lr/(1 − β₁ᵗ) · m / (sqrt(v)/sqrt(1 − β₂ᵗ) + eps), with the running maximum of v in its place where `vMax`
   * is given (amsgrad). Decay and l1 as in {@link AdamHyper} and `sgdStep`; the proximal threshold is lr·l1.
   */
  adamStep(parameter: Dense, grad: Dense, m: Dense, v: Dense, vMax: Dense | null, hyper: AdamHyper): void;
}
