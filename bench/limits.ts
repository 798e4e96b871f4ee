/** `npx tsx bench/limits.ts`: memory and time of the `scratch` step by batch size and threads, and what one core can do at most. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

interface Step {
  readonly median: number;
  readonly least: number;
  readonly rise: number;
}

const cwd = fileURLToPath(new URL("..", import.meta.url));
const megabytes = (kibibytes: number): string => `${(kibibytes / 1024).toFixed(0)} MiB`;

/** Steps in a process of its own, so that nothing was there before. */
function step(batch: number, threads: number): Step {
  const script = ["--import", "tsx", "bench/limitsStep.ts", String(batch), String(threads)];
  return JSON.parse(execFileSync(process.execPath, script, { cwd, encoding: "utf8" })) as Step;
}

/** How far PyTorch's steps raise its peak, in KiB; null where there is no PyTorch. */
function pytorchMemory(batch: number, threads: number): number | null {
  try {
    const script = ["bench/limits.py", String(batch), String(threads)];
    return Number(execFileSync("python3", script, { cwd, encoding: "utf8" }).split(" ")[0]);
  } catch {
    return null;
  }
}

/** Ten sums of products that do not wait for each other, and a copy: nothing else takes time here. */
const probe = `
export function sums(times: i32): f32 {
  const x = f32x4.splat(0.999), y = f32x4.splat(0.001);
  let ${[...Array(10).keys()].map((i) => `s${i} = f32x4.splat(${i})`).join(", ")};
  for (let i = 0; i < times; i++) {
    ${[...Array(10).keys()].map((i) => `s${i} = f32x4.relaxed_madd(s${i}, x, y);`).join("\n    ")}
  }
  return f32x4.extract_lane(${[...Array(10).keys()].reduce((sum, i) => (i === 0 ? "s0" : `f32x4.add(${sum}, s${i})`), "")}, 0);
}
export function copy(bytes: i32): void {
  for (let at: usize = 65536, end: usize = 65536 + bytes; at < end; at += 32) {
    v128.store(at + bytes, v128.load(at));
    v128.store(at + bytes, v128.load(at, 16), 16);
  }
}`;

interface Probe {
  readonly sums: (times: number) => number;
  readonly copy: (bytes: number) => void;
}

async function makeProbe(): Promise<Probe> {
  let binary = new Uint8Array(0);
  const flags = ["-O2", "--runtime", "stub", "--noAssert", "--enable", "simd", "--enable", "relaxed-simd"];
  const { error, stderr } = await asc.main(
    ["probe.ts", "--outFile", "probe.wasm", "--initialMemory", "2100", ...flags],
    {
      readFile: (name) => (name === "probe.ts" ? probe : null),
      writeFile: (name, contents) => {
        if (name === "probe.wasm" && typeof contents !== "string") binary = new Uint8Array(contents);
      },
      listFiles: () => [],
    },
  );
  if (error) throw new Error(stderr.toString());
  const { setFlagsFromString } = await import("node:v8");
  if (!WebAssembly.validate(binary)) setFlagsFromString("--experimental-wasm-relaxed-simd");
  return new WebAssembly.Instance(new WebAssembly.Module(binary)).exports as unknown as Probe;
}

/** The fastest of many goes, in milliseconds. */
function fastest(work: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 40; i++) {
    const start = performance.now();
    work();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

const { sums, copy } = await makeProbe();
const times = 1_000_000;
const bytes = 64 * 1024 * 1024;
const gigaflops = (times * 10 * 4 * 2) / fastest(() => sums(times)) / 1e6;
const gigabytes = (2 * bytes) / fastest(() => copy(bytes)) / 1e6;
console.log(
  `One thread, Node ${process.version}: ${gigaflops.toFixed(1)} GFLOP/s in fused multiply-adds of four floats,`,
);
console.log(`${gigabytes.toFixed(1)} GB/s read and written in a copy of 64 MiB.\n`);

console.log("scratch, a training step    1 thread             2 threads            peak memory, 1 thread");
for (const batch of [64, 250, 1000, 4000]) {
  const [one, two] = [step(batch, 1), step(batch, 2)];
  const show = ({ median, least }: Step): string => `${median.toFixed(1)} ms (from ${least.toFixed(1)})`.padEnd(21);
  const name = `batch ${batch}, ${((1000 * one.median) / batch).toFixed(0)} µs an image`.padEnd(28);
  console.log(`${name}${show(one)}${show(two)}${megabytes(one.rise)}`);
}
const theirs = pytorchMemory(1000, 1);
if (theirs !== null) console.log(`PyTorch's peak memory at batch 1000: ${megabytes(theirs)}`);
