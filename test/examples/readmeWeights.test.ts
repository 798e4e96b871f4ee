/** The README's way from PyTorch to here and back runs as printed, and ends with the same network on both sides. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");
const section = /## PyTorch weights[\s\S]*?\n## /.exec(readme)?.[0] ?? "";
const blocks = [...section.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, language, text = ""]) => ({ language, text }));

const folder = mkdtempSync(join(tmpdir(), "tapegrad-readme-"));
// Beside the README, as a user's script in a clone is, so that "tapegrad" is found.
const script = join(root, `readme-weights-${process.pid}.ts`);
afterAll(() => {
  rmSync(folder, { recursive: true });
  rmSync(script, { force: true });
});

async function run(command: string, ...args: string[]): Promise<number[]> {
  const env = { ...process.env, TSX_TSCONFIG_PATH: join(root, "tsconfig.json") };
  const { stdout } = await promisify(execFile)(command, args, { cwd: folder, env });
  return stdout === "" ? [] : (JSON.parse(stdout) as number[]);
}

test("weights come from PyTorch, are tuned, and go back", async () => {
  expect(blocks.map(({ language }) => language)).toEqual(["python", "ts", "python"]);
  const [first, ours, last] = blocks.map(({ text }) => text) as [string, string, string];
  writeFileSync(join(folder, "first.py"), first);
  expect(await run("python3", "first.py")).toEqual([]);

  const images = "Float32Array.from({ length: 2 * 784 }, (_, i) => Math.fround(i / 784 - 1))";
  writeFileSync(
    script,
    `import { tensor } from "tapegrad";\n${ours}\nnet.eval();\n` +
      `console.log(JSON.stringify([...(await net.forward(tensor(${images}, { shape: [2, 1, 28, 28] })).data())]));\n`,
  );
  const [tsx] = [import.meta.resolve("tsx")];
  const tuned = await run(process.execPath, "--import", tsx, script);
  expect(tuned).toHaveLength(20);

  writeFileSync(
    join(folder, "last.py"),
    `${first}\n${last}\nx = (torch.arange(2.0 * 784) / 784 - 1).view(2, 1, 28, 28)\nprint(net.eval()(x).flatten().tolist())\n`,
  );
  const there = await run("python3", "last.py");
  const scale = Math.max(...tuned.map(Math.abs));
  expect(there).toHaveLength(20);
  there.forEach((value, i) => {
    expect(Math.abs(value - (tuned[i] ?? Number.NaN))).toBeLessThanOrEqual(1e-5 * scale);
  });
});
