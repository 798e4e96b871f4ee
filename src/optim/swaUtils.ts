/** Averages of weights along a training, as in torch.optim.swa_utils: SWA, EMA. */
import { ArgumentError } from "../errors.js";
import { tensor } from "../tensor/create.js";
import { add, mul, sub } from "../tensor/ops/arithmetic.js";
import { copy_ } from "../tensor/ops/fill.js";
import { moveTowards } from "../tensor/optimizerSteps.js";
import { noGrad } from "../tensor/scopes.js";
import { formatShape, sameShape } from "../tensor/shape.js";
import { Tensor } from "../tensor/tensor.js";
import { checkNumber, checkOptions } from "./lrScheduler/settings.js";

export { SWALR, type SWALROptions } from "./lrScheduler/swaLR.js";

/** From an average of n tensors and the next one to the average of n + 1. */
export type AvgFn = (averaged: Tensor, current: Tensor, numAveraged: number) => Tensor;

/** What is averaged: every `nn.Module` is one. */
export interface Network {
  forward(...inputs: never[]): unknown;
  namedParameters(): readonly (readonly [path: string, parameter: Tensor])[];
  namedBuffers(): readonly (readonly [path: string, buffer: Tensor])[];
  stateDict(): Record<string, Tensor>;
  loadStateDict(state: Record<string, Tensor>): unknown;
}

/** Settings of {@link AveragedModel}. */
export interface AveragedModelOptions {
  /** How the next weights enter. Default: {@link getSwaAvgFn}, all alike. */
  readonly avgFn?: AvgFn;
  /** Whether buffers (running statistics) are averaged too, or just copied. Default false. */
  readonly useBuffers?: boolean;
}

/** Of averages that move towards the next weights by a share of the way: that share, so that they can do it in place. */
const shares = new WeakMap<AvgFn, (numAveraged: number) => number>();

/** The plain mean: averaged + (current − averaged) / (n + 1). */
export function getSwaAvgFn(): AvgFn {
  const mean: AvgFn = (averaged, current, numAveraged) =>
    add(averaged, mul(sub(current, averaged), 1 / (numAveraged + 1)));
  shares.set(mean, (numAveraged) => 1 / (numAveraged + 1));
  return mean;
}

/**
 * The exponential moving average: decay·averaged + (1 − decay)·current.
 *
 * @throws ArgumentError where `decay` is not from 0 to 1.
 */
export function getEmaAvgFn(decay = 0.999): AvgFn {
  checkNumber("getEmaAvgFn", "decay", decay, 0, 1);
  const moving: AvgFn = (averaged, current) => add(mul(averaged, decay), current, { alpha: 1 - decay });
  shares.set(moving, () => 1 - decay);
  return moving;
}

/**
 * A network whose weights are averages of those of another one along its training. It is made of a second instance of the
 * same network, `new AveragedModel(new Net())`, where PyTorch copies the first. It has no weights of its own before
 * {@link updateParameters} was called.
 *
 * @see https://pytorch.org/docs/stable/optim.html#weight-averaging-swa-and-ema
 * @see Izmailov et al.: Averaging weights leads to wider optima, https://arxiv.org/abs/1803.05407
 */
export class AveragedModel<M extends Network> {
  /** The network that holds the averages. */
  readonly module: M;
  /** How many times weights were taken in. */
  nAveraged = 0;
  private readonly avgFn: AvgFn;
  private readonly useBuffers: boolean;

  /** @throws ArgumentError where `module` is no network, or an option is unknown. */
  constructor(module: M, options: AveragedModelOptions = {}) {
    if (typeof module?.namedParameters !== "function") {
      throw new ArgumentError(
        `AveragedModel: got ${String(module)}; expected a module. Pass a second instance of the network: new AveragedModel(new Net()).`,
      );
    }
    checkOptions("AveragedModel", options, ["avgFn", "useBuffers"]);
    const { avgFn = getSwaAvgFn(), useBuffers = false } = options;
    if (typeof avgFn !== "function") {
      throw new ArgumentError(
        `AveragedModel: got ${String(avgFn)} as avgFn; expected a function. Write { avgFn: getEmaAvgFn(0.999) }.`,
      );
    }
    this.module = module;
    this.avgFn = avgFn;
    this.useBuffers = useBuffers;
  }

  /** What the averaged network computes. */
  forward(...inputs: Parameters<M["forward"]>): ReturnType<M["forward"]> {
    return this.module.forward(...(inputs as never[])) as ReturnType<M["forward"]>;
  }

  /**
   * Takes the weights of `model` into the average; the first time it takes them over.
   *
   * @throws ArgumentError where it is the averaged network itself, or has other parameters; nothing has changed then.
   */
  updateParameters(model: Network): void {
    if ((model as unknown) === this.module) {
      throw new ArgumentError(
        "AveragedModel.updateParameters: got the averaged network itself; expected the one that is trained. Make the average of a second instance: new AveragedModel(new Net()).",
      );
    }
    const parameters = pairs("parameters", this.module.namedParameters(), model.namedParameters());
    const buffers = pairs("buffers", this.module.namedBuffers(), model.namedBuffers());
    const isFirst = this.nAveraged === 0;
    noGrad(() => {
      const averaged = this.useBuffers ? [...parameters, ...buffers] : parameters;
      for (const [mine, theirs] of averaged) {
        if (isFirst) copy_(mine, theirs);
        else this.takeIn(mine, theirs);
      }
      if (!this.useBuffers) for (const [mine, theirs] of buffers) copy_(mine, theirs);
    });
    this.nAveraged += 1;
  }

  private takeIn(mine: Tensor, theirs: Tensor): void {
    const share = shares.get(this.avgFn)?.(this.nAveraged);
    if (share === undefined || !moveTowards(mine, theirs, share)) copy_(mine, this.avgFn(mine, theirs, this.nAveraged));
  }

  /** The averages by path, and how many there were: PyTorch's names, `module.` and `n_averaged`. */
  stateDict(): Record<string, Tensor> {
    const state = Object.entries(this.module.stateDict()).map(([path, value]) => [`module.${path}`, value]);
    return { n_averaged: tensor(this.nAveraged, { dtype: "int32", device: "cpu" }), ...Object.fromEntries(state) };
  }

  /** @throws ArgumentError, ShapeError where it is not the state of such an average. */
  loadStateDict(state: Record<string, Tensor>): void {
    const { n_averaged: count, ...rest } = state ?? {};
    const names = Object.keys(rest);
    const strange = names.find((name) => !name.startsWith("module."));
    if (!(count instanceof Tensor) || count.numel() !== 1 || strange !== undefined) {
      throw new ArgumentError(
        `AveragedModel.loadStateDict: got a state ${strange === undefined ? "without n_averaged" : `with ${strange}`}; expected n_averaged, and names that begin with module. ` +
          "Pass what stateDict() gave; the weights alone go into averaged.module.loadStateDict(…).",
      );
    }
    const counted = count.itemSync();
    this.module.loadStateDict(
      Object.fromEntries(Object.entries(rest).map(([name, value]) => [name.slice("module.".length), value])),
    );
    this.nAveraged = Number(counted);
  }
}

type Named = readonly (readonly [path: string, tensor: Tensor])[];

function pairs(kind: string, mine: Named, theirs: Named): (readonly [mine: Tensor, theirs: Tensor])[] {
  const misfit = mine.findIndex(([path, held], index) => {
    const other = theirs[index];
    return other === undefined || other[0] !== path || !sameShape(other[1].shape, held.shape);
  });
  if (misfit >= 0 || mine.length !== theirs.length) {
    const text = (entry: Named[number] | undefined): string =>
      entry === undefined ? "none" : `${entry[0]} of shape ${formatShape(entry[1].shape)}`;
    const at = misfit >= 0 ? misfit : mine.length;
    throw new ArgumentError(
      `AveragedModel.updateParameters: got ${text(theirs[at])} among the ${kind}; expected ${text(mine[at])}, as the averaged network has. ` +
        "Average networks of one make.",
    );
  }
  return mine.map(([, held], index) => [held, theirs[index]?.[1] ?? held]);
}

/** What {@link updateBn} needs of a network. */
export interface Trainable {
  readonly training: boolean;
  forward(...inputs: never[]): unknown;
  modules(): readonly object[];
  train(mode?: boolean): unknown;
}

interface RunningStats {
  momentum: number | null;
  resetRunningStats(): void;
}

/**
 * Works out the running statistics of a network's batch norms anew: averages over all batches of a loader, as averaged
 * weights need. Of batches `[images, labels]` the first item is fed in.
 *
 * @param loader batches, asynchronous or not
 * @see https://pytorch.org/docs/stable/optim.html#taking-care-of-batch-normalization
 */
export async function updateBn(loader: AsyncIterable<unknown> | Iterable<unknown>, model: Trainable): Promise<void> {
  const norms = model.modules().filter(hasRunningStats);
  if (norms.length === 0) return;
  const momenta = norms.map(({ momentum }) => momentum);
  const { training } = model;
  try {
    model.train();
    for (const norm of norms) {
      norm.resetRunningStats();
      norm.momentum = null;
    }
    for await (const batch of loader) {
      const input: unknown = Array.isArray(batch) ? batch[0] : batch;
      noGrad(() => void model.forward(...([input] as never[])));
    }
  } finally {
    norms.forEach((norm, index) => {
      norm.momentum = momenta[index] ?? null;
    });
    model.train(training);
  }
}

function hasRunningStats(module: object): module is RunningStats {
  return "resetRunningStats" in module && typeof module.resetRunningStats === "function" && "momentum" in module;
}
