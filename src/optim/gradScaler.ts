import { ArgumentError, DTypeError } from "../errors.js";
import { mul, mul_ } from "../tensor/ops/arithmetic.js";
import { stack } from "../tensor/ops/joining.js";
import { all, isfinite } from "../tensor/ops/logic.js";
import { checkOptions } from "../tensor/options.js";
import { noGrad } from "../tensor/scopes.js";
import { Tensor } from "../tensor/tensor.js";

/** Settings of {@link GradScaler}. */
export interface GradScalerOptions {
  /** Factor at first, above 0. Default 65536. */
  readonly initScale?: number;
  /** By what the factor grows, above 1. Default 2. */
  readonly growthFactor?: number;
  /** By what it shrinks, between 0 and 1. Default 0.5. */
  readonly backoffFactor?: number;
  /** After how many steps without overflow it grows. Default 2000. */
  readonly growthInterval?: number;
  /** Whether to scale at all; false makes `scale` give what it gets, and `step` the optimizer's. Default true. */
  readonly enabled?: boolean;
}

/** What a {@link GradScaler} knows; of one that is not enabled it is `{}`. */
export interface GradScalerState {
  readonly scale: number;
  readonly growthFactor: number;
  readonly backoffFactor: number;
  readonly growthInterval: number;
  /** Steps without overflow since the factor changed. */
  readonly growthTracker: number;
}

/** What a {@link GradScaler} steps: every optimizer is one. */
export interface ScaledOptimizer {
  readonly paramGroups: readonly { readonly params: readonly Tensor[] }[];
  step(): void;
}

/** What was done for an optimizer since the last update. */
interface Progress {
  /** True where its gradients are finite, a bool; what was read of it once somebody had to know. */
  finite: Tensor | boolean;
  hasStepped: boolean;
}

/**
 * Multiplies losses, so that gradients in float16 do not vanish, and divides gradients before the optimizer sees them. A step whose
 * gradients are not all finite is skipped and the factor shrinks; after many without such a one it grows.
 *
 * ```ts
 * const scaler = new amp.GradScaler();
 * for await (const [x, labels] of loader) {
 *   optimizer.zeroGrad();
 *   const loss = autocast(() => nn.functional.crossEntropy(model.forward(x), labels));
 *   scaler.scale(loss).backward();
 *   await scaler.step(optimizer);
 *   await scaler.update();
 * }
 * ```
 *
 * `step` and `update` are asynchronous, where PyTorch's wait: whether gradients are finite has to be read from the device, once for each
 * optimizer. It works on the CPU, in float32, too.
 *
 * @see https://pytorch.org/docs/stable/amp.html#gradient-scaling
 * @see P. Micikevicius et al.: Mixed Precision Training, https://arxiv.org/abs/1710.03740, section 3.2
 */
export class GradScaler {
  private settings: GradScalerState;
  private readonly enabled: boolean;
  private readonly progress = new Map<ScaledOptimizer, Progress>();

  /** @throws ArgumentError where a setting is out of its range. */
  constructor(options: GradScalerOptions = {}) {
    checkOptions("GradScaler", options, ["initScale", "growthFactor", "backoffFactor", "growthInterval", "enabled"]);
    const { initScale = 2 ** 16, growthFactor = 2, backoffFactor = 0.5, growthInterval = 2000 } = options;
    this.enabled = options.enabled ?? true;
    this.settings = { scale: initScale, growthFactor, backoffFactor, growthInterval, growthTracker: 0 };
    check("GradScaler", this.settings);
  }

  /** The loss times the factor; also all tensors of an array. */
  scale(outputs: Tensor): Tensor;
  scale(outputs: readonly Tensor[]): Tensor[];
  scale(outputs: Tensor | readonly Tensor[]): Tensor | Tensor[] {
    const scaled = (output: Tensor): Tensor => (this.enabled ? mul(output, this.settings.scale) : output);
    return outputs instanceof Tensor ? scaled(outputs) : outputs.map(scaled);
  }

  /**
   * Divides the gradients of an optimizer's parameters by the factor, in place: for those who clip or look at them before the step,
   * which then does it no more.
   *
   * @throws ArgumentError where it was done since the last update already, or there are no gradients.
   * @throws DTypeError where gradients are float16, which has no room for them: keep parameters in float32.
   */
  unscale_(optimizer: ScaledOptimizer): void {
    if (!this.enabled) return;
    const before = this.progress.get(optimizer);
    if (before !== undefined) {
      throw new ArgumentError(
        `GradScaler.unscale_: got an optimizer that ${before.hasStepped ? "was stepped" : "was unscaled"} since the last update(); ` +
          "expected it once before each step. Call update() after each step.",
      );
    }
    const grads = optimizer.paramGroups.flatMap(({ params }) => params.flatMap(({ grad }) => grad ?? []));
    checkGrads(grads);
    const inverse = Math.fround(1 / this.settings.scale);
    const finite = noGrad(() => {
      const flags = grads.map((grad) => all(isfinite(grad)));
      for (const grad of grads) mul_(grad, inverse);
      return all(stack(flags));
    });
    this.progress.set(optimizer, { finite, hasStepped: false });
  }

  /**
   * Steps the optimizer where all its gradients are finite, unscaled first if they were not yet. Await it: that is read from the device.
   *
   * @throws ArgumentError, DTypeError as {@link unscale_} does; also where it was stepped since the last update already (as a rejection).
   */
  async step(optimizer: ScaledOptimizer): Promise<void> {
    if (!this.enabled) {
      optimizer.step();
      return;
    }
    if (this.progress.get(optimizer)?.hasStepped) {
      throw new ArgumentError(
        "GradScaler.step: got an optimizer that was stepped since the last update(); expected one step before each. Call update() after it.",
      );
    }
    if (!this.progress.has(optimizer)) this.unscale_(optimizer);
    const progress = this.progress.get(optimizer);
    if (progress === undefined) return;
    progress.hasStepped = true;
    if (await wasFinite(progress)) optimizer.step();
  }

  /**
   * Shrinks the factor where gradients of any optimizer were not finite since the last update; else grows it, if it is time. Or sets it
   * to `newScale`.
   *
   * @throws ArgumentError where no optimizer was unscaled or stepped since the last update, or `newScale` is not above 0 (as a rejection).
   */
  async update(newScale?: number): Promise<void> {
    if (!this.enabled) return;
    if (newScale !== undefined) {
      const settings = { ...this.settings, scale: newScale };
      check("GradScaler.update", settings);
      this.settings = settings;
    } else {
      if (this.progress.size === 0) {
        throw new ArgumentError(
          "GradScaler.update: got no optimizer that was stepped since the last update(); expected one. Call await step(optimizer) before.",
        );
      }
      let finite = true;
      for (const progress of this.progress.values()) finite = (await wasFinite(progress)) && finite;
      this.settings = next(this.settings, finite);
    }
    this.progress.clear();
  }

  /** The factor; 1 where it is not enabled. */
  getScale(): number {
    return this.enabled ? this.settings.scale : 1;
  }

  /** Whether it scales at all. */
  isEnabled(): boolean {
    return this.enabled;
  }

  /** The factor, its settings, and how long it has not changed; `{}` where it is not enabled. */
  stateDict(): GradScalerState | Record<string, never> {
    return this.enabled ? { ...this.settings } : {};
  }

  /**
   * Goes on where another one stopped; one that is not enabled takes no notice, as PyTorch's.
   *
   * @throws ArgumentError where it is no state, or that of one that was not enabled.
   */
  loadStateDict(state: GradScalerState | Record<string, never>): void {
    if (!this.enabled) return;
    const { scale, growthFactor, backoffFactor, growthInterval, growthTracker } = state as GradScalerState;
    const settings = { scale, growthFactor, backoffFactor, growthInterval, growthTracker };
    check("GradScaler.loadStateDict", settings);
    this.settings = settings;
  }
}

async function wasFinite(progress: Progress): Promise<boolean> {
  if (progress.finite instanceof Tensor) progress.finite = (await progress.finite.item()) !== 0;
  return progress.finite;
}

function next(settings: GradScalerState, finite: boolean): GradScalerState {
  const { scale, growthFactor, backoffFactor, growthInterval, growthTracker } = settings;
  if (!finite) return { ...settings, scale: Math.fround(scale * backoffFactor), growthTracker: 0 };
  if (growthTracker + 1 < growthInterval) return { ...settings, growthTracker: growthTracker + 1 };
  const grown = Math.fround(scale * growthFactor);
  return { ...settings, scale: Number.isFinite(grown) ? grown : scale, growthTracker: 0 };
}

function check(where: string, settings: GradScalerState): void {
  const { scale, growthFactor, backoffFactor, growthInterval, growthTracker } = settings;
  const finite = Number.isFinite;
  const ranges: readonly (readonly [name: string, value: number, fits: boolean, range: string])[] = [
    ["scale", scale, finite(scale) && scale > 0, "a number above 0"],
    ["growthFactor", growthFactor, finite(growthFactor) && growthFactor > 1, "a number above 1"],
    ["backoffFactor", backoffFactor, backoffFactor > 0 && backoffFactor < 1, "a number between 0 and 1"],
    [
      "growthInterval",
      growthInterval,
      Number.isInteger(growthInterval) && growthInterval > 0,
      "a whole number above 0",
    ],
    [
      "growthTracker",
      growthTracker,
      Number.isInteger(growthTracker) && growthTracker >= 0,
      "a whole number of 0 or more",
    ],
  ];
  for (const [name, value, fits, range] of ranges) {
    if (!fits) throw new ArgumentError(`${where}: got ${name} ${String(value)}; expected ${range}. Correct it.`);
  }
}

function checkGrads(grads: readonly Tensor[]): void {
  if (grads.length === 0) {
    throw new ArgumentError(
      "GradScaler: got an optimizer whose parameters have no gradients; expected some. Call scaler.scale(loss).backward() before.",
    );
  }
  if (grads.some(({ dtype }) => dtype === "float16")) {
    throw new DTypeError(
      "GradScaler: got gradients of float16; expected float32, since unscaled they would vanish. Keep the parameters in float32, and let " +
        "autocast cast them.",
    );
  }
}
