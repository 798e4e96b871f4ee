/** An executed script as one HTML file that needs nothing else. */
import { marked } from "marked";
import { codeToHtml } from "shiki";
import { escapeHtml, figure } from "../support/show.js";
import type { Cell } from "./cells.js";
import type { Output } from "./execute.js";

const style = `
:root { color-scheme: light dark; --ground: #ffffff; --text: #1f2328; --faint: #59636e; --line: #d1d9e0; --code: #f6f8fa;
  --link: #0969da; --error: #d1242f; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0d1117; --text: #e6edf3; --faint: #9198a1; --line: #3d444d; --code: #161b22; --link: #4493f8;
    --error: #f85149; }
  .shiki, .shiki span { color: var(--shiki-dark) !important; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 900px; padding: 24px 16px 64px; background: var(--ground); color: var(--text);
  font: 16px/1.55 system-ui, sans-serif; }
h1 { font-size: 2em; line-height: 1.2; margin: 0.5em 0; }
h2 { border-bottom: 1px solid var(--line); padding-bottom: 0.2em; margin-top: 2em; }
a { color: var(--link); }
code { font: 0.87em/1.5 ui-monospace, "Cascadia Code", Menlo, Consolas, monospace; }
:not(pre) > code { background: var(--code); border-radius: 4px; padding: 0.15em 0.35em; }
pre { margin: 12px 0; padding: 12px 16px; overflow-x: auto; border-radius: 6px; font-size: 14.5px; }
pre.shiki { background: var(--code) !important; }
.output { border-left: 3px solid var(--line); margin: 12px 0 20px; padding-left: 16px; }
.output pre { padding: 0; border-radius: 0; }
pre.error { color: var(--error); white-space: pre-wrap; }
.output svg { max-width: 100%; height: auto; }
figcaption { color: var(--faint); font-size: 0.9em; margin-top: 4px; }
nav { font-size: 0.95em; }
nav a { margin-right: 1em; white-space: nowrap; }
footer { margin-top: 48px; border-top: 1px solid var(--line); padding-top: 8px; color: var(--faint); font-size: 0.9em; }
`;

/** The text of an HTML file with prose, code and what the code printed and showed. */
export async function toReport(
  cells: readonly Cell[],
  outputs: readonly (readonly Output[])[],
  footer: string,
): Promise<string> {
  const headings = cells.flatMap(({ kind, text }) =>
    kind === "markdown"
      ? [...text.matchAll(/^(#+) (.+)$/gm)].map(([, level = "", title = ""]) => ({ level, title }))
      : [],
  );
  const title = headings.find(({ level }) => level === "#")?.title ?? "Notebook";
  const links = headings
    .filter(({ level }) => level === "##")
    .map(({ title }) => `<a href="#${anchorOf(title)}">${escapeHtml(title)}</a>`);
  const parts = await Promise.all(cells.map((cell, index) => section(cell, outputs[index] ?? [])));
  // The overview stands after the introduction.
  parts.splice(1, 0, `<nav>${links.join("\n")}</nav>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
${parts.join("\n")}
<footer>${escapeHtml(footer)}</footer>
</body>
</html>
`;
}

async function section({ kind, text }: Cell, outputs: readonly Output[]): Promise<string> {
  if (kind === "markdown") {
    const html = await marked.parse(text);
    return html.replace(/<h2>(.*?)<\/h2>/g, (_, title: string) => `<h2 id="${anchorOf(title)}">${title}</h2>`);
  }
  const code = await codeToHtml(text, {
    lang: "typescript",
    themes: { light: "github-light", dark: "github-dark" },
  });
  if (outputs.length === 0) return code;
  return `${code}\n<div class="output">${outputs.map(outputHtml).join("\n")}</div>`;
}

function outputHtml(output: Output): string {
  if (output.kind === "pictures") return figure(output.caption, output.pictures);
  return `<pre${output.kind === "error" ? ' class="error"' : ""}><code>${escapeHtml(output.text.trimEnd())}</code></pre>`;
}

function anchorOf(title: string): string {
  return title.toLowerCase().replace(/[^a-z0-9]+/g, "-");
}
