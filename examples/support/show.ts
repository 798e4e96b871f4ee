/** Where a script's pictures go: into the notebook in which it runs, or else into files. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Takes pictures, as the text of SVG files, that belong side by side under one caption. */
export type Display = (caption: string, pictures: readonly string[]) => void | Promise<void>;

let display: Display | undefined;

/** Sends the pictures that follow somewhere else. */
export function displayWith(other: Display): void {
  display = other;
}

/**
 * Shows pictures, which are texts of SVG files, side by side under a caption: in Jupyter where it runs there, and as files
 * in the folder `OUT` otherwise (default: `out/mnist`).
 */
export async function show(caption: string, ...pictures: readonly string[]): Promise<void> {
  await (display ?? jupyterDisplay() ?? writeFiles)(caption, pictures);
}

/** Pictures under a caption as a piece of HTML; in a narrow window they stand below each other. */
export function figure(caption: string, pictures: readonly string[]): string {
  return (
    '<figure style="margin: 1em 0"><div style="display: flex; flex-wrap: wrap; gap: 12px">' +
    `${pictures.join("")}</div><figcaption>${escapeHtml(caption)}</figcaption></figure>`
  );
}

export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** The part of Deno's Jupyter kernel that is used here. */
interface Jupyter {
  display(content: Readonly<Record<string, string>>, options: { raw: true }): Promise<void>;
}

function jupyterDisplay(): Display | undefined {
  const { Deno } = globalThis as { Deno?: { jupyter?: Jupyter } };
  let jupyter: Jupyter | undefined;
  try {
    jupyter = Deno?.jupyter;
  } catch {
    // Deno has it in its kernel only, and throws elsewhere.
  }
  return jupyter && ((caption, pictures) => jupyter.display({ "text/html": figure(caption, pictures) }, { raw: true }));
}

function writeFiles(caption: string, pictures: readonly string[]): void {
  const folder = process.env.OUT ?? "out/mnist";
  const name = caption
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 50)
    .replace(/^-|-$/g, "");
  mkdirSync(folder, { recursive: true });
  pictures.forEach((picture, index) => {
    const file = join(folder, `${name}${pictures.length > 1 ? `-${index + 1}` : ""}.svg`);
    writeFileSync(file, picture);
    console.log(`${caption}: ${file}`);
  });
}
