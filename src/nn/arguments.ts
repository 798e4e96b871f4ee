/** Checks of the settings that layers are made with. */
import { ArgumentError, DTypeError } from "../errors.js";
import type { Tensor } from "../tensor/tensor.js";
import { formatSetting } from "../tensor/window.js";

export { checkOptions } from "../tensor/options.js";

/** @throws ArgumentError where `value` is not a whole number of `minimum` or more. */
export function checkCount(where: string, name: string, value: number, minimum = 1): void {
  if (!Number.isSafeInteger(value) || value < minimum) {
    const range = minimum === -Infinity ? "" : ` of ${minimum} or more`;
    throw new ArgumentError(
      `${where}: got ${name} ${formatSetting(value)}; expected a whole number${range}. Correct ${name}.`,
    );
  }
}

/** @throws DTypeError where parameters of `dtype` could not be learnt. A float16 that the device lacks is found out when they are made. */
export function checkDType(where: string, dtype: Tensor["dtype"] = "float32"): void {
  if (dtype !== "float32" && dtype !== "float64" && dtype !== "float16") {
    throw new DTypeError(
      `${where}: got dtype ${String(dtype)}; expected float32 or float64, which alone have gradients. Correct dtype.`,
    );
  }
}

/** @throws ArgumentError where `groups` does not divide a number of channels. */
export function checkGroups(where: string, groups: number, channels: { readonly [name: string]: number }): void {
  checkCount(where, "groups", groups);
  for (const [name, count] of Object.entries(channels)) {
    if (count % groups !== 0) {
      throw new ArgumentError(
        `${where}: got groups ${groups} for ${name} ${count}; expected a number that divides ${name}. Correct groups or ${name}.`,
      );
    }
  }
}

/** @throws ArgumentError where `value` is not one of `choices`. */
export function checkChoice(where: string, name: string, value: string, choices: readonly string[]): void {
  if (!choices.includes(value)) {
    throw new ArgumentError(
      `${where}: got ${name} ${formatSetting(value)}; expected one of ${choices.map(formatSetting).join(", ")}. Correct ${name}.`,
    );
  }
}

/** @throws ArgumentError where `value` is not a number from `least` to `most`. */
export function checkRange(where: string, name: string, value: number, least: number, most: number): void {
  const ok = typeof value === "number" && Number.isFinite(value) && value >= least && value <= most;
  if (!ok) {
    const range = least === -Infinity ? "" : most === Infinity ? ` of ${least} or more` : ` from ${least} to ${most}`;
    throw new ArgumentError(
      `${where}: got ${name} ${formatSetting(value)}; expected a finite number${range}. Correct ${name}.`,
    );
  }
}

/** Settings for printing, `name=value` each; those that are undefined are left out. */
export function settings(values: { readonly [name: string]: unknown }): string {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : formatSetting(value)}`)
    .join(", ");
}
