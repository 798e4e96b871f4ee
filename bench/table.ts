/** The table of results, 80 columns wide. */
import type { Line } from "./lines.js";
import type { Times } from "./measure.js";

const nameWidth = 27;
const timesWidth = 23;

/** The heading, for results with PyTorch or without. */
export function heading(withPyTorch: boolean): string {
  const sides = withPyTorch ? ["tapegrad", "PyTorch"] : ["tapegrad"];
  const columns = sides.map((side) => side.padEnd(timesWidth)).join("");
  return `${"".padEnd(nameWidth)}${columns}${withPyTorch ? "  ratio" : ""}`.trimEnd();
}

/** One line: median, least and most of each side, and how many times as long PyTorch takes, by the medians or the least. */
export function row(line: Line, [ours, theirs]: readonly Times[], byLeast = false): string {
  if (ours === undefined) throw new Error("there is nothing to show");
  const columns = [ours, theirs].map((times) => (times === undefined ? "" : format(line, times).padEnd(timesWidth)));
  const by = byLeast ? "least" : "median";
  const ratio = theirs === undefined ? "" : significant(theirs[by] / ours[by]).padStart(7);
  return `${line.name.padEnd(nameWidth)}${columns.join("")}${ratio}`.trimEnd();
}

function format({ unit = "ms", images }: Line, { median, least, most }: Times): string {
  if (images !== undefined) {
    const show = (milliseconds: number): string => `${significant(images / milliseconds)}k`;
    return `${show(median)} (${show(most)}–${show(least)})`;
  }
  const scale = unit === "µs" ? 1000 : 1;
  const show = (milliseconds: number): string => significant(milliseconds * scale);
  return `${show(median)} ${unit} (${show(least)}–${show(most)})`;
}

/** Three significant digits, or all of a whole number. */
function significant(value: number): string {
  return value < 999.5 ? value.toPrecision(3) : value.toFixed(0);
}
