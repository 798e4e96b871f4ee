/**
 * Run as a process of its own by resume.test.ts: argv is the checkpoint, the log and the number of steps. Trains a small
 * network with everything that remembers something, logs the bits of each loss, saves after each step, and goes on from
 * the checkpoint where there is one.
 */
import { appendFileSync, existsSync, writeSync } from "node:fs";
import { data, loadCheckpoint, manualSeed, nn, optim, randint, randn, saveCheckpoint } from "../../src/index.js";

/** Halves the learning rate every 50 steps. */
class Halving {
  private count = 0;

  constructor(private readonly optimizer: optim.Adam) {}

  step(): void {
    this.count++;
    if (this.count % 50 === 0) for (const group of this.optimizer.paramGroups) group.lr /= 2;
  }

  stateDict() {
    return { count: this.count };
  }

  loadStateDict({ count }: { count: number }): void {
    this.count = count;
  }
}

const [checkpoint = "", log = "", steps = "0"] = process.argv.slice(2);

manualSeed(1);
const [samples, labels] = [randn([60, 8]), randint(0, 3, [60])];
const model = new nn.Sequential(
  new nn.Linear(8, 32),
  new nn.BatchNorm1d(32),
  new nn.ReLU(),
  new nn.Dropout(0.3),
  new nn.Linear(32, 3),
);
const optimizer = new optim.Adam(model.parameters(), { lr: 0.02, amsgrad: true, weightDecay: 1e-3 });
const scheduler = new Halving(optimizer);
const loader = new data.DataLoader(new data.TensorDataset(samples, labels), { batchSize: 8, shuffle: true });

let step = 0;
if (existsSync(checkpoint))
  ({ step } = await loadCheckpoint(checkpoint, { model, optimizer, scheduler, loader, step }));
while (step < Number(steps)) {
  for await (const [x, y] of loader) {
    writeSync(1, `step ${step + 1}\n`);
    optimizer.zeroGrad();
    const loss = nn.functional.crossEntropy(model.forward(x), y);
    loss.backward();
    optimizer.step();
    scheduler.step();
    step++;
    appendFileSync(log, `${step} ${Buffer.from(Float32Array.of(await loss.item()).buffer).toString("hex")}\n`);
    await saveCheckpoint(checkpoint, { model, optimizer, scheduler, loader, step });
    if (step === Number(steps)) break;
  }
}
