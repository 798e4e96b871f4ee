import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What a script of the user's prints, in a process of its own: the CPU can be configured once in each. */
function printed(script: string, env: Record<string, string> = {}): string {
  return execFileSync(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", script], {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: "utf8",
  }).trim();
}

describe("the CPU's kernels", () => {
  test("are WASM by default, on a thread for each core, and the process ends by itself", () => {
    const script = `
      import { availableParallelism } from "node:os";
      import { backendInfo, randn } from "tapegrad";
      randn([512, 512]).matmul(randn([512, 512]));
      const { kernels, threads } = backendInfo();
      console.log(kernels, threads === availableParallelism());`;
    expect(printed(script)).toBe("wasm true");
  });

  test("can be chosen before the first tensor, and not after", () => {
    const script = `
      import { backendInfo, configureCpu, setNumThreads, zeros } from "tapegrad";
      configureCpu({ kernels: "reference" });
      zeros([1]);
      setNumThreads(2);
      console.log(JSON.stringify(backendInfo()));
      try { configureCpu({ kernels: "wasm" }); } catch (error) { console.log(error.message); }`;
    const [info = "", message] = printed(script).split("\n");
    expect(JSON.parse(info)).toEqual({ kernels: "reference", build: null, threads: 1, heap: null });
    expect(message).toContain("configureCpu: got a call after the first tensor was made; expected it before.");
  });

  test("take build and threads from the options and the environment", () => {
    const script = `
      import { backendInfo, configureCpu, getNumThreads, setNumThreads } from "tapegrad";
      configureCpu({ threads: 1 });
      console.log(backendInfo().build, getNumThreads());
      setNumThreads(3);
      console.log(getNumThreads());
      try { setNumThreads(0); } catch (error) { console.log(error.message); }`;
    expect(printed(script, { TAPEGRAD_WASM: "simd" }).split("\n")).toEqual([
      "simd 1",
      "3",
      "setNumThreads: got 0; expected a whole number from 1 to 64. Leave it out for one thread a core.",
    ]);
  });

  test("refuse a build that does not exist", () => {
    const script = `
      import { zeros } from "tapegrad";
      try { zeros([1]); } catch (error) { console.log(error.name, error.message); }`;
    expect(printed(script, { TAPEGRAD_WASM: "avx" })).toBe(
      'ArgumentError wasm: got the build "avx"; expected one of simd, relaxed, revectorized. Choose one.',
    );
  });
});
