/** Checks of the settings that schedulers are made with. */
import { ArgumentError } from "../../errors.js";

export { checkOptions } from "../../tensor/options.js";

/** @throws ArgumentError where `value` is no finite number from `least` to `most`. */
export function checkNumber(where: string, name: string, value: number, least = -Infinity, most = Infinity): void {
  if (typeof value === "number" && Number.isFinite(value) && value >= least && value <= most) return;
  const range = `${least === -Infinity ? "" : ` of ${least} or more`}${most === Infinity ? "" : ` and ${most} or less`}`;
  throw new ArgumentError(
    `${where}: got ${name} = ${String(value)}; expected a finite number${range}. Correct ${name}.`,
  );
}

/** @throws ArgumentError where `value` is no whole number of `least` or more. */
export function checkWhole(where: string, name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new ArgumentError(
    `${where}: got ${name} = ${String(value)}; expected a whole number of ${least} or more. Correct ${name}.`,
  );
}

/** @throws ArgumentError where `value` is not one of `choices`. */
export function checkChoice(where: string, name: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  throw new ArgumentError(
    `${where}: got ${name} = ${JSON.stringify(value)}; expected one of ${choices.join(", ")}. Correct ${name}.`,
  );
}

/** One number for each group: given one by one, or one for all. */
export function perGroup<T>(where: string, name: string, value: T | readonly T[], groups: number): readonly T[] {
  const list = Array.isArray(value) ? (value as readonly T[]) : new Array<T>(groups).fill(value as T);
  if (list.length === groups) return [...list];
  throw new ArgumentError(
    `${where}: got ${list.length} values of ${name} for ${groups} parameter groups; expected one for each. Give ${groups}, or one for all.`,
  );
}
