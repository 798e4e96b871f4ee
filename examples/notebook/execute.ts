/** Runs a literate script and keeps what each of its cells printed and showed. */
import { rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { displayWith } from "../support/show.js";
import { type Cell, withCalls } from "./cells.js";

/** One thing that a cell left: text that it printed, or pictures under a caption. */
export type Output =
  | { readonly kind: "text" | "error"; readonly text: string }
  | { readonly kind: "pictures"; readonly caption: string; readonly pictures: readonly string[] };

export interface Executed {
  /** For each cell of the script, in order. */
  readonly outputs: readonly (readonly Output[])[];
  /** Whether an error ended the script. */
  readonly failed: boolean;
}

/** Runs the script in this process; what it prints is printed, too. */
export async function execute(script: string, path: string, cells: readonly Cell[]): Promise<Executed> {
  const outputs: Output[][] = cells.map(() => []);
  let current = outputs[0];
  const cellBegins = (index: number): void => {
    current = outputs[index];
  };
  const note = (kind: "text" | "error", text: string): void => {
    const last = current?.at(-1);
    if (last?.kind === kind) current?.splice(-1, 1, { kind, text: last.text + text });
    else current?.push({ kind, text });
  };

  Object.assign(globalThis, { notebookCellBegins: cellBegins });
  displayWith((caption, pictures) => void current?.push({ kind: "pictures", caption, pictures }));
  const restore = listen((text) => note("text", text));
  // Beside the script, so that its imports lead where they should.
  const copy = join(dirname(path), `.${basename(path, ".ts")}-${process.pid}.run.ts`);
  let failed = false;
  try {
    writeFileSync(
      copy,
      withCalls(script, cells, (index) => `notebookCellBegins(${index});`),
    );
    await import(pathToFileURL(copy).href);
  } catch (error) {
    failed = true;
    restore();
    const text = (error instanceof Error ? (error.stack ?? error.message) : String(error)).replaceAll(copy, path);
    console.error(text);
    note("error", text);
  } finally {
    restore();
    rmSync(copy, { force: true });
  }
  return { outputs, failed };
}

/** Hears what is written to standard output, which is not taken for a terminal meanwhile; gives a function that ends it. */
function listen(heard: (text: string) => void): () => void {
  const { stdout } = process;
  const { write, isTTY } = stdout;
  const listening = (...args: Parameters<typeof write>): boolean => {
    const [chunk] = args;
    heard(stripVTControlCharacters(typeof chunk === "string" ? chunk : Buffer.from(chunk).toString()));
    return write.apply(stdout, args);
  };
  Object.assign(stdout, { write: listening, isTTY: false });
  return () => Object.assign(stdout, { write, isTTY });
}
