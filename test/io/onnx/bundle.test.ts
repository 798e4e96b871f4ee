/** Bundles carry ONNX only for those who use it, and it works in them. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { afterAll, expect, test } from "vitest";

const index = fileURLToPath(new URL("../../../src/index.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "tapegrad-onnx-bundle-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Bundles a script for browsers, minified, and gives the code. */
async function bundled(name: string, script: string): Promise<string> {
  const { outputFiles, warnings } = await esbuild.build({
    stdin: { contents: script.replace("tapegrad", index), loader: "ts", resolveDir: folder },
    bundle: true,
    format: "esm",
    minify: true,
    write: false,
    logLevel: "silent",
  });
  expect(warnings).toEqual([]);
  const code = outputFiles[0]?.text ?? "";
  writeFileSync(join(folder, name), code);
  return code;
}

test("a network that is trained has nothing of ONNX in it", async () => {
  const code = await bundled(
    "without.mjs",
    `import { nn, randn } from "tapegrad"; console.log(new nn.Conv2d(1, 2, 3).forward(randn([1, 1, 4, 4])).shape);`,
  );
  expect(code).not.toContain("BatchNormalization");
  expect(code).not.toContain("onnx.ModelProto");
  expect(code).not.toContain("exportOnnx");
});

test("a network is exported and imported in a bundle", async () => {
  const code = await bundled(
    "with.mjs",
    `import { exportOnnx, importOnnx, nn, tensor } from "tapegrad";
    const model = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU());
    const x = tensor([[1, 2]]);
    const imported = await importOnnx(await exportOnnx(model, x));
    console.log(JSON.stringify([await imported.forward(x).toArray(), await model.forward(x).toArray()]));`,
  );
  expect(code).toContain("exportOnnx");
  const [imported, original] = JSON.parse(
    execFileSync(process.execPath, [join(folder, "with.mjs")], { encoding: "utf8" }),
  );
  expect(imported).toEqual(original);
});
