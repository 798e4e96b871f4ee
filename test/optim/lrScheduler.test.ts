/** Schedulers against PyTorch (test/golden/schedulers.json), what they save, and what they refuse. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ArgumentError, loadCheckpoint, optim, saveCheckpoint, tensor, zeros } from "../../src/index.js";

const { lrScheduler } = optim;

interface Golden {
  readonly measures: readonly number[];
  readonly cases: readonly {
    readonly optimizer: "SGD" | "Adam";
    readonly chain: readonly (readonly [name: string, args: readonly unknown[]])[];
    readonly trace: readonly (readonly number[])[];
  }[];
}

const golden = JSON.parse(readFileSync(new URL("../golden/schedulers.json", import.meta.url), "utf8")) as Golden;

const lambdas: Record<string, optim.lrScheduler.LrLambda> = {
  $decay: (epoch) => 0.9 ** epoch,
  $inverse: (epoch) => 1 / (1 + epoch),
};

function twoGroups(kind: "SGD" | "Adam"): optim.SGD | optim.Adam {
  const groups = [
    { params: [zeros([1], { requiresGrad: true })], lr: 0.1 },
    { params: [zeros([1], { requiresGrad: true })], lr: 0.05 },
  ];
  return kind === "SGD" ? new optim.SGD(groups, { momentum: 0.9 }) : new optim.Adam(groups);
}

/** The last scheduler of a chain, which may be made of those before. */
function make(
  optimizer: optim.SGD | optim.Adam,
  chain: Golden["cases"][number]["chain"],
): optim.lrScheduler.LRScheduler {
  const made: optim.lrScheduler.LRScheduler[] = [];
  const fill = (arg: unknown): unknown => {
    if (Array.isArray(arg)) return arg.map(fill);
    if (typeof arg === "object" && arg !== null && "scaleFn" in arg) return { ...arg, scaleFn: fill(arg.scaleFn) };
    return arg === "$schedulers" ? [...made] : typeof arg === "string" ? lambdas[arg] : arg;
  };
  const kinds = lrScheduler as unknown as Record<string, new (...args: unknown[]) => optim.lrScheduler.LRScheduler>;
  for (const [name, args] of chain) {
    const Kind = kinds[name];
    if (Kind === undefined) expect.fail(`there is no scheduler ${name}`);
    made.push(new Kind(...(name === "ChainedScheduler" ? [] : [optimizer]), ...args.map(fill)));
  }
  return made.at(-1) ?? expect.fail("an empty chain");
}

function ratesOf({ paramGroups }: optim.SGD | optim.Adam): number[] {
  const [group] = paramGroups as optim.lrScheduler.ScheduledGroup[];
  return [...paramGroups.map(({ lr }) => lr), group?.betas?.[0] ?? group?.momentum ?? 0];
}

function expectRates(got: readonly number[], expected: readonly number[] | undefined, step: number): void {
  expected?.forEach((wanted, index) => {
    const value = got[index] ?? Number.NaN;
    expect(Math.abs(value - wanted), `step ${step}: got ${value}, expected ${wanted}`).toBeLessThanOrEqual(
      1e-12 * Math.max(Math.abs(wanted), 1e-3),
    );
  });
}

type Measured = { step(measure?: number): void };

describe("30 steps give PyTorch's learning rates", () => {
  const names = golden.cases.map((each) => [JSON.stringify(each.chain), each] as const);
  test.each(names)("%s", (_, each) => {
    const optimizer = twoGroups(each.optimizer);
    const scheduler = make(optimizer, each.chain);
    expectRates(ratesOf(optimizer), each.trace[0], 0);
    each.trace.slice(1).forEach((expected, index) => {
      (scheduler as Measured).step(golden.measures[index]);
      expectRates(ratesOf(optimizer), expected, index + 1);
      expectRates(scheduler.getLastLr(), expected.slice(0, 2), index + 1);
    });
  });

  test.each(names)("also after a checkpoint in the middle: %s", (_, each) => {
    let optimizer = twoGroups(each.optimizer);
    let scheduler = make(optimizer, each.chain);
    each.trace.slice(1).forEach((expected, index) => {
      if (index % 7 === 6) {
        const saved = JSON.parse(JSON.stringify(finite(scheduler.stateDict()))) as optim.lrScheduler.SchedulerState;
        const state = optimizer.stateDict();
        optimizer = twoGroups(each.optimizer);
        scheduler = make(optimizer, each.chain);
        optimizer.loadStateDict(state as never);
        scheduler.loadStateDict(saved);
      }
      (scheduler as Measured).step(golden.measures[index]);
      expectRates(ratesOf(optimizer), expected, index + 1);
    });
  });
});

/** JSON has no infinities; the best measure is finite once there was one. */
function finite(state: optim.lrScheduler.SchedulerState): optim.lrScheduler.SchedulerState {
  expect(JSON.stringify(state)).not.toContain("null");
  return state;
}

test("a checkpoint holds the scheduler, also one that has seen no measure yet", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tapegrad-"));
  try {
    const file = join(folder, "run.checkpoint");
    const parts = () => {
      const optimizer = twoGroups("Adam");
      const scheduler = new lrScheduler.CosineAnnealingLR(optimizer, 20);
      const plateau = new lrScheduler.ReduceLROnPlateau(optimizer, { patience: 0 });
      return { optimizer, scheduler, plateau };
    };
    const first = parts();
    for (let step = 0; step < 5; step++) first.scheduler.step();
    await saveCheckpoint(file, first);
    const second = parts();
    await loadCheckpoint(file, second);
    expect(second.plateau.stateDict().counters.best).toBe(Infinity);
    for (const { scheduler } of [first, second]) scheduler.step();
    expect(ratesOf(second.optimizer)).toEqual(ratesOf(first.optimizer));
    expect(second.scheduler.lastEpoch).toBe(6);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a rate that is changed by hand is gone on from", () => {
  const optimizer = new optim.SGD([zeros([1])], { lr: 1 });
  const scheduler = new lrScheduler.ExponentialLR(optimizer, 0.5);
  scheduler.step();
  const [group] = optimizer.paramGroups;
  if (group !== undefined) group.lr = 8;
  scheduler.step();
  expect(scheduler.getLastLr()).toEqual([4]);
});

test("the step after the last batch of a cycle ends at no rate below 0", () => {
  const optimizer = new optim.SGD([zeros([1])], { lr: 1 });
  const options = { totalSteps: 4, annealStrategy: "linear", cycleMomentum: false } as const;
  const scheduler = new lrScheduler.OneCycleLR(optimizer, 1, options);
  for (let step = 0; step < 4; step++) scheduler.step();
  expect(scheduler.getLastLr()).toEqual([0]);
  expect(() => scheduler.step()).toThrow("OneCycleLR: got step 5; expected at most 4, the length of the cycle.");
  expect(scheduler.lastEpoch).toBe(4);
});

describe("mistakes", () => {
  const sgd = () => new optim.SGD([zeros([1])], { lr: 0.1 });
  const wrong = <T>(value: unknown): T => value as T;
  const ownOf = (optimizer: optim.SGD) => new lrScheduler.StepLR(optimizer, 2);
  test.each([
    [
      "no optimizer",
      () => new lrScheduler.StepLR(wrong({ paramGroups: [] }), 2),
      "StepLR: got [object Object] as optimizer; expected one of optim's.",
    ],
    [
      "a step size of 0",
      () => new lrScheduler.StepLR(sgd(), 0),
      "StepLR: got stepSize = 0; expected a whole number of 1",
    ],
    [
      "gamma in the place of options",
      () => new lrScheduler.StepLR(sgd(), 2, wrong(0.5)),
      "StepLR: got 0.5 as options; expected an object such as { gamma: … }.",
    ],
    [
      "an unknown option",
      () => new lrScheduler.StepLR(sgd(), 2, wrong({ lastEpoch: 3 })),
      'StepLR: got the option "lastEpoch"; expected only gamma.',
    ],
    ["a NaN gamma", () => new lrScheduler.ExponentialLR(sgd(), Number.NaN), "ExponentialLR: got gamma = NaN;"],
    ["half a milestone", () => new lrScheduler.MultiStepLR(sgd(), [1.5]), "MultiStepLR: got a milestone = 1.5;"],
    [
      "a start factor of 0",
      () => new lrScheduler.LinearLR(sgd(), { startFactor: 0 }),
      "LinearLR: got startFactor = 0; expected a finite number",
    ],
    [
      "two lambdas for one group",
      () => new lrScheduler.LambdaLR(sgd(), [() => 1, () => 1]),
      "LambdaLR: got 2 values of lrLambda for 1 parameter groups; expected one for each.",
    ],
    [
      "a number in the place of a lambda",
      () => new lrScheduler.LambdaLR(sgd(), wrong(0.5)),
      "LambdaLR: got 0.5 as lrLambda; expected a function",
    ],
    [
      "a lambda that gives nothing",
      () =>
        new lrScheduler.LambdaLR(
          sgd(),
          wrong(() => undefined),
        ),
      "LambdaLR: got the learning rate NaN for group 0 at step 0; expected a finite number of 0 or more.",
    ],
    ["no steps", () => new lrScheduler.CosineAnnealingLR(sgd(), 0), "CosineAnnealingLR: got tMax = 0;"],
    [
      "a period of half a step",
      () => new lrScheduler.CosineAnnealingWarmRestarts(sgd(), 0.5),
      "CosineAnnealingWarmRestarts: got t0 = 0.5;",
    ],
    [
      "a cycle without length",
      () => new lrScheduler.OneCycleLR(sgd(), 1, { epochs: 3 }),
      "OneCycleLR: got neither totalSteps nor both of epochs and stepsPerEpoch;",
    ],
    [
      "no momentum to cycle",
      () => new lrScheduler.OneCycleLR(new optim.Adagrad([zeros([1])]), 1, { totalSteps: 3 }),
      "OneCycleLR: got an optimizer without momentum and betas;",
    ],
    [
      "a reduction that is none",
      () => new lrScheduler.ReduceLROnPlateau(sgd(), { factor: 1 }),
      "ReduceLROnPlateau: got factor = 1; expected a number below 1",
    ],
    [
      "a tensor as measure",
      () => new lrScheduler.ReduceLROnPlateau(sgd()).step(wrong(tensor(1))),
      "ReduceLROnPlateau: got an object as the measure; expected a number. Pass await loss.item().",
    ],
    ["no measure", () => new lrScheduler.ReduceLROnPlateau(sgd()).step(), "ReduceLROnPlateau: got undefined as"],
    [
      "too few milestones",
      () => {
        const optimizer = sgd();
        return new lrScheduler.SequentialLR(optimizer, [ownOf(optimizer), ownOf(optimizer)], []);
      },
      "SequentialLR: got 2 schedulers and 0 milestones; expected one milestone fewer than schedulers.",
    ],
    [
      "milestones that fall",
      () => {
        const optimizer = sgd();
        const three = [ownOf(optimizer), ownOf(optimizer), ownOf(optimizer)];
        return new lrScheduler.SequentialLR(optimizer, three, [5, 3]);
      },
      "SequentialLR: got milestones[1] = 3; expected a whole number of 6 or more.",
    ],
    [
      "a scheduler of another optimizer",
      () => new lrScheduler.SequentialLR(sgd(), [ownOf(sgd())], []),
      "SequentialLR: got a scheduler of another optimizer at 0;",
    ],
    [
      "a scheduler that needs a measure",
      () => {
        const optimizer = sgd();
        return new lrScheduler.SequentialLR(optimizer, [new lrScheduler.ReduceLROnPlateau(optimizer)], []);
      },
      "SequentialLR: got ReduceLROnPlateau, which needs a measure at each step, at 0;",
    ],
    [
      "a chain in a sequence",
      () => {
        const optimizer = sgd();
        return new lrScheduler.SequentialLR(optimizer, [new lrScheduler.ChainedScheduler([ownOf(optimizer)])], []);
      },
      "SequentialLR: got a ChainedScheduler at 0; expected a scheduler that can begin anew. Chain it with the whole sequence.",
    ],
    [
      "an empty chain",
      () => new lrScheduler.ChainedScheduler([]),
      "ChainedScheduler: got no schedulers; expected an array of one at least. Write [first, second].",
    ],
    [
      "a chain that is no list",
      () => new lrScheduler.ChainedScheduler(wrong(sgd())),
      "ChainedScheduler: got [object Object]; expected an array of one at least.",
    ],
    [
      "a chain of two optimizers",
      () => new lrScheduler.ChainedScheduler([ownOf(sgd()), ownOf(sgd())]),
      "ChainedScheduler: got a scheduler of another optimizer at 1;",
    ],
    [
      "a factor of 0",
      () => new lrScheduler.ConstantLR(sgd(), { factor: 0 }),
      "ConstantLR: got factor = 0; expected a finite number",
    ],
    ["a negative power", () => new lrScheduler.PolynomialLR(sgd(), { power: -1 }), "PolynomialLR: got power = -1;"],
    [
      "no function",
      () => new lrScheduler.MultiplicativeLR(sgd(), wrong(0.9)),
      "MultiplicativeLR: got 0.9 as lrLambda; expected a function from the number of steps to a factor.",
    ],
    [
      "a mode in PyTorch's spelling",
      () => new lrScheduler.CyclicLR(sgd(), 0.1, 0.2, { mode: wrong("exp_range") }),
      'CyclicLR: got mode = "exp_range"; expected one of triangular, triangular2, expRange.',
    ],
    [
      "no momentum to cycle",
      () => new lrScheduler.CyclicLR(new optim.Adagrad([zeros([1])]), 0.1, 0.2),
      "CyclicLR: got an optimizer without momentum and betas; expected one of them to cycle.",
    ],
    [
      "a number for a scale",
      () => new lrScheduler.CyclicLR(sgd(), 0.1, 0.2, { scaleFn: wrong(1) }),
      "CyclicLR: got 1 as scaleFn; expected a function from a number to a factor.",
    ],
    [
      "the state of another scheduler",
      () => ownOf(sgd()).loadStateDict(new lrScheduler.CosineAnnealingWarmRestarts(sgd(), 4).stateDict()),
      "StepLR.loadStateDict: got what is no state of StepLR for 1 parameter groups;",
    ],
    ["no state", () => ownOf(sgd()).loadStateDict(wrong(null)), "StepLR.loadStateDict: got what is no state"],
  ])("%s", (_, run, text) => {
    expect(run).toThrow(ArgumentError);
    expect(run).toThrow(text);
  });

  test("a group that came after the scheduler", () => {
    const optimizer = sgd();
    const scheduler = ownOf(optimizer);
    optimizer.addParamGroup({ params: [zeros([1])] });
    expect(() => scheduler.step()).toThrow("StepLR: got an optimizer with 2 parameter groups; expected 1,");
    expect(scheduler.lastEpoch).toBe(0);
  });
});
