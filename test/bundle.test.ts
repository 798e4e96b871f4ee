/** What bundlers make of the library without configuration: it must compute the same, and run where Node's modules are not. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import * as vite from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { binaries } from "../src/kernels/wasm/binaries.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const index = join(root, "src/index.ts");
const packageJson = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { dependencies: object };

/**
 * Products that start a worker, which dies by the next one if it cannot be loaded, and a training step; prints what a bundler
 * could break: kernels, workers, methods, names of errors. The loss is the one after the step.
 */
const script = `
import { manualSeed, nn, optim, randint, randn, setNumThreads, ShapeError, backendInfo } from "tapegrad";
setNumThreads(2);
const square = randn([512, 512]);
for (let i = 0; i < 5; i++) square.matmul(square);
await new Promise((resolve) => setTimeout(resolve, 300));
square.matmul(square);
manualSeed(1);
const model = new nn.Sequential(
  new nn.Conv2d(1, 4, 3), new nn.ReLU(), new nn.MaxPool2d(2), new nn.Flatten(), new nn.Linear(36, 10));
const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
const images = randn([512, 1, 8, 8]);
const labels = randint(10, [512]);
const lossOf = () => nn.functional.crossEntropy(model.forward(images), labels);
lossOf().backward();
optimizer.step();
let refusal;
try {
  randn([2, 3]).matmul(randn([2, 3]));
} catch (error) {
  refusal = error instanceof ShapeError ? error.name : String(error);
}
const { kernels, build, threads } = backendInfo();
console.log(JSON.stringify({ loss: await lossOf().item(), refusal, kernels, build, threads }));
`;

const folder = mkdtempSync(join(tmpdir(), "tapegrad-bundle-"));
const ofSource = join(folder, "source.js");
const ofPackage = join(folder, "package.js");
let expected: string;

/** Runs a file in a Node of its own and gives what it printed; fails where it does not end by itself. */
function run(file: string): string {
  return execFileSync(process.execPath, [file], { cwd: root, encoding: "utf8", timeout: 60_000 });
}

function writeScript(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

beforeAll(async () => {
  writeFileSync(ofSource, script.replace('"tapegrad"', JSON.stringify(index)));
  writeFileSync(ofPackage, script);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  // The package as it is published, less its types: what tsc writes, file by file, esbuild writes sooner.
  const installed = join(folder, "node_modules/tapegrad");
  mkdirSync(installed, { recursive: true });
  cpSync(join(root, "package.json"), join(installed, "package.json"));
  for (const name of Object.keys(packageJson.dependencies)) {
    const dependency = join(folder, "node_modules", name);
    mkdirSync(dirname(dependency), { recursive: true });
    symlinkSync(join(root, "node_modules", name), dependency);
  }
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(root, "src", file))
    // What is AssemblyScript alone has decorators.
    .filter((file) => !file.includes("assembly") || !/@inline|v128/.test(readFileSync(file, "utf8")));
  await esbuild.build({
    entryPoints: sources,
    outbase: join(root, "src"),
    outdir: join(installed, "dist"),
    format: "esm",
    logLevel: "silent",
  });
  // The package's own script makes the files that Node takes.
  const PATH = `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}`;
  execFileSync("npm", ["run", "--silent", "build:node"], { cwd: installed, env: { ...process.env, PATH } });
  expected = run(ofPackage);
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each([
  ["the source", ofSource],
  ["the package", ofPackage],
])("a bundle of %s", (_, entry) => {
  it.each([false, true])("by esbuild computes the same; minified: %s", async (minify) => {
    const outfile = join(folder, `esbuild-${minify}.mjs`);
    const { warnings, metafile } = await esbuild.build({
      entryPoints: [entry],
      bundle: true,
      format: "esm",
      metafile: true,
      minify,
      outfile,
      logLevel: "silent",
    });
    expect(warnings).toEqual([]);
    expect(Object.values(metafile.outputs).flatMap(({ imports }) => imports)).toEqual([]);
    expect(run(outfile)).toBe(expected);
  });

  it("by Vite computes the same", async () => {
    const outDir = join(folder, "vite");
    const warnings: string[] = [];
    const result = await vite.build({
      root: folder,
      configFile: false,
      logLevel: "silent",
      build: {
        outDir,
        emptyOutDir: true,
        chunkSizeWarningLimit: 2000,
        rolldownOptions: { input: entry, onLog: (level, log) => level === "warn" && warnings.push(log.message) },
      },
    });
    if (!("output" in result)) throw new Error("Vite gave no single output");
    expect(warnings).toEqual([]);
    const chunks = result.output.filter((file) => file.type === "chunk");
    expect(chunks.flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports])).toEqual([]);
    expect(chunks).toHaveLength(1);
    const [{ code, fileName } = { code: "", fileName: "" }] = chunks;
    expect(code).not.toContain("__vite-browser-external");
    expect(run(join(outDir, fileName))).toBe(expected);
  });
});

it("the step is one of the WASM kernels, in two threads", () => {
  expect(JSON.parse(expected)).toMatchObject({ kernels: "wasm", refusal: "ShapeError", threads: 2 });
});

it("Node takes few large files, and of them the same names as everybody else", async () => {
  const installed = join(folder, "node_modules/tapegrad");
  const resolved = run(writeScript("resolved.js", 'console.log(import.meta.resolve("tapegrad"));'));
  expect(resolved.trim()).toBe(pathToFileURL(join(installed, "dist/node/index.js")).href);
  expect(readdirSync(join(installed, "dist/node")).filter((name) => name.endsWith(".js")).length).toBeLessThan(40);
  const names = async (file: string) =>
    Object.keys((await import(pathToFileURL(join(installed, file)).href)) as object);
  expect(await names("dist/node/index.js")).toEqual(await names("dist/index.js"));
});

describe("the WASM kernels", () => {
  it("take less than 300 KB of the package, all builds together", () => {
    const sizes = Object.values(binaries).map(({ deflated }) => deflated.length);
    expect(sizes).toHaveLength(3);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(300_000);
  });
});
