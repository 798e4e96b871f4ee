/** A literate script as a Jupyter notebook for Deno's kernel. */
import type { Cell } from "./cells.js";

/**
 * The text of an .ipynb file that has not been run.
 *
 * @see https://nbformat.readthedocs.io/en/latest/format_description.html
 */
export function toJupyter(cells: readonly Cell[]): string {
  const notebook = {
    cells: cells.map(({ kind, text }, index) => ({
      cell_type: kind,
      id: `cell-${index}`,
      metadata: {},
      ...(kind === "code" ? { execution_count: null, outputs: [] } : {}),
      source: text.split(/(?<=\n)/),
    })),
    metadata: {
      kernelspec: { display_name: "Deno", language: "typescript", name: "deno" },
      language_info: { file_extension: ".ts", mimetype: "text/x.typescript", name: "typescript" },
    },
    nbformat: 4,
    nbformat_minor: 5,
  };
  return `${JSON.stringify(notebook, null, 1)}\n`;
}
