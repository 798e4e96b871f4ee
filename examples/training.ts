/** One epoch of training and one pass of testing, for networks that tell classes apart. */
import { type data, type nn, noGrad, type optim, type Tensor, zeros } from "tapegrad";
import type { Network } from "./models.js";

type Loader = data.DataLoader<[image: Tensor, label: number]>;

/** Told after each step how many images were seen, how to get the mean loss so far, if it is wanted, and the step's loss. */
type Report = (imagesSeen: number, meanLoss: () => Promise<number>, stepLoss: Tensor) => Promise<void>;

/** How far an epoch is. */
export interface EpochSoFar {
  imagesSeen: number;
  /** Sum of the loss over those images, where the model is: a loss read in each step would make a GPU wait. */
  readonly lossSum: Tensor;
}

/** An epoch that has yet to begin. */
export function newEpoch(): EpochSoFar {
  return { imagesSeen: 0, lossSum: zeros([]) };
}

/**
 * Trains on every batch that the loader has left in this epoch.
 *
 * @param lrAt the learning rate after a share of the epoch, from 0 to 1
 */
export async function trainEpoch(
  model: nn.Layer,
  loss: Network["loss"],
  optimizer: optim.Adam | optim.SGD,
  loader: Loader,
  lrAt: (share: number) => number,
  report: Report = async () => undefined,
  epoch: EpochSoFar = newEpoch(),
): Promise<void> {
  const { lossSum } = epoch;
  // How far a stream is nobody knows: its share stays 0.
  const imageCount = loader.dataset.length ?? Infinity;
  model.train();
  for await (const [images, labels] of loader) {
    optimizer.zeroGrad();
    const batchLoss = loss(model.forward(images), labels);
    batchLoss.backward();
    for (const group of optimizer.paramGroups) group.lr = lrAt(epoch.imagesSeen / imageCount);
    optimizer.step();
    noGrad(() => lossSum.add_(batchLoss.mul(labels.numel())));
    epoch.imagesSeen += labels.numel();
    await report(epoch.imagesSeen, async () => (await lossSum.item()) / epoch.imagesSeen, batchLoss);
  }
}

/** What a test found. */
export interface TestResult {
  /** Mean over the images. */
  readonly loss: number;
  readonly correct: number;
  readonly total: number;
}

/** Tests a model on every batch of the loader, in evaluation mode. */
export async function evaluate(model: nn.Layer, loss: Network["loss"], loader: Loader): Promise<TestResult> {
  model.eval();
  let lossSum = 0;
  let correct = 0;
  let total = 0;
  for await (const [images, labels] of loader) {
    const found = noGrad(() => {
      const output = model.forward(images);
      return { loss: loss(output, labels, { reduction: "sum" }), correct: output.argmax(1).eq(labels).sum() };
    });
    lossSum += await found.loss.item();
    correct += await found.correct.item();
    total += labels.numel();
  }
  model.train();
  return { loss: lossSum / total, correct, total };
}
