/** Literate scripts: how they are divided into cells, run, and turned into pages and notebooks. */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { parseCells } from "../../examples/notebook/cells.js";
import type { Executed } from "../../examples/notebook/execute.js";
import { toJupyter } from "../../examples/notebook/jupyter.js";
import { toReport } from "../../examples/notebook/report.js";
import { figure } from "../../examples/support/show.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "tapegrad-cells-"));
writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
afterAll(() => rmSync(folder, { recursive: true }));

const script = [
  "// %% [markdown]",
  "// # Title",
  "//",
  "// Some *prose* with a < b.",
  "// %%",
  "const a: number = 1;",
  "",
  "console.log(a, '<b>');",
  "// %% [markdown]",
  "// ## Next",
  "// %%",
  "// A comment of the code.",
  "process.stdout.write('x');",
  "console.log('y');",
  "",
].join("\n");

describe("cells", () => {
  test("are prose and code, with their lines", () => {
    expect(parseCells(script)).toEqual([
      { kind: "markdown", text: "# Title\n\nSome *prose* with a < b.", line: 0 },
      { kind: "code", text: "const a: number = 1;\n\nconsole.log(a, '<b>');", line: 4 },
      { kind: "markdown", text: "## Next", line: 8 },
      { kind: "code", text: "// A comment of the code.\nprocess.stdout.write('x');\nconsole.log('y');", line: 10 },
    ]);
  });

  test.each([
    ["const a = 1;\n// %%", 'line 1: got "const a = 1;"; expected // %% or // %% [markdown].'],
    ["// %%\n// %% [raw]\n", "line 2: got // %% [raw]; expected // %% or // %% [markdown]."],
    ["// %% [markdown]\n// prose\ncode();", "line 3: got code();; expected prose after //. Begin code with // %%."],
    ["// %% [markdown]\n\n//prose", "line 3: got //prose; expected prose after //. Begin code with // %%."],
  ])("%j is refused", (text, message) => {
    expect(() => parseCells(text)).toThrow(new Error(message));
  });

  test("become a notebook for Deno's kernel", () => {
    const { cells, nbformat, metadata } = JSON.parse(toJupyter(parseCells(script)));
    expect(nbformat).toBe(4);
    expect(metadata.kernelspec.name).toBe("deno");
    expect(cells[0]).toEqual({
      cell_type: "markdown",
      id: "cell-0",
      metadata: {},
      source: ["# Title\n", "\n", "Some *prose* with a < b."],
    });
    expect(cells[1]).toMatchObject({ cell_type: "code", execution_count: null, outputs: [] });
    expect(cells[1].source.join("")).toBe("const a: number = 1;\n\nconsole.log(a, '<b>');");
  });
});

describe("a report", () => {
  test("escapes what was printed, links its sections and shows errors", async () => {
    const html = await toReport(
      parseCells(script),
      [[], [{ kind: "text", text: "1 <b>\n" }], [], [{ kind: "error", text: "Error: <no>" }]],
      "made <here>",
    );
    expect(html).toContain("<title>Title</title>");
    expect(html).toContain("Some <em>prose</em> with a &lt; b.");
    expect(html).toContain("<pre><code>1 &lt;b&gt;</code></pre>");
    expect(html).toContain('<pre class="error"><code>Error: &lt;no&gt;</code></pre>');
    expect(html).toContain('<a href="#next">Next</a>');
    expect(html).toContain('<h2 id="next">Next</h2>');
    expect(html).toContain("made &lt;here&gt;");
  });

  test("escapes captions", () => {
    expect(figure("a < b & c", ["<svg></svg>"])).toContain("<figcaption>a &lt; b &amp; c</figcaption>");
  });
});

describe("running", () => {
  /** Runs a literate script in a process of its own, as `npm run notebook` does. */
  async function run(text: string): Promise<Executed & { stderr: string }> {
    const [path, driver, result] = ["notes.ts", "driver.ts", "result.json"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const moduleOf = (name: string): string => JSON.stringify(pathToFileURL(join(root, "examples", name)).href);
    writeFileSync(path, text);
    writeFileSync(
      driver,
      `import { writeFileSync } from "node:fs";
      import { parseCells } from ${moduleOf("notebook/cells.ts")};
      import { execute } from ${moduleOf("notebook/execute.ts")};
      const script = ${JSON.stringify(text)};
      execute(script, ${JSON.stringify(path)}, parseCells(script)).then((done) =>
        writeFileSync(${JSON.stringify(result)}, JSON.stringify(done)));`,
    );
    const { stderr } = await promisify(execFile)(process.execPath, ["--import", "tsx", driver], { cwd: root });
    expect(readdirSync(folder).filter((name) => name.endsWith(".run.ts"))).toEqual([]);
    return { ...(JSON.parse(readFileSync(result, "utf8")) as Executed), stderr };
  }

  test("gives each cell what it printed", async () => {
    const { outputs, failed } = await run(script);
    expect(failed).toBe(false);
    expect(outputs).toEqual([[], [{ kind: "text", text: "1 <b>\n" }], [], [{ kind: "text", text: "xy\n" }]]);
  });

  test("keeps pictures between what was printed, and leaves colours of the terminal out", async () => {
    const show = JSON.stringify(pathToFileURL(join(root, "examples/support/show.ts")).href);
    const { outputs } = await run(
      `// %%\nimport { show } from ${show};\nconsole.log("\\x1b[31ma\\x1b[0m");\nawait show("two", "<svg/>", "<svg/>");\nconsole.log("b");\n`,
    );
    expect(outputs).toEqual([
      [
        { kind: "text", text: "a\n" },
        { kind: "pictures", caption: "two", pictures: ["<svg/>", "<svg/>"] },
        { kind: "text", text: "b\n" },
      ],
    ]);
  });

  test("ends at an error, which stands in its cell with the line of the script", async () => {
    const { outputs, failed, stderr } = await run(
      "// %%\nconsole.log(1);\n// %%\n\nthrow new RangeError('too far');\n// %%\nconsole.log(2);\n",
    );
    expect(failed).toBe(true);
    expect(outputs[0]).toEqual([{ kind: "text", text: "1\n" }]);
    expect(outputs[1]?.[0]).toMatchObject({
      kind: "error",
      text: expect.stringMatching(/^RangeError: too far\n.*notes\.ts:5/),
    });
    expect(outputs[2]).toEqual([]);
    expect(stderr).toContain("RangeError: too far");
  });
});
