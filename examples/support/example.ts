/** What every example has: its options, what it prints, and the folder for its pictures. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import type { Tensor } from "tapegrad";

/** Options that every example takes. */
interface CommonOptions {
  /** Folder for its pictures. */
  readonly out: string;
  /** Whether it shall do less: enough to see that it works. */
  readonly quick: boolean;
}

/** An example that runs. */
export interface Example<Options> {
  readonly options: Options & CommonOptions;
  /** Writes a file into the folder for pictures, and says so. */
  save(name: string, content: string | Uint8Array): void;
}

/**
 * Reads the options of an example from its command line.
 *
 * @param addOptions adds those of its own
 */
export function startExample<Options = object>(
  name: string,
  description: string,
  addOptions: (command: Command) => Command = (command) => command,
): Example<Options> {
  const command = new Command(name)
    .description(description)
    .option("--out <folder>", "folder for its pictures", `out/${name}`)
    .option("--quick", "do less where a full run takes long: enough to see that it works", false)
    .allowExcessArguments(false);
  const options = addOptions(command).parse().opts<Options & CommonOptions>();
  return {
    options,
    save(file, content) {
      mkdirSync(options.out, { recursive: true });
      const path = join(options.out, file);
      writeFileSync(path, content);
      console.log(`written: ${path}`);
    },
  };
}

/** Prints a line that says what follows. */
export function section(title: string): void {
  console.log(`\n── ${title}`);
}

/** The elements of a tensor's last two axes, one line for each row, to `digits` places after the point. */
export async function rowsOf(tensor: Tensor, digits = 0): Promise<string> {
  const values = [...(await tensor.data())].map((value) => value.toFixed(digits));
  const width = tensor.shape.at(-1) ?? 1;
  const longest = Math.max(...values.map(({ length }) => length));
  const lines: string[] = [];
  for (let from = 0; from < values.length; from += width) {
    const row = values.slice(from, from + width).map((value) => value.padStart(longest));
    lines.push(`[${row.join(" ")}]`);
  }
  return lines.join("\n");
}

/** The greatest difference between elements of two tensors, relative to the greatest element of the second. */
export async function difference(got: Tensor, wanted: Tensor): Promise<number> {
  const [most, scale] = [await got.sub(wanted).abs().max().item(), await wanted.abs().max().item()];
  return scale === 0 ? most : most / scale;
}

/** A table as text: the first row is its head; the first column to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join("   ")
        .trimEnd(),
    )
    .join("\n");
}

/** Milliseconds with three digits that count, and their unit. */
export function milliseconds(time: number): string {
  return time >= 1000 ? `${(time / 1000).toPrecision(3)} s` : `${time.toPrecision(3)} ms`;
}

/**
 * The median time of a call in milliseconds, after one that is not counted. What it returns is read, so that its work is
 * done.
 *
 * @param repeats calls that are counted
 */
export async function timeOf(call: () => Tensor, repeats: number): Promise<number> {
  const times: number[] = [];
  for (let k = 0; k <= repeats; k++) {
    const start = performance.now();
    const result = call();
    await result.data();
    if (k > 0 || repeats === 0) times.push(performance.now() - start);
    result.dispose();
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
}
