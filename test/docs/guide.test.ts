/** The guide tells the truth: its code runs, prints what it says, has right types, and computes what PyTorch does. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeOf, endMark, type Page, pages, promisedLines, root, scriptOf, scriptPath, tableRows } from "./pages.js";

const folder = mkdtempSync(join(tmpdir(), "tapegrad-docs-"));
const withCode = pages.filter((page) => codeOf(page, "ts") !== "");

beforeAll(() => {
  for (const page of withCode) writeFileSync(scriptPath(page), scriptOf(page, "ts"));
});
afterAll(() => {
  for (const page of withCode) rmSync(scriptPath(page), { force: true });
  rmSync(folder, { recursive: true });
});

async function run(command: string, ...args: string[]): Promise<string[]> {
  const env = { ...process.env, TSX_TSCONFIG_PATH: join(root, "tsconfig.json") };
  const { stdout } = await promisify(execFile)(command, args, { cwd: folder, env });
  return stdout.trimEnd().split("\n");
}

const runScript = (path: string): Promise<string[]> =>
  run(process.execPath, "--import", import.meta.resolve("tsx"), path);

test("there are pages", () => {
  expect(pages.map(({ name }) => name)).toEqual([
    "README.md",
    "data.md",
    "devices.md",
    "from-pytorch.md",
    "memory.md",
    "pytorch-names.md",
    "tensors.md",
    "training.md",
    "writing-an-op.md",
  ]);
});

test.each(withCode.filter((page) => tableRows(page).length === 0))(
  "the code of $name prints what its comments say",
  async (page) => {
    const printed = await runScript(scriptPath(page));
    const promised = promisedLines(codeOf(page, "ts")).filter((line) => line !== null);
    expect(promised.length).toBeGreaterThan(0);
    // What promises nothing, and may be printed often or not at all, is among the lines.
    expect(printed.filter((line) => promised.includes(line))).toEqual(promised);
  },
);

test("the code has right types", { timeout: 300_000 }, () => {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root);
  const program = ts.createProgram(withCode.map(scriptPath), { ...options, noEmit: true });
  const complaints = withCode.flatMap((page) => {
    const source = program.getSourceFile(scriptPath(page));
    expect(source, page.name).toBeDefined();
    return [...program.getSemanticDiagnostics(source), ...program.getSyntacticDiagnostics(source)].map(
      ({ messageText }) => `${page.name}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`,
    );
  });
  expect(complaints).toEqual([]);
});

describe("the page for those who come from PyTorch", () => {
  const page = pages.find(({ name }) => name === "from-pytorch.md") as Page;
  const rows = tableRows(page);
  let theirs: string[];
  let ours: string[];

  beforeAll(async () => {
    writeFileSync(join(folder, "page.py"), scriptOf(page, "python"));
    [theirs, ours] = await Promise.all([run("python3", "page.py"), runScript(scriptPath(page))]);
  });

  test("has two columns that compute the same", () => {
    expect(rows.length).toBeGreaterThan(35);
    const [there, here] = [theirs, ours].map((lines) => lines.slice(lines.indexOf(endMark) + 1));
    rows.forEach(({ python, ts }, index) => {
      const [shape, values] = JSON.parse(there?.[index] ?? "null") as [number[], number[]];
      const [ownShape, ownValues] = JSON.parse(here?.[index] ?? "null") as [number[], number[]];
      expect(ownShape, `${python} | ${ts}`).toEqual(shape);
      values.forEach((value, position) => {
        expect(ownValues[position], `${python} | ${ts}`).toBeCloseTo(value, 5);
      });
    });
  });

  test("has two training loops that print the same losses", () => {
    const losses = theirs.slice(0, theirs.indexOf(endMark));
    expect(losses).toHaveLength(3);
    expect(ours.slice(0, ours.indexOf(endMark))).toEqual(losses);
  });
});

test("links lead somewhere", () => {
  const places = [...pages.map(({ name, text }) => ({ path: join("docs", name), text }))];
  for (const path of ["README.md", "examples/README.md"]) {
    places.push({ path, text: readFileSync(join(root, path), "utf8") });
  }
  const links = places.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\(([^)]+)\)/g), ...text.matchAll(/src="([^"]+)"/g)]
      .map(([, target = ""]) => ({ path, target: target.split("#")[0] ?? "" }))
      .filter(({ target }) => target !== "" && !/^https?:/.test(target)),
  );
  expect(links.length).toBeGreaterThan(8);
  expect(links.filter(({ path, target }) => !existsSync(join(root, dirname(path), target)))).toEqual([]);
});
