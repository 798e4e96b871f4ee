/** The check of the options that ops and layers take. */
import { ArgumentError } from "../errors.js";
import { formatSetting } from "./window.js";

/**
 * Refuses options that would be ignored: a value in place of an object, and names that are not known.
 *
 * @throws ArgumentError for either.
 */
export function checkOptions<Options extends object>(
  where: string,
  options: Options,
  known: readonly (keyof Options & string)[],
): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new ArgumentError(
      `${where}: got ${formatSetting(options)} as options; expected an object such as { ${known[0] ?? ""}: … }. Put options last, by name.`,
    );
  }
  const names: readonly string[] = known;
  // Ops are called often: no list is made of the names.
  for (const name in options) {
    if (names.includes(name)) continue;
    throw new ArgumentError(
      `${where}: got the option ${formatSetting(name)}; expected only ${known.join(", ")}. Correct its name, or leave it out.`,
    );
  }
}
