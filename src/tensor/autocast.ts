/** Regions in which products run in float16, and what needs the range of float32 in that. */
import { DTypeError } from "../errors.js";
import { isGradEnabled } from "./autograd.js";
import { isPresent, kernelsFor } from "./device.js";
import { to } from "./ops/cast.js";
import { checkOptions } from "./options.js";
import { refusePromise } from "./scopes.js";
import type { Tensor } from "./tensor.js";

/** Settings of {@link autocast}. */
export interface AutocastOptions {
  /** Whether to cast at all; false switches casting off inside a region. Default true. */
  readonly enabled?: boolean;
}

/** A leaf as float16, and which state of it that is. */
interface Cast {
  readonly half: Tensor;
  readonly version: number;
}

/** Casts of the outermost region, so that a parameter is cast once however often it is used. */
let casts: WeakMap<Tensor, Cast> | null = null;
let isCasting = false;

/**
 * Runs `fn` with mixed precision, on `"webgpu"`. Products (`matmul`, `linear`, convolutions and what is made of them) take their
 * float32 operands as float16, and give float16. `sum`, `mean`, `var`, `std`, `prod`, `cumsum`, `norm`, `logsumexp`, `exp`, `expm1`, `log`,
 * `log1p`, `pow`, `reciprocal`, `rsqrt`, `softplus`, softmax, norms, `normalize`, `cosineSimilarity` and losses take float16 as float32, and give
 * float32. All else runs in the dtype that its operands have, the wider one where they differ. These are PyTorch's lists, but
 * for `mean`, `var`, `std` and `batchNorm`, which run in float16 there.
 *
 * Regions nest. Parameters are cast once in the outermost one. Call `backward()` outside; it casts nothing, as gradients have the dtypes
 * of what they belong to. Small gradients need a `GradScaler`.
 *
 * @throws DTypeError where no device has float16: the CPU has none, and a GPU that has it offers the feature shader-f16.
 * @throws ArgumentError where `fn` is asynchronous: the mode belongs to the thread, not to a promise.
 * @see https://pytorch.org/docs/stable/amp.html
 * @see P. Micikevicius et al.: Mixed Precision Training, https://arxiv.org/abs/1710.03740
 */
export function autocast<T>(fn: () => T, options: AutocastOptions = {}): T {
  checkOptions("autocast", options, ["enabled"]);
  const { enabled = true } = options;
  if (enabled) checkDevice();
  const outer = casts;
  casts ??= new WeakMap();
  try {
    return withCasting(enabled, () => refusePromise("autocast", fn()));
  } finally {
    casts = outer;
  }
}

/** Whether a region is entered in which ops cast. */
export function isAutocasting(): boolean {
  return isCasting;
}

/** Runs `fn` with casting on or off. */
export function withCasting<T>(enabled: boolean, fn: () => T): T {
  const before = isCasting;
  isCasting = enabled;
  try {
    return fn();
  } finally {
    isCasting = before;
  }
}

function checkDevice(): void {
  if (!isPresent("webgpu")) {
    throw new DTypeError(
      'autocast: got no device but "cpu"; expected "webgpu", since the CPU has no float16. Call await setDefaultDevice("webgpu") first, ' +
        "or pass { enabled: false }.",
    );
  }
  if (!kernelsFor("webgpu").supports("float16")) {
    throw new DTypeError(
      'autocast: got a GPU without the feature "shader-f16" on "webgpu"; expected one with it, which float16 takes. Use another GPU, or pass ' +
        "{ enabled: false }.",
    );
  }
}

/**
 * The operands of a product: inside a region, float32 as float16.
 *
 * @throws DTypeError where one is on the CPU, which has no float16.
 */
export function forProduct<T extends readonly (Tensor | null)[]>(where: string, ...tensors: T): T {
  if (!isCasting) return tensors;
  return tensors.map((x) => {
    if (x?.dtype !== "float32") return x;
    if (x.device === "cpu") {
      throw new DTypeError(
        `${where}: got a tensor on "cpu" inside autocast; expected one on "webgpu", since the CPU has no float16. ` +
          'Move model and data with .to("webgpu"), or call it outside.',
      );
    }
    return asHalf(x);
  }) as unknown as T;
}

/** The operands of what needs the range of float32: inside a region, float16 as float32. */
export function forRange<T extends readonly (Tensor | null | undefined)[]>(...tensors: T): T {
  if (!isCasting) return tensors;
  return tensors.map((x) => (x?.dtype === "float16" ? to(x, "float32") : x)) as unknown as T;
}

/**
 * Refuses an op that loses too much inside a region.
 *
 * @throws DTypeError there.
 */
export function refuseCasting(where: string, instead: string): void {
  if (!isCasting) return;
  throw new DTypeError(
    `${where}: got a call inside autocast; expected it outside, since probabilities near 0 and 1 are lost in float16. ` +
      `Use ${instead} on what they were made from.`,
  );
}

const elementary: ReadonlySet<string> = new Set([
  "exp",
  "expm1",
  "log",
  "log1p",
  "pow",
  "reciprocal",
  "rsqrt",
  "softplus",
]);

/** An operand of an elementwise op: as float32 where the op needs its range. */
export function forElementwise<T extends Tensor | number>(name: string, x: T): T {
  if (!isCasting || typeof x === "number" || x.dtype !== "float16" || !elementary.has(name)) return x;
  return to(x, "float32") as T;
}

function asHalf(x: Tensor): Tensor {
  if (casts === null || !isGradEnabled() || !x.isLeaf || !x.requiresGrad) return to(x, "float16");
  const known = casts.get(x);
  if (known !== undefined && known.version === x.storage.version && !known.half.isReleased) return known.half;
  const half = to(x, "float16");
  casts.set(x, { half, version: x.storage.version });
  return half;
}
