/** The same steps on one device after the other. */
import { data, defaultGenerator, Generator, manualSeed, optim, setDefaultDevice, setNumThreads } from "tapegrad";
import type { Contender, Race, Settings } from "./messages.js";
import { DigitNet } from "./network.js";
import { type Found, trainOn } from "./run.js";

/** Steps that are timed, and steps before them in which kernels are compiled and threads come up. */
const timedSteps = 30;
const warmUpSteps = 3;

interface Watcher {
  report(races: readonly Race[]): void;
  isStopped(): boolean;
}

/**
 * Trains a new network on each device, from the same seed on the same batches, and tells how fast. The default device and
 * the number of threads are the last ones used, afterwards.
 */
export async function race(
  train: data.MNIST,
  settings: Settings,
  runners: readonly Contender[],
  watcher: Watcher,
): Promise<void> {
  const generatorState = defaultGenerator.getState();
  const races: Race[] = runners.map((runner) => ({
    ...runner,
    done: 0,
    steps: timedSteps,
    imagesPerSecond: 0,
    loss: 0,
  }));
  try {
    for (const [index, runner] of runners.entries()) {
      if (watcher.isStopped()) return;
      await runOne(train, settings, runner, watcher, (done, imagesPerSecond, loss) => {
        races[index] = { ...runner, steps: timedSteps, done, imagesPerSecond, loss };
        watcher.report(races);
      });
    }
  } finally {
    defaultGenerator.setState(generatorState);
  }
}

async function runOne(
  train: data.MNIST,
  { batchSize, lr }: Settings,
  { device, threads }: Contender,
  watcher: Watcher,
  report: (done: number, imagesPerSecond: number, loss: number) => void,
): Promise<void> {
  if (threads > 0) setNumThreads(threads);
  await setDefaultDevice(device);
  manualSeed(0);
  const model = new DigitNet();
  const optimizer = new optim.Adam(model.parameters(), { lr });
  const loader = new data.DataLoader(train, { batchSize, shuffle: true, dropLast: true, generator: new Generator(0) });
  let waiting: Promise<Found> | null = null;
  let done = -warmUpSteps;
  let begin = 0;
  report(0, 0, 0);
  while (done < timedSteps && !watcher.isStopped()) {
    for await (const batch of loader) {
      if (done === 0) {
        await waiting;
        begin = performance.now();
      }
      const launched = trainOn(model, optimizer, batch);
      const found: Found | null = await waiting;
      waiting = launched.found;
      done++;
      if (done === timedSteps) break;
      if (found !== null && done > 1) report(done - 1, speed(done - 1), found.loss);
      if (watcher.isStopped()) return;
    }
  }
  const last = await waiting;
  if (last !== null && done > 0) report(done, speed(done), last.loss);

  function speed(steps: number): number {
    return (1000 * steps * batchSize) / (performance.now() - begin);
  }
}
