/** Times a training step of LeNet-5 in tapegrad and in other libraries for JavaScript, one after the other. */
import { crossEntropyStep } from "./tapegrad.mjs";

const batch = 100;
const rounds = 3;

/** Milliseconds of one step: the median of the rounds. Each round goes on for half a second at least. */
async function time(step) {
  const first = await step();
  const times = [];
  let last = first;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    let count = 0;
    do {
      last = await step();
      count++;
    } while (performance.now() - start < 500);
    times.push((performance.now() - start) / count);
  }
  times.sort((a, b) => a - b);
  return { median: times[(rounds - 1) / 2], least: times[0], most: times.at(-1), first, last };
}

const peers = { tfjs: "TensorFlow.js (cpu)", jax: "jax-js (wasm)" };

function row(name, times, ratio) {
  const milliseconds = `${times.median.toFixed(1)} ms (${times.least.toFixed(1)}–${times.most.toFixed(1)})`;
  const loss = `loss ${times.first.toFixed(2)} → ${times.last.toFixed(2)}`;
  console.log(`${name.padEnd(28)}${milliseconds.padEnd(32)}${loss.padEnd(20)}${ratio}`);
}

console.log(
  `LeNet-5, batch ${batch}, a training step: median (least–most) of ${rounds} rounds; ratio = theirs / tapegrad\n`,
);
const ours = await time(await crossEntropyStep(batch));
row("tapegrad", ours, "");
for (const [file, name] of Object.entries(peers)) {
  try {
    const { prepare, version } = await import(`./${file}.mjs`);
    const theirs = await time(await prepare(batch));
    row(`${name} ${version}`, theirs, (theirs.median / ours.median).toFixed(0));
  } catch (error) {
    console.log(`${name} failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
