/** Clipping, parameter vectors, split weights (against test/golden/nnUtils.json) and fused batch norms. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  type DType,
  defaultGenerator,
  manualSeed,
  nn,
  noGrad,
  optim,
  randn,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from "../../../src/index.js";

const { utils } = nn;
const wrong = <T>(value: unknown): T => value as T;

interface Packed {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
type State = Record<string, Packed>;
interface Golden {
  readonly grads: readonly Packed[];
  readonly clipped: readonly {
    readonly normType: string;
    readonly maxNorm: number;
    readonly total: Packed;
    readonly grads: readonly Packed[];
  }[];
  readonly split: readonly {
    readonly layer: readonly [string, ...unknown[]];
    readonly dim: number | null;
    readonly before: State;
    readonly input: Packed;
    readonly output: Packed;
    readonly after: State;
    readonly outputAfter: Packed;
  }[];
}

const golden = JSON.parse(readFileSync(new URL("../../golden/nnUtils.json", import.meta.url), "utf8")) as Golden;

const unpack = ({ dtype, shape, data }: Packed): Tensor => tensor([...data], { dtype, shape });

function expectClose(got: Tensor | null | undefined, { shape, data }: Packed): void {
  expect(got?.shape).toEqual(shape);
  const values = got?.dataSync() ?? [];
  const scale = Math.max(...data.map(Math.abs), 1e-30);
  data.forEach((wanted, index) => {
    expect(Math.abs((values[index] ?? Number.NaN) - wanted) / scale).toBeLessThanOrEqual(1e-5);
  });
}

function withGrads(): nn.Parameter[] {
  return golden.grads.map((packed) => {
    const parameter = new nn.Parameter(zeros(packed.shape));
    parameter.grad = unpack(packed);
    return parameter;
  });
}

describe("clipping", () => {
  test.each(golden.clipped.map((each) => [`order ${each.normType} to ${each.maxNorm}`, each] as const))(
    "by the norm of %s gives PyTorch's gradients",
    (_, each) => {
      const parameters = withGrads();
      const normType = each.normType === "inf" ? Infinity : Number(each.normType);
      const total = utils.clipGradNorm_(parameters, each.maxNorm, { normType });
      expectClose(total, each.total);
      for (const [index, packed] of each.grads.entries()) expectClose(parameters[index]?.grad, packed);
    },
  );

  test("by value", () => {
    const p = new nn.Parameter(zeros([3]));
    p.grad = tensor([-5, 0.5, 2]);
    utils.clipGradValue_(p, 1);
    expect([...p.grad.dataSync()]).toEqual([-1, 0.5, 1]);
  });

  test("leaves parameters without gradients alone", () => {
    expect(utils.clipGradNorm_([new nn.Parameter(zeros([3]))], 1).itemSync()).toBe(0);
  });

  test("refuses what it cannot do", () => {
    const p = new nn.Parameter(zeros([1]));
    p.grad = tensor([Infinity]);
    expect(() => utils.clipGradNorm_(p, -1)).toThrow(
      "clipGradNorm_: got maxNorm -1; expected a finite number of 0 or more.",
    );
    expect(() => utils.clipGradNorm_(p, 1, wrong({ foreach: true }))).toThrow(
      'clipGradNorm_: got the option "foreach";',
    );
    expect(() => utils.clipGradNorm_(p, 1, { errorIfNonfinite: true })).toThrow(
      "clipGradNorm_: got gradients whose norm of order 2 is Infinity; expected a finite one.",
    );
    expect(p.grad.itemSync()).toBe(Infinity);
    expect(() => utils.clipGradValue_(p, Number.NaN)).toThrow(ArgumentError);
    expect(() => utils.clipGradNorm_(wrong([3]), 1)).toThrow("clipGradNorm_: got 3 as a parameter; expected a tensor.");
  });
});

describe("parameters as a vector", () => {
  test("there and back", () => {
    const [from, into] = [new nn.Linear(3, 2), new nn.Linear(3, 2)];
    const vector = utils.parametersToVector(from.parameters());
    expect(vector.shape).toEqual([8]);
    utils.vectorToParameters(vector, into.parameters());
    expect(into.weight.dataSync()).toEqual(from.weight.dataSync());
    expect(into.bias?.dataSync()).toEqual(from.bias?.dataSync());
    vector.square().sum().backward();
    expect(from.weight.grad?.dataSync()).toEqual(from.weight.mul(2).dataSync());
  });

  test("refuse another length, and nothing", () => {
    const layer = new nn.Linear(3, 2);
    expect(() => utils.vectorToParameters(zeros([7]), layer.parameters())).toThrow(
      new ShapeError(
        "vectorToParameters: got a tensor of shape [7] for parameters of 8 elements; expected [8]. Pass what parametersToVector gave.",
      ),
    );
    expect(() => utils.parametersToVector([])).toThrow("parametersToVector: got no parameters; expected at least one.");
  });
});

describe("weightNorm", () => {
  type Made = nn.Module & { weight: Tensor; forward(x: Tensor): Tensor };
  const make = ([kind, ...args]: readonly [string, ...unknown[]]): Made =>
    new (nn as unknown as Record<"Linear", new (...args: unknown[]) => Made>)[kind as "Linear"](...args);

  test.each(golden.split.map((each) => [`${JSON.stringify(each.layer)}, dim ${each.dim}`, each] as const))(
    "%s trains as PyTorch's",
    (_, each) => {
      const layer = make(each.layer);
      layer.loadStateDict(Object.fromEntries(Object.entries(each.before).map(([k, v]) => [k, unpack(v)])));
      expect(utils.weightNorm(layer, "weight", each.dim)).toBe(layer);
      const x = unpack(each.input);
      const optimizer = new optim.SGD(layer.parameters(), { lr: 0.1 });
      const y = layer.forward(x);
      expectClose(y, each.output);
      y.square().mean().backward();
      optimizer.step();
      expect(Object.keys(layer.stateDict())).toEqual(Object.keys(each.after));
      for (const [name, packed] of Object.entries(each.after)) expectClose(layer.stateDict()[name], packed);
      expectClose(layer.forward(x), each.outputAfter);
      utils.removeWeightNorm(layer);
      expectClose(layer.forward(x), each.outputAfter);
      expect(Object.keys(layer.stateDict()).sort()).toEqual(Object.keys(each.before).sort());
    },
  );

  test("also without recording, again and again", () => {
    const layer = utils.weightNorm(new nn.Linear(64, 64));
    const once = noGrad(() => layer.forward(zeros([1, 64]).add(1))).dataSync();
    expect(noGrad(() => layer.forward(zeros([1, 64]).add(1))).dataSync()).toEqual(once);
  });

  test("refuses what it cannot split", () => {
    const layer = new nn.Linear(2, 2);
    expect(() => utils.weightNorm(layer, "kernel")).toThrow('the name "kernel"; expected a parameter of that name');
    expect(() => utils.weightNorm(layer, "weight", 2)).toThrow("weightNorm: got dim 2 for a weight of 2 axes;");
    expect(() => utils.removeWeightNorm(layer)).toThrow(ArgumentError);
    utils.weightNorm(layer);
    expect(() => utils.weightNorm(layer)).toThrow("It is split already; call removeWeightNorm first.");
  });
});

describe("fused batch norms", () => {
  function norm<B extends nn.BatchNorm1d | nn.BatchNorm2d>(bn: B, shape: number[]): B {
    for (let i = 0; i < 3; i++) bn.forward(randn(shape).mul(2).add(1));
    noGrad(() => {
      bn.weight?.uniform_(0.5, 2);
      bn.bias?.uniform_(-1, 1);
    });
    bn.eval();
    return bn;
  }
  const close = (a: Tensor, b: Tensor): void => {
    expect(a.sub(b).abs().max().itemSync()).toBeLessThan(1e-5);
  };

  test.each([
    [{ padding: 1 }],
    [{ bias: false, groups: 2, stride: 2 }],
    [{ padding: "same", dilation: 2, paddingMode: "reflect" }],
  ] as const)("Conv2d with %j", (options) => {
    manualSeed(1);
    const conv = new nn.Conv2d(4, 6, 3, options as nn.Conv2dLayerOptions).eval();
    const bn = norm(new nn.BatchNorm2d(6), [4, 6, 5, 5]);
    const state = defaultGenerator.getState();
    const fused = utils.fuseConvBnEval(conv, bn);
    expect(defaultGenerator.getState()).toEqual(state);
    const x = randn([2, 4, 8, 8]);
    close(fused.forward(x), bn.forward(conv.forward(x)));
    expect(fused.training).toBe(false);
    expect(fused.bias).not.toBeNull();
    expect(fused.weight.requiresGrad).toBe(true);
  });

  test("ConvTranspose2d and Linear", () => {
    manualSeed(2);
    const conv = new nn.ConvTranspose2d(3, 5, 3, { stride: 2, outputPadding: 1, padding: 1 }).eval();
    const bn = norm(new nn.BatchNorm2d(5), [4, 5, 5, 5]);
    const x = randn([2, 3, 4, 4]);
    close(utils.fuseConvBnEval(conv, bn).forward(x), bn.forward(conv.forward(x)));
    const linear = new nn.Linear(4, 3).eval();
    const bn1 = norm(new nn.BatchNorm1d(3), [8, 3]);
    const y = randn([5, 4]);
    close(utils.fuseLinearBnEval(linear, bn1).forward(y), bn1.forward(linear.forward(y)));
  });

  test("refuses training mode and layers that do not fit", () => {
    const conv = new nn.Conv2d(2, 3, 3);
    expect(() => utils.fuseConvBnEval(conv, new nn.BatchNorm2d(3).eval())).toThrow(
      "fuseConvBnEval: got a layer in training mode; expected both in evaluation,",
    );
    conv.eval();
    expect(() => utils.fuseConvBnEval(conv, new nn.BatchNorm2d(4).eval())).toThrow(
      "fuseConvBnEval: got a batch norm of 4 features for 3 outputs; expected the same number.",
    );
    expect(() => utils.fuseConvBnEval(conv, new nn.BatchNorm2d(3, { trackRunningStats: false }).eval())).toThrow(
      "expected a batch norm with running statistics.",
    );
    expect(() => utils.fuseConvBnEval(wrong<nn.Conv2d>(new nn.ReLU()), new nn.BatchNorm2d(3))).toThrow(
      "fuseConvBnEval: got ReLU(); expected Conv2d.",
    );
    const grouped = new nn.ConvTranspose2d(4, 4, 3, { groups: 2 }).eval();
    expect(() => utils.fuseConvBnEval(grouped, new nn.BatchNorm2d(4).eval())).toThrow(ArgumentError);
  });
});

describe("nn.init", () => {
  test.each([
    [
      "a vector to make orthogonal",
      () => nn.init.orthogonal_(zeros([3])),
      "init.orthogonal_: got a tensor of shape [3]; expected at least 2 axes.",
    ],
    [
      "a box to make an identity",
      () => nn.init.eye_(zeros([3, 3, 3])),
      "init.eye_: got a tensor of shape [3, 3, 3]; expected 2 axes.",
    ],
    [
      "a matrix for a convolution",
      () => nn.init.dirac_(zeros([3, 3])),
      "init.dirac_: got a tensor of shape [3, 3]; expected 3 to 5 axes.",
    ],
    [
      "groups that do not divide",
      () => nn.init.dirac_(zeros([4, 2, 3]), { groups: 3 }),
      "init.dirac_: got groups 3 for 4 outputs;",
    ],
    [
      "bounds the wrong way round",
      () => nn.init.truncNormal_(zeros([3]), 0, 1, 2, -2),
      "init.truncNormal_: got the bounds 2 and -2;",
    ],
    ["no deviation", () => nn.init.truncNormal_(zeros([3]), 0, 0), "init.truncNormal_: got std 0;"],
    ["more than everything", () => nn.init.sparse_(zeros([3, 3]), 1.5), "init.sparse_: got sparsity 1.5;"],
    ["whole numbers", () => nn.init.eye_(zeros([3, 3], { dtype: "int32" })), "init.eye_: got dtype int32;"],
  ])("refuses %s", (_, run, text) => {
    expect(run).toThrow(text);
  });

  test("orthogonal_ of float64 is orthogonal to rounding", () => {
    const w = nn.init.orthogonal_(zeros([20, 50], { dtype: "float64" }));
    const gram = w.matmul(w.transpose(0, 1));
    expect(
      gram
        .sub(nn.init.eye_(zeros([20, 20], { dtype: "float64" })))
        .abs()
        .max()
        .itemSync(),
    ).toBeLessThan(1e-14);
  });
});
