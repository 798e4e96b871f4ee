/** `npm run bench:webgpu`: this library beside others on one GPU, in Node or in Chromium, measured in turns. */
import { existsSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { Command, InvalidArgumentError } from "commander";
import { create, globals } from "webgpu";
import { measureInChromium } from "./browser.js";
import type { Side } from "./lines.js";
import { measure } from "./measure.js";
import { tapegrad } from "./tapegrad.js";

const settings = new Command("bench:webgpu")
  .description(
    "Measures kernels and a training step on a GPU beside TensorFlow.js and jax-js. bench/README.md tells how to read it.",
  )
  .option("--rounds <n>", "rounds of which the median is shown", count, 7)
  .option("--only <name...>", "only the lines with one of these texts in their names", [])
  .option("--browser", "in headless Chromium instead of Node; CHROMIUM names another than /usr/bin/chromium", false)
  .allowExcessArguments(false)
  .parse()
  .opts<{ rounds: number; only: string[]; browser: boolean }>();

const [load = 0] = loadavg();
console.log(`${cpus()[0]?.model ?? "unknown processor"}, ${availableParallelism()} cores, load ${load.toFixed(1)}`);
console.log(
  `Median (least–most) of ${settings.rounds} rounds in turns; at the end of a line, how many times as long the others take\n`,
);
// Files of a package of its own, which only those have who install it.
const peers = ["tfjsWebgpu.mjs", "jaxWebgpu.mjs"];
const hasPeers = existsSync(new URL("../peers/node_modules", import.meta.url));
if (!hasPeers) console.log("This library alone: npm ci --prefix bench/peers installs the others.\n");
const measureAll = settings.browser ? measureInChromium : measureInNode;
await measureAll(hasPeers ? peers : [], settings.rounds, settings.only);

async function measureInNode(files: readonly string[], rounds: number, only: readonly string[]): Promise<void> {
  // The names that browsers have: all sides find one GPU there, with the same switches (see the README).
  Object.assign(globalThis, globals);
  const gpu = create(["disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension"]);
  const navigator = { gpu, userAgent: "Node", hardwareConcurrency: availableParallelism() };
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
  const adapter = await gpu.requestAdapter();
  if (adapter === null) throw new Error("there is no GPU; bench/README.md tells how to get one that runs on the CPU");
  console.log(
    `${adapter.info.vendor} ${adapter.info.architecture} ${adapter.info.description}, Node ${process.version}`,
  );
  const sides: Side[] = [tapegrad];
  // Loaded only now, because they look for a GPU at once.
  for (const file of files) sides.push((await import(`../peers/${file}`)).side);
  await measure(sides, rounds, only, console.log);
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError("Expected a whole number of 1 or more.");
  return value;
}
