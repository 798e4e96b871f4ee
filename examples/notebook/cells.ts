/** Literate scripts: ordinary ones whose comments divide them into cells, as editors and jupytext know them. */

/** Prose in Markdown, or code. */
export interface Cell {
  readonly kind: "markdown" | "code";
  /** Without the comment signs of prose, and without empty lines at its ends. */
  readonly text: string;
  /** Line of the script, from 0, in which the marker stands. */
  readonly line: number;
}

const marker = /^\/\/ %%( \[markdown\])?$/;

/**
 * Divides a script at lines that read `// %%` (code follows) or `// %% [markdown]` (prose follows, in comments).
 *
 * @throws Error where a script begins without a marker, has another marker than those, or code among its prose.
 * @see https://jupytext.readthedocs.io/en/latest/formats-scripts.html#the-percent-format
 */
export function parseCells(script: string): Cell[] {
  const lines = script.trimEnd().split("\n");
  const starts = lines.flatMap((line, index) => (line.startsWith("// %%") ? [index] : []));
  if (starts[0] !== 0) throw new Error(`line 1: got ${JSON.stringify(lines[0])}; expected // %% or // %% [markdown].`);
  return starts.map((line, index) => {
    const found = marker.exec(lines[line] ?? "");
    if (!found) throw new Error(`line ${line + 1}: got ${lines[line]}; expected // %% or // %% [markdown].`);
    const body = lines.slice(line + 1, starts[index + 1]);
    if (found[1] === undefined) return { kind: "code", text: body.join("\n").trim(), line };
    const prose = body.flatMap((text, row) => (text === "" ? [] : [uncommented(text, line + row + 2)]));
    return { kind: "markdown", text: prose.join("\n").trim(), line };
  });
}

function uncommented(text: string, lineNumber: number): string {
  if (text === "//") return "";
  if (text.startsWith("// ")) return text.slice(3);
  throw new Error(`line ${lineNumber}: got ${text}; expected prose after //. Begin code with // %%.`);
}

/** The script with a call in the place of each marker, so that lines keep their numbers. */
export function withCalls(script: string, cells: readonly Cell[], callOf: (index: number) => string): string {
  const lines = script.split("\n");
  cells.forEach(({ line }, index) => {
    lines[line] = callOf(index);
  });
  return lines.join("\n");
}
