/** `npm run bench`: how long training steps and single kernels take, here and in PyTorch, measured in turns. */
import { availableParallelism, cpus, loadavg } from "node:os";
import { Command, InvalidArgumentError } from "commander";
import { backendInfo, configureCpu, setNumThreads } from "tapegrad";
import { type Line, lines } from "./lines.js";
import { measureInTurns, ROUND, type Timed, type Times } from "./measure.js";
import { ops } from "./ops.js";
import { PyTorch } from "./pytorch.js";
import { heading, row } from "./table.js";

interface Settings {
  threads: number;
  only?: string[];
  repeats: number;
  round: number;
  least?: true;
  python: string;
  pytorch: boolean;
  reference?: true;
}

const program = new Command("bench")
  .description("Measures training steps and kernels beside PyTorch, in turns. bench/README.md tells how to read it.")
  .option("--threads <n>", "threads of each side", count, availableParallelism())
  .option("--only <name...>", "only the lines with one of these texts in their names; `op:` is all single ops")
  .option("--repeats <n>", "rounds of which the median is shown", count, 9)
  .option("--round <ms>", "how long a round of one side takes", count, ROUND)
  .option("--least", "ratio of the fastest rounds, for a busy machine: many short ones, --round 8 --repeats 40")
  .option("--python <command>", "a Python that has PyTorch", "python3")
  .option("--no-pytorch", "measure this library alone")
  .option("--reference", "measure the plain TypeScript loops in place of WASM; they have one thread")
  .allowExcessArguments(false)
  .addHelpText("after", `\nLines:\n${[...lines, ...ops].map(({ name }) => `  ${name}`).join("\n")}`);

const settings = program.parse().opts<Settings>();
const { only } = settings;
const chosen =
  only === undefined ? lines : [...lines, ...ops].filter(({ name }) => only.some((part) => name.includes(part)));
if (chosen.length === 0) program.error(`error: no line has ${only?.join(" or ")} in its name (--help lists them)`);
await main(chosen);

async function main(chosenLines: readonly Line[]): Promise<void> {
  if (settings.reference) configureCpu({ kernels: "reference" });
  else setNumThreads(settings.threads);
  const pytorch = settings.pytorch ? await startPyTorch() : null;
  const { kernels, build, threads } = backendInfo();
  const [load = 0] = loadavg();
  console.log(`${cpus()[0]?.model ?? "unknown processor"}, ${availableParallelism()} cores, load ${load.toFixed(1)}`);
  if (load > 0.5) console.log("Other programs keep the processor busy: measure again on an idle machine.");
  console.log(`tapegrad: Node ${process.version}, ${kernels} kernels${build ? `, ${build}` : ""}, threads: ${threads}`);
  if (pytorch !== null) console.log(`PyTorch ${pytorch.version}, threads: ${settings.threads}`);
  console.log(
    `Median (least–most) of ${settings.repeats} rounds in turns${pytorch ? `; ratio = PyTorch / tapegrad${settings.least ? ", of the least" : ""}` : ""}`,
  );
  console.log(`\n${heading(pytorch !== null)}`);
  try {
    for (const line of chosenLines) {
      try {
        console.log(row(line, await measure(line, pytorch), settings.least));
      } catch (error) {
        console.log(`${line.name} failed: ${error instanceof Error ? error.message : String(error)}`);
        process.exitCode = 1;
      }
    }
  } finally {
    pytorch?.stop();
  }
}

async function measure(line: Line, pytorch: PyTorch | null): Promise<Times[]> {
  const sides: Timed[] = [await ours(line)];
  if (pytorch !== null) {
    await pytorch.prepare(line.name);
    sides.push((times) => pytorch.run(times));
  }
  return measureInTurns(sides, settings.repeats, settings.round);
}

async function ours(line: Line): Promise<Timed> {
  const work = await line.prepare();
  return async (times) => {
    const start = performance.now();
    await work(times);
    return performance.now() - start;
  };
}

async function startPyTorch(): Promise<PyTorch | null> {
  try {
    return await PyTorch.start(settings.python, settings.threads);
  } catch (error) {
    console.log(`PyTorch is not here (${error instanceof Error ? error.message : String(error)}): tapegrad alone.`);
    return null;
  }
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError("Expected a whole number of 1 or more.");
  return value;
}
