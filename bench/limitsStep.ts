/** Steps of `scratch` on so many images: `limitsStep.ts batch threads`. Prints milliseconds of a step, and KiB that the peak of memory rose by. */
import { readFileSync } from "node:fs";
import { manualSeed, nn, optim, randint, randn, setNumThreads } from "tapegrad";
import { Scratch } from "../examples/models.js";

const [batch = 1000, threads = 1] = process.argv.slice(2).map(Number);
const kibibytes = (name: string): number =>
  Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync("/proc/self/status", "utf8"))?.[1]);

setNumThreads(threads);
const before = kibibytes("VmRSS");
manualSeed(0);
const model = new Scratch();
const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
const images = randn([batch, 1, 28, 28]);
const labels = randint(10, [batch]);
const times: number[] = [];
const until = performance.now() + 1500;
while (times.length < 5 || performance.now() < until) {
  const start = performance.now();
  optimizer.zeroGrad();
  const loss = nn.functional.nllLoss(model.forward(images), labels);
  loss.backward();
  optimizer.step();
  times.push(performance.now() - start);
  await loss.item();
}
times.sort((a, b) => a - b);
console.log(
  JSON.stringify({
    median: times[times.length >> 1],
    least: times[0],
    rise: kibibytes("VmHWM") - before,
    peak: kibibytes("VmHWM"),
  }),
);
