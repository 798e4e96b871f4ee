/** Runs `examples/mnist.ts` and writes one HTML file with its prose, code, printed lines and pictures: `npm run notebook`. */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Command, InvalidArgumentError } from "commander";
import { backendInfo } from "tapegrad";
import { parseCells } from "./cells.js";
import { execute } from "./execute.js";
import { toJupyter } from "./jupyter.js";
import { toReport } from "./report.js";

const path = fileURLToPath(new URL("../mnist.ts", import.meta.url));
const jupyterPath = fileURLToPath(new URL("../mnist.ipynb", import.meta.url));

interface Settings {
  epochs: number;
  limit: number;
  out: string;
  open?: true;
  jupyter?: true;
}

const { epochs, limit, out, open, jupyter } = new Command("notebook")
  .description("Runs the notebook examples/mnist.ts and writes one HTML file with all that it printed and drew.")
  .option("--epochs <n>", "times that all training images are seen", wholeFromOne, 3)
  .option("--limit <n>", "take only the first n images of the training set, and of the test set", wholeFromOne, 60_000)
  .option("--out <folder>", "where the HTML file and the trained network go", "out/mnist")
  .option("--open", "show the file in the browser")
  .option("--jupyter", "write examples/mnist.ipynb instead, and run nothing")
  .allowExcessArguments(false)
  .parse()
  .opts<Settings>();

const script = readFileSync(path, "utf8");
const cells = parseCells(script);
if (jupyter) {
  writeFileSync(jupyterPath, toJupyter(cells));
  console.log(jupyterPath);
} else {
  await report();
}

async function report(): Promise<void> {
  const start = performance.now();
  Object.assign(process.env, { EPOCHS: String(epochs), LIMIT: String(limit), OUT: out });
  const { outputs, failed } = await execute(script, path, cells);
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  const { kernels, threads } = backendInfo();
  const footer =
    `Made by npm run notebook in ${seconds} s, with Node ${process.versions.node}, kernels: ${kernels}, ` +
    `threads: ${threads}, on ${new Date().toISOString().slice(0, 10)}.`;
  mkdirSync(out, { recursive: true });
  const file = resolve(join(out, "notebook.html"));
  writeFileSync(file, await toReport(cells, outputs, footer));
  console.log(file);
  if (open) show(file);
  if (failed) process.exitCode = 1;
}

/** Opens a file with what the system opens such files with. */
function show(file: string): void {
  const [command, ...args] =
    process.platform === "darwin" ? ["open"] : process.platform === "win32" ? ["cmd", "/c", "start", ""] : ["xdg-open"];
  const address = pathToFileURL(file).href;
  execFile(String(command), [...args, address], (error) => {
    if (error === null) return;
    console.error(`error: --open: got ${error.message.split("\n")[0]}; expected a browser. Open ${file} yourself.`);
    process.exitCode = 1;
  });
}

function wholeFromOne(text: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError("Expected a whole number of 1 or more.");
  return value;
}
