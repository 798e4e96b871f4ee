/** The pages of the guide, and the code in them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Page {
  readonly name: string;
  readonly text: string;
}

export const pages: readonly Page[] = readdirSync(join(root, "docs"))
  .filter((name) => name.endsWith(".md"))
  .map((name) => ({ name, text: readFileSync(join(root, "docs", name), "utf8") }));

/** All code of one language on a page, in order, as one script. */
export function codeOf({ text }: Page, language: "ts" | "python"): string {
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter(([, found]) => found === language)
    .map(([, , code = ""]) => code)
    .join("\n");
}

/** What parts the output of a page's code from that of its tables. */
export const endMark = "---";

/** A page as a script that can be run: its code, then a line of JSON for each row of its tables. */
export function scriptOf(page: Page, language: "ts" | "python"): string {
  const code = codeOf(page, language);
  const rows = tableRows(page);
  if (rows.length === 0) return code;
  if (language === "python") {
    const lines = rows.map(
      ({ python }) => `r = ${python}\nprint(json.dumps([list(r.shape), r.double().flatten().tolist()]))`,
    );
    return [code, "import json", `print("${endMark}")`, ...lines].join("\n");
  }
  const lines = rows.map(
    ({ ts }) => `{ const r = ${ts}; console.log(JSON.stringify([r.shape, [...(await r.double().data())]])); }`,
  );
  return [code, `console.log("${endMark}");`, ...lines].join("\n");
}

/** Where a page's script lies while it is run: beside the page, so that its imports lead where a reader expects. */
export function scriptPath({ name }: Page): string {
  return join(root, "docs", `.${name.replace(".md", "")}-${process.pid}.run.ts`);
}

/** What the comments behind `console.log(…);` say that it prints; null for `…`, which promises nothing. */
export function promisedLines(code: string): (string | null)[] {
  return code
    .split("\n")
    .filter((line) => line.includes("console.log("))
    .map((line) => {
      const promised = /; \/\/ (.+)$/.exec(line)?.[1];
      if (promised === undefined) throw new Error(`${line.trim()}: expected a comment that says what it prints.`);
      return promised === "…" ? null : promised;
    });
}

/** The rows of tables whose cells are code in two languages. */
export function tableRows({ text }: Page): { python: string; ts: string }[] {
  return [...text.matchAll(/^\| `(.+)` \| `(.+)` \|$/gm)].map(([, python = "", ts = ""]) => ({ python, ts }));
}
