/** Compares results, in any runtime. */
import type { KernelCase, Outputs } from "./bench.js";

/** How far results of a case may be apart; see {@link KernelCase.tolerance}. */
export function toleranceOf(kernelCase: KernelCase): number {
  return kernelCase.dtypes.includes("float32") ? (kernelCase.tolerance ?? 1e-5) : 1e-12;
}

/** Whether two results are equal: NaN to NaN, infinities to themselves, the rest to within `tolerance`. */
function near(a: number, b: number, tolerance: number): boolean {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b);
  if (a === b) return true;
  return Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b));
}

/** Says what the first difference is; null where there is none. */
export function difference(got: Outputs, expected: Outputs, tolerance: number): string | null {
  const [names, expectedNames] = [Object.keys(got).join(), Object.keys(expected).join()];
  if (names !== expectedNames) return `got ${names}; expected ${expectedNames}`;
  for (const [name, values] of Object.entries(expected)) {
    const results = got[name] ?? [];
    if (results.length !== values.length) return `${name} has ${results.length} elements; expected ${values.length}`;
    const place = values.findIndex((value, i) => !near(results[i] ?? Number.NaN, value, tolerance));
    if (place >= 0) return `${name}[${place}] is ${results[place]}; expected ${values[place]} to within ${tolerance}`;
  }
  return null;
}
