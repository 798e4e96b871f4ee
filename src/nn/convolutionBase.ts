import { ArgumentError } from "../errors.js";
import { formatSetting, type Pair } from "../tensor/window.js";
import { checkChoice, checkCount, checkDType, checkGroups, settings } from "./arguments.js";
import { Module } from "./module.js";
import { drawWeights, newParameter, type ParameterPlace } from "./newParameter.js";
import type { Parameter } from "./parameter.js";

/** What a convolution reads beyond the edge. */
export type PaddingMode = "zeros" | "reflect" | "replicate" | "circular";

const paddingModes: readonly string[] = ["zeros", "reflect", "replicate", "circular"] satisfies PaddingMode[];

/** Names of the settings of convolutions. */
export const convolutionSettings = [
  "stride",
  "padding",
  "dilation",
  "groups",
  "bias",
  "paddingMode",
  "dtype",
  "device",
] as const;

/** Names of the settings of transposed convolutions. */
export const transposedSettings = [
  "stride",
  "padding",
  "outputPadding",
  "groups",
  "bias",
  "dilation",
  "dtype",
  "device",
] as const;

/** Settings that all convolutions have, given as `Given` along their axes. */
interface ConvolutionOptions<Given> extends ParameterPlace {
  readonly stride?: Given;
  readonly dilation?: Given;
  readonly groups?: number;
  readonly bias?: boolean;
}

/** How a convolution reads a setting along its axes: a whole number of `least` or more for each. */
type Reader<Given, Extent> = (where: string, name: string, value: Given | 1, least: number) => Extent;

/** What all convolutions are made of: `Extent` is a number along one axis, a pair along two. */
export abstract class Convolution<Given, Extent extends number | Pair> extends Module {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: Extent;
  readonly stride: Extent;
  readonly dilation: Extent;
  readonly groups: number;
  weight: Parameter;
  bias: Parameter | null;

  protected constructor(
    where: string,
    inChannels: number,
    outChannels: number,
    kernelSize: Given,
    transposed: boolean,
    options: ConvolutionOptions<Given>,
    read: Reader<Given, Extent>,
  ) {
    super();
    const { stride = 1, dilation = 1, groups = 1, bias = true } = options;
    checkCount(where, "inChannels", inChannels);
    checkCount(where, "outChannels", outChannels);
    checkGroups(where, groups, { inChannels, outChannels });
    checkDType(where, options.dtype);
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.kernelSize = read(where, "kernelSize", kernelSize, 1);
    this.stride = read(where, "stride", stride, 1);
    this.dilation = read(where, "dilation", dilation, 1);
    this.groups = groups;
    const channels = transposed ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups];
    this.weight = newParameter([...channels, ...extentsOf(this.kernelSize)], options);
    this.bias = bias ? newParameter([outChannels], options) : null;
    this.resetParameters();
  }

  /** Draws weight and bias anew. */
  resetParameters(): void {
    drawWeights(this.weight, this.bias);
  }

  protected describeWith(padding: Extent | string, more: { readonly [name: string]: unknown }): string {
    const { inChannels, outChannels, kernelSize, stride, dilation, groups, bias } = this;
    const numbers = settings({
      kernelSize,
      stride,
      padding: unless(0, padding),
      dilation: unless(1, dilation),
      groups: unless(1, groups),
      bias: bias === null ? false : undefined,
      ...more,
    });
    return `${inChannels}, ${outChannels}, ${numbers}`;
  }
}

/** The setting, or undefined where it is `usual` along all axes: for printing. */
export function unless<T extends number | Pair | string>(usual: number, setting: T): T | undefined {
  return typeof setting !== "string" && extentsOf(setting).every((extent) => extent === usual) ? undefined : setting;
}

function extentsOf(setting: number | Pair): readonly number[] {
  return typeof setting === "number" ? [setting] : setting;
}

/**
 * Refuses ways to pad that there are not.
 *
 * @param kept what "same" keeps, in words
 * @throws ArgumentError for unknown names, and for `"same"` with a stride.
 */
export function checkPadding(
  where: string,
  padding: unknown,
  paddingMode: string,
  stride: number | Pair,
  kept: string,
): void {
  checkChoice(where, "paddingMode", paddingMode, paddingModes);
  if (typeof padding !== "string") return;
  checkChoice(where, "padding", padding, ["same", "valid"]);
  if (padding === "same" && unless(1, stride) !== undefined) {
    throw new ArgumentError(
      `${where}: got padding "same" with stride ${formatSetting(stride)}; expected stride 1, as no padding keeps the ${kept} with another. ` +
        "Give the padding in numbers.",
    );
  }
}
