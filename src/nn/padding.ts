/** Layers that add places around their input. */
import { ArgumentError } from "../errors.js";
import { type PadMode, pad } from "../tensor/ops/pad.js";
import type { Tensor } from "../tensor/tensor.js";
import { formatSetting } from "../tensor/window.js";
import { settings } from "./arguments.js";
import { inLayer } from "./errorPlace.js";
import { Module } from "./module.js";

/** Places on all sides, or [left, right]. */
export type Padding1d = number | readonly [left: number, right: number];
/** Places on all sides, or [left, right, top, bottom]. */
export type Padding2d = number | readonly [left: number, right: number, top: number, bottom: number];

/** What all of them share. Negative numbers cut places off. */
abstract class Padding extends Module {
  readonly padding: readonly number[];

  constructor(where: string, sides: 2 | 4, padding: number | readonly number[]) {
    super();
    const list: unknown = typeof padding === "number" ? new Array<number>(sides).fill(padding) : padding;
    if (!Array.isArray(list) || list.length !== sides || !list.every((count) => Number.isSafeInteger(count))) {
      const names = sides === 2 ? "[left, right]" : "[left, right, top, bottom]";
      throw new ArgumentError(
        `${where}: got padding ${formatSetting(padding)}; expected a whole number, or ${names}. Correct padding.`,
      );
    }
    this.padding = [...(list as number[])];
  }

  protected abstract readonly mode: PadMode;

  forward(x: Tensor): Tensor {
    return inLayer(this, () => pad(x, this.padding, this.mode));
  }

  override extraRepr(): string {
    return settings({ padding: this.padding });
  }
}

/**
 * Adds places of 0 at the ends of the last axis.
 *
 * @throws ArgumentError where the padding is no whole number or pair of them.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ZeroPad1d.html
 */
export class ZeroPad1d extends Padding {
  protected readonly mode = "constant";

  constructor(padding: Padding1d) {
    super("ZeroPad1d", 2, padding);
  }
}

/**
 * Adds places of 0 around the last two axes.
 *
 * @throws ArgumentError where the padding is no whole number or four of them.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ZeroPad2d.html
 */
export class ZeroPad2d extends Padding {
  protected readonly mode = "constant";

  constructor(padding: Padding2d) {
    super("ZeroPad2d", 4, padding);
  }
}

/** Padding with a value of the user's. */
abstract class ConstantPad extends Padding {
  protected readonly mode = "constant";
  readonly value: number;

  constructor(where: string, sides: 2 | 4, padding: number | readonly number[], value: number) {
    super(where, sides, padding);
    if (typeof value !== "number") {
      throw new ArgumentError(
        `${where}: got value ${formatSetting(value)}; expected a number. Give what the padding holds.`,
      );
    }
    this.value = value;
  }

  override forward(x: Tensor): Tensor {
    return inLayer(this, () => pad(x, this.padding, "constant", this.value));
  }

  override extraRepr(): string {
    return settings({ padding: this.padding, value: this.value });
  }
}

/**
 * Adds places of one value at the ends of the last axis.
 *
 * @throws ArgumentError where the padding is no whole number or pair of them, or the value no number.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ConstantPad1d.html
 */
export class ConstantPad1d extends ConstantPad {
  constructor(padding: Padding1d, value: number) {
    super("ConstantPad1d", 2, padding, value);
  }
}

/**
 * Adds places of one value around the last two axes.
 *
 * @throws ArgumentError where the padding is no whole number or four of them, or the value no number.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ConstantPad2d.html
 */
export class ConstantPad2d extends ConstantPad {
  constructor(padding: Padding2d, value: number) {
    super("ConstantPad2d", 4, padding, value);
  }
}

/**
 * Adds the mirror image at the ends of the last axis, without the edge; it must be longer than the padding.
 *
 * @throws ArgumentError where the padding is no whole number or pair of them.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ReflectionPad1d.html
 */
export class ReflectionPad1d extends Padding {
  protected readonly mode = "reflect";

  constructor(padding: Padding1d) {
    super("ReflectionPad1d", 2, padding);
  }
}

/**
 * Adds the mirror image around the last two axes, without the edge; they must be longer than the padding.
 *
 * @throws ArgumentError where the padding is no whole number or four of them.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ReflectionPad2d.html
 */
export class ReflectionPad2d extends Padding {
  protected readonly mode = "reflect";

  constructor(padding: Padding2d) {
    super("ReflectionPad2d", 4, padding);
  }
}

/**
 * Repeats the edge at the ends of the last axis.
 *
 * @throws ArgumentError where the padding is no whole number or pair of them.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ReplicationPad1d.html
 */
export class ReplicationPad1d extends Padding {
  protected readonly mode = "replicate";

  constructor(padding: Padding1d) {
    super("ReplicationPad1d", 2, padding);
  }
}

/**
 * Repeats the edge around the last two axes.
 *
 * @throws ArgumentError where the padding is no whole number or four of them.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ReplicationPad2d.html
 */
export class ReplicationPad2d extends Padding {
  protected readonly mode = "replicate";

  constructor(padding: Padding2d) {
    super("ReplicationPad2d", 4, padding);
  }
}

/**
 * Goes on at the other end of the last axis.
 *
 * @throws ArgumentError where the padding is no whole number or pair of them.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.CircularPad1d.html
 */
export class CircularPad1d extends Padding {
  protected readonly mode = "circular";

  constructor(padding: Padding1d) {
    super("CircularPad1d", 2, padding);
  }
}

/**
 * Goes on at the other end of the last two axes.
 *
 * @throws ArgumentError where the padding is no whole number or four of them.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.CircularPad2d.html
 */
export class CircularPad2d extends Padding {
  protected readonly mode = "circular";

  constructor(padding: Padding2d) {
    super("CircularPad2d", 4, padding);
  }
}
