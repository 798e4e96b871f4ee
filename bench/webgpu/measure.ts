/** Measures the lines in turns, and prints them as a table. */
import { measureInTurns, type Times } from "../measure.js";
import { lines, type Side, type Timed } from "./lines.js";

const nameWidth = 26;
const timesWidth = 24;

/**
 * @param sides This library first.
 * @param rounds Rounds of which the median is shown.
 * @param only Texts of which a line's name has one; all lines where there are none.
 */
export async function measure(
  sides: readonly Side[],
  rounds: number,
  only: readonly string[],
  print: (line: string) => void,
): Promise<void> {
  print(`${"".padEnd(nameWidth)}${sides.map(({ name }) => name.padEnd(timesWidth)).join("")}times ours`);
  for (const { name, floor, unit } of lines) {
    if (only.length > 0 && !only.some((text) => name.includes(text))) continue;
    const works: Timed[] = [];
    const present: boolean[] = [];
    for (const side of sides) {
      const timed = await side.prepare(name);
      present.push(timed !== null);
      if (timed !== null) works.push(timed);
    }
    const times = name.endsWith("first step") ? await once(works) : await measureInTurns(works, rounds);
    let next = 0;
    const columns = present.map((there) => (there ? times[next++] : undefined));
    const [ours, ...others] = columns;
    if (ours === undefined) throw new Error(`${name}: this library was not measured`);
    const cells = columns.map((it) => (it === undefined ? "" : show(it, unit)).padEnd(timesWidth));
    const ratios = others.map((it) => (it === undefined ? "" : (it.median / ours.median).toPrecision(3)).padEnd(6));
    print(`${name.padEnd(nameWidth)}${cells.join("")}${ratios.join("")}${floor === null ? "" : `(≥ ${floor})`}`);
  }
}

/** What happens once only: compiling, above all. */
async function once(works: readonly Timed[]): Promise<Times[]> {
  const found: Times[] = [];
  for (const work of works) {
    const milliseconds = await work(1);
    found.push({ median: milliseconds, least: milliseconds, most: milliseconds });
  }
  return found;
}

function show({ median, least, most }: Times, unit: "ms" | "µs"): string {
  const scale = unit === "µs" ? 1000 : 1;
  const text = (milliseconds: number): string => {
    const value = milliseconds * scale;
    return value < 999.5 ? value.toPrecision(3) : value.toFixed(0);
  };
  return least === most ? `${text(median)} ${unit}` : `${text(median)} ${unit} (${text(least)}–${text(most)})`;
}
