/** `npm run mnist -- --device webgpu`, in a process of its own, beside the same on the CPU. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { describeOnGpu } from "../kernels/webgpu/gpu.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The last line, taken apart; fails where the process does not end by itself. */
async function train(device: string): Promise<{ loss: number; correct: number; first: string | undefined }> {
  const settings = ["--model", "scratch", "--limit", "400", "--batch-size", "10", "--epochs", "1", "--device", device];
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ["--import", "tsx", "examples/trainMnist.ts", ...settings],
    { cwd: root },
  );
  expect(stderr).toBe("");
  const lines = stdout.trim().split("\n");
  const [, loss, correct] = /^test loss (\S+), accuracy .* \((\d+) of 400\)$/.exec(lines.at(-1) ?? "") ?? [];
  return { loss: Number(loss), correct: Number(correct), first: lines[0] };
}

describeOnGpu("npm run mnist on a GPU", () => {
  test("learns what it learns on the CPU", { timeout: 400_000 }, async () => {
    const [onGpu, onCpu] = await Promise.all([train("webgpu"), train("cpu")]);
    expect(onGpu.first).toBe("scratch with 3832 parameters on webgpu");
    expect(Math.abs(onGpu.loss - onCpu.loss)).toBeLessThan(0.02);
    expect(Math.abs(onGpu.correct - onCpu.correct)).toBeLessThan(10);
    expect(onGpu.loss).toBeLessThan(2.25);
  });
});
