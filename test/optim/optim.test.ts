import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import "../../src/devices.js";
import "../../src/tensor/methods.js";
import { ArgumentError, AutogradError, ShapeError } from "../../src/errors.js";
import * as optim from "../../src/optim/index.js";
import {
  Adadelta,
  Adagrad,
  Adam,
  Adamax,
  NAdam,
  type Optimizer,
  type OptimizerState,
  RAdam,
  RMSprop,
  SGD,
  type SGDOptions,
} from "../../src/optim/index.js";
import { tensor } from "../../src/tensor/create.js";
import { memoryStats } from "../../src/tensor/memory.js";
import { noGrad } from "../../src/tensor/scopes.js";
import type { Tensor } from "../../src/tensor/tensor.js";

const kinds = ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "NAdam", "Adadelta", "Adamax", "RAdam"] as const;
type Kind = (typeof kinds)[number];

interface Golden {
  readonly start: number[];
  readonly grads: number[][];
  readonly cases: {
    readonly optimizer: Kind;
    readonly options: object;
    readonly trace: { readonly step: number; readonly values: number[] }[];
  }[];
}

const golden = JSON.parse(readFileSync(new URL("../golden/optim.json", import.meta.url), "utf8")) as Golden;

type AnyOptimizer = Pick<Optimizer<never>, "step" | "zeroGrad"> & {
  stateDict(): OptimizerState<never>;
  loadStateDict(state: OptimizerState<never>): void;
};

function make(kind: Kind, params: Tensor[], options: object = {}): AnyOptimizer {
  const Kinds: Record<Kind, new (params: Tensor[], options: object) => unknown> = optim;
  return new Kinds[kind](params, options) as AnyOptimizer;
}

function weights(values: number[] = [1, -2, 3]): Tensor {
  return tensor(values, { requiresGrad: true });
}

describe("100 steps give PyTorch's weights", () => {
  test.each(golden.cases.map((each) => [`${each.optimizer} ${JSON.stringify(each.options)}`, each] as const))(
    "%s",
    (_, each) => {
      const p = weights(golden.start);
      const optimizer = make(each.optimizer, [p], each.options);
      golden.grads.forEach((grad, index) => {
        p.grad = tensor(grad);
        optimizer.step();
        const expected = each.trace.find((point) => point.step === index + 1);
        if (expected === undefined) return;
        p.dataSync().forEach((value, position) => {
          const wanted = expected.values[position] ?? Number.NaN;
          expect(Math.abs(value - wanted)).toBeLessThanOrEqual(5e-6 * Math.max(1, Math.abs(wanted)));
        });
      });
    },
  );
});

describe("the L1 penalty", () => {
  test("brings weights to exactly zero and keeps them there", () => {
    const p = weights([0.05, -0.05, 5]);
    const optimizer = new SGD([p], { lr: 0.1, l1: 1 });
    for (let step = 0; step < 3; step++) {
      p.grad = tensor([0, 0, 0]);
      optimizer.step();
    }
    expect([...p.dataSync()].slice(0, 2)).toEqual([0, 0]);
    expect(p.dataSync()[2]).toBeCloseTo(4.7, 5);
  });

  test("holds for one group only", () => {
    const [penalised, free] = [weights([1, 1]), weights([1, 1])];
    const optimizer = new SGD([{ params: [penalised], l1: 1 }, { params: [free] }], { lr: 0.1 });
    penalised.grad = tensor([0, 0]);
    free.grad = tensor([0, 0]);
    optimizer.step();
    expect(penalised.dataSync()[0]).toBeCloseTo(0.9, 6);
    expect(free.dataSync()[0]).toBe(1);
  });
});

describe("groups and state", () => {
  test("settings of a group may change between steps", () => {
    const p = weights([1]);
    const optimizer = new SGD([p], { lr: 1 });
    const [group] = optimizer.paramGroups;
    if (group !== undefined) group.lr = 0.25;
    p.grad = tensor([1]);
    optimizer.step();
    expect(p.itemSync()).toBe(0.75);
  });

  test("a parameter without gradient stays as it is", () => {
    const p = weights([1]);
    new Adam([p], { lr: 1 }).step();
    expect(p.itemSync()).toBe(1);
  });

  test.each([
    ["SGD", { lr: 0.05, momentum: 0.9 }],
    ["Adam", { lr: 0.05, amsgrad: true }],
    ["AdamW", { lr: 0.05 }],
    ["RMSprop", { lr: 0.05, momentum: 0.9, centered: true }],
    ["Adagrad", { lr: 0.05, lrDecay: 0.1, initialAccumulatorValue: 1 }],
    ["NAdam", { lr: 0.05 }],
    ["Adadelta", { lr: 0.5 }],
    ["Adamax", { lr: 0.05 }],
    ["RAdam", { lr: 0.05 }],
  ] as const)("a state of %s that was saved and loaded goes on as if nothing had happened", (kind, options) => {
    const run = (reload: boolean): number[] => {
      const p = weights(golden.start);
      let optimizer = make(kind, [p], options);
      golden.grads.slice(0, 20).forEach((grad, index) => {
        if (reload && index === 10) {
          const saved = optimizer.stateDict();
          optimizer = make(kind, [p]);
          optimizer.loadStateDict(saved);
        }
        p.grad = tensor(grad);
        optimizer.step();
      });
      return [...p.dataSync()];
    };
    expect(run(true)).toEqual(run(false));
  });

  test("loading copies: the two optimizers do not share moments", () => {
    const p = weights([1]);
    const first = new SGD([p], { lr: 0.1, momentum: 0.9 });
    p.grad = tensor([1]);
    first.step();
    const second = new SGD([p], { lr: 0.1, momentum: 0.9 });
    second.loadStateDict(first.stateDict());
    first.step();
    const buffer = second.stateDict().state[0]?.momentumBuffer as Tensor;
    expect(buffer.itemSync()).toBe(1);
  });

  test("a state that does not fit changes nothing", () => {
    const p = weights([1, 2]);
    const other = weights([1, 2, 3]);
    const foreign = new SGD([other], { lr: 0.5, momentum: 0.9 });
    other.grad = tensor([1, 1, 1]);
    foreign.step();
    const optimizer = new SGD([p], { lr: 0.1 });
    expect(() => optimizer.loadStateDict(foreign.stateDict())).toThrow(ShapeError);
    expect(optimizer.paramGroups[0]?.lr).toBe(0.1);
    const two = new SGD([weights(), weights()], { lr: 0.1 });
    expect(() => optimizer.loadStateDict(two.stateDict())).toThrow(
      "SGD.loadStateDict: got parameter groups of sizes [2]; expected [1].",
    );
  });

  test("moments made inside noGrad outlive it", () => {
    const p = weights(new Array<number>(3000).fill(1));
    const optimizer = new Adam([p]);
    noGrad(() => {
      p.grad = tensor(new Array<number>(3000).fill(1));
      optimizer.step();
    });
    p.grad = tensor(new Array<number>(3000).fill(1));
    expect(() => optimizer.step()).not.toThrow();
  });

  test.each(kinds)("2,000 steps of %s hold no more memory than 10", (kind) => {
    const p = weights(new Array<number>(3000).fill(1));
    const optimizer = make(kind, [p], { weightDecay: 0.01, l1: 1e-4, ...(kind === "AdamW" ? { amsgrad: true } : {}) });
    const step = (): number => {
      optimizer.zeroGrad();
      p.square().sum().backward();
      optimizer.step();
      return memoryStats().bytes;
    };
    let early = 0;
    for (let index = 0; index < 10; index++) early = step();
    let late = 0;
    for (let index = 0; index < 2000; index++) late = step();
    expect(late).toBe(early);
  });

  test("a step leaves the gradient as it was", () => {
    for (const kind of kinds) {
      const p = weights([1, -2]);
      p.grad = tensor([0.5, 0.25]);
      make(kind, [p], { lr: 0.1, weightDecay: 0.1, l1: 0.1, maximize: true }).step();
      expect([...p.grad.dataSync()]).toEqual([0.5, 0.25]);
    }
  });
});

describe("mistakes", () => {
  test.each([
    ["no parameters", () => new SGD([]), "SGD: got no parameters; expected at least one."],
    [
      "a NaN learning rate",
      () => new SGD([weights()], { lr: Number.NaN }),
      "SGD: got lr = NaN; expected a number of 0 or more",
    ],
    ["an infinite learning rate", () => new Adam([weights()], { lr: Infinity }), "Adam: got lr = Infinity;"],
    ["a negative l1", () => new Adam([weights()], { l1: -1 }), "Adam: got l1 = -1;"],
    [
      "a beta of 1",
      () => new Adam([weights()], { betas: [1, 0.9] }),
      "Adam: got betas[0] = 1; expected a number of 0 or more, and below 1.",
    ],
    ["a negative alpha", () => new RMSprop([weights()], { alpha: -1 }), "RMSprop: got alpha = -1;"],
    ["a negative momentum", () => new RMSprop([weights()], { momentum: -1 }), "RMSprop: got momentum = -1;"],
    ["a negative decay", () => new Adagrad([weights()], { lrDecay: -0.1 }), "Adagrad: got lrDecay = -0.1;"],
    [
      "a negative sum of squares",
      () => new Adagrad([weights()], { initialAccumulatorValue: -1 }),
      "Adagrad: got initialAccumulatorValue = -1;",
    ],
    [
      "one beta",
      () => new NAdam([weights()], { betas: [0.9] as never }),
      "NAdam: got betas = 0.9; expected two numbers.",
    ],
    ["a beta of 2", () => new NAdam([weights()], { betas: [0.9, 2] }), "NAdam: got betas[1] = 2;"],
    [
      "one beta of Adamax",
      () => new Adamax([weights()], { betas: [0.9] as never }),
      "Adamax: got betas = 0.9; expected two numbers.",
    ],
    ["a beta of RAdam of 1", () => new RAdam([weights()], { betas: [0.9, 1] }), "RAdam: got betas[1] = 1;"],
    ["one beta of RAdam", () => new RAdam([weights()], { betas: 0.9 as never }), "RAdam: got betas = 0.9;"],
    ["a rho of 2", () => new Adadelta([weights()], { rho: 2 }), "Adadelta: got rho = 2;"],
    ["a negative eps", () => new Adadelta([weights()], { eps: -1 }), "Adadelta: got eps = -1;"],
    ["nesterov without momentum", () => new SGD([weights()], { nesterov: true }), "SGD: got nesterov with momentum 0"],
    [
      "an unknown setting",
      () => new SGD([weights()], { beta: 1 } as SGDOptions),
      "SGD: got the setting beta; expected one of lr,",
    ],
    [
      "an unknown l1Mode",
      () => new SGD([weights()], { l1Mode: "soft" } as unknown as SGDOptions),
      'SGD: got l1Mode = "soft";',
    ],
  ])("%s", (_, run, text) => {
    expect(run).toThrow(ArgumentError);
    expect(run).toThrow(text);
  });

  test("a parameter twice", () => {
    const p = weights();
    expect(() => new SGD([p, p])).toThrow("SGD: got a parameter of shape [3] twice; expected each once.");
  });

  test("a parameter that is no leaf", () => {
    expect(() => new SGD([weights().mul(2)])).toThrow(AutogradError);
  });

  test("a learning rate that becomes NaN is found before any parameter is touched", () => {
    const p = weights([1]);
    const optimizer = new SGD([p]);
    p.grad = tensor([1]);
    const [group] = optimizer.paramGroups;
    if (group !== undefined) group.lr = Number.NaN;
    expect(() => optimizer.step()).toThrow(ArgumentError);
    expect(p.itemSync()).toBe(1);
  });
});
