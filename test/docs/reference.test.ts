/** `npm run docs` as its user runs it: a reference of everything public, without a warning. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { root } from "./pages.js";

const out = mkdtempSync(join(tmpdir(), "tapegrad-reference-"));
afterAll(() => rmSync(out, { recursive: true }));

test("the reference has pages for functions, layers, and the guide", { timeout: 300_000 }, async () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    scripts: Readonly<Record<string, string>>;
  };
  expect(scripts.docs).toBe("typedoc");
  const typedoc = join(createRequire(import.meta.url).resolve("typedoc/package.json"), "../bin/typedoc");
  // Fails at any warning: a link that leads nowhere, a tag that is none, a type that a signature has and that has no page.
  const { stderr } = await promisify(execFile)(process.execPath, [typedoc, "--out", out], { cwd: root });
  expect(stderr).toBe("");
  const textOf = (page: string): string => readFileSync(join(out, page), "utf8").replace(/<[^>]*>/g, "");
  expect(textOf("functions/tapegrad.conv2d.html")).toContain("Throws");
  expect(textOf("classes/tapegrad.nn.Conv2d.html")).toContain("padding");
  expect(textOf("documents/memory.html")).toContain("Nobody has to dispose");
  expect(textOf("index.html")).toContain("small PyTorch for TypeScript");
});
