/** ModuleList, ModuleDict, lazy layers and padding: what the golden values do not show. */
import { describe, expect, expectTypeOf, test } from "vitest";
import { ArgumentError, manualSeed, nn, noGrad, optim, ShapeError, type Tensor, zeros } from "../../src/index.js";

const names = (held: readonly (readonly [string, unknown])[]): string[] => held.map(([name]) => name);
const wrong = <T>(value: unknown): T => value as T;

class Lists extends nn.Module {
  blocks = new nn.ModuleList([new nn.Linear(2, 2), new nn.Linear(2, 2)]);
  heads = new nn.ModuleDict({ a: new nn.Linear(2, 1), "1": new nn.Linear(2, 3) });
  forward(x: Tensor): Tensor {
    for (const block of this.blocks) x = block.forward(x);
    return this.heads.get("a").forward(x);
  }
}

describe("ModuleList and ModuleDict", () => {
  test("paths are PyTorch's, and weights are learnt", () => {
    const net = new Lists();
    expect(Object.keys(net.stateDict())).toEqual([
      "blocks.0.weight",
      "blocks.0.bias",
      "blocks.1.weight",
      "blocks.1.bias",
      "heads.1.weight",
      "heads.1.bias",
      "heads.a.weight",
      "heads.a.bias",
    ]);
    expect(net.forward(zeros([5, 2])).shape).toEqual([5, 1]);
    expectTypeOf(net.blocks.at(0)).toEqualTypeOf<nn.Linear>();
  });

  test("a list changes", () => {
    const [a, b, c] = [new nn.ReLU(), new nn.Tanh(), new nn.Sigmoid()];
    const list = new nn.ModuleList<nn.Module>([a]).append(c).insert(1, b);
    expect([...list]).toEqual([a, b, c]);
    expect(list.at(-1)).toBe(c);
    expect(list.pop(0)).toBe(a);
    expect(list.pop()).toBe(c);
    expect(list.extend([a, a]).length).toBe(3);
    expect(names(list.namedChildren())).toEqual(["0", "1"]);
    expect(String(list)).toBe("ModuleList(\n  (0): Tanh()\n  (1): ReLU()\n  (2): ReLU()\n)");
  });

  test("a dictionary changes, and keeps its order", () => {
    const [a, b] = [new nn.ReLU(), new nn.Tanh()];
    const dict = new nn.ModuleDict<nn.Module>([["z", a]]).set("b", b).update({ y: a });
    expect([...dict]).toEqual(["z", "b", "y"]);
    expect([...dict.values()]).toEqual([a, b, a]);
    expect([...dict.entries()].length).toBe(3);
    expect(dict.pop("z")).toBe(a);
    expect([dict.size, dict.has("z"), [...dict.keys()]]).toEqual([2, false, ["b", "y"]]);
  });

  test.each([
    [
      "a function",
      () => new nn.ModuleList([wrong<nn.Module>(() => 1)]),
      "ModuleList: got () => 1 at 0; expected a module.",
    ],
    ["no such place", () => new nn.ModuleList([]).at(0), "ModuleList: got index 0; expected"],
    [
      "a place beyond the end",
      () => new nn.ModuleList<nn.Module>([]).insert(1, new nn.ReLU()),
      "ModuleList: got index 1 to insert at; expected a whole number from 0 to 0.",
    ],
    [
      "a call of a list",
      () => new nn.ModuleList([]).forward(),
      "ModuleList.forward: got a call; expected its modules to be called one by one,",
    ],
    [
      "no such name",
      () => new nn.ModuleDict({ a: new nn.ReLU() }).get("b"),
      'ModuleDict: got the name "b"; expected one of a.',
    ],
    [
      "a dot",
      () => new nn.ModuleDict({ "a.b": new nn.ReLU() }),
      'ModuleDict: got the name "a.b"; expected a text without dots.',
    ],
    [
      "an array",
      () => new nn.ModuleDict(wrong<Record<string, nn.Module>>({ a: [] })),
      "ModuleDict: got an array at a; expected a module.",
    ],
    ["a call of a dictionary", () => new nn.ModuleDict().forward(), "ModuleDict.forward: got a call;"],
  ])("refuses %s", (_, run, text) => {
    expect(run).toThrow(ArgumentError);
    expect(run).toThrow(text);
  });
});

describe("lazy layers", () => {
  test("are what they would have been", () => {
    manualSeed(3);
    const [conv, fc] = [new nn.Conv2d(3, 4, 3, { padding: 1 }), new nn.Linear(4, 5, { bias: false })];
    const x = zeros([2, 3, 6, 6]).add(0.5);
    manualSeed(3);
    const lazy = new nn.Sequential(new nn.LazyConv2d(4, 3, { padding: 1 }), new nn.LazyLinear(5, { bias: false }));
    const mid = noGrad(() => lazy.at(0).forward(x));
    noGrad(() => lazy.at(1).forward(mid.mean([2, 3])));
    expect(Object.keys(lazy.stateDict())).toEqual(["0.weight", "0.bias", "1.weight"]);
    expect(lazy.stateDict()["0.weight"]?.dataSync()).toEqual(conv.weight.dataSync());
    expect(lazy.stateDict()["1.weight"]?.dataSync()).toEqual(fc.weight.dataSync());
    expect(lazy.parameters().every((parameter) => parameter.requiresGrad)).toBe(true);
    expect(String(lazy.at(1))).toBe("LazyLinear(inFeatures=4, outFeatures=5, bias=false)");
  });

  test("take the dtype of their input and the mode that they were given", () => {
    const lazy = new nn.LazyLinear(2).eval();
    lazy.forward(zeros([1, 3], { dtype: "float64" }));
    expect(lazy.parameters().map(({ dtype }) => dtype)).toEqual(["float64", "float64"]);
    expect(lazy.layer?.training).toBe(false);
  });

  test("are trained by an optimizer that was made after the first input", () => {
    const lazy = new nn.LazyLinear(1);
    lazy.forward(zeros([1, 2]));
    const optimizer = new optim.SGD(lazy.parameters(), { lr: 1 });
    const before = lazy.layer?.weight.dataSync();
    lazy
      .forward(zeros([1, 2]).add(1))
      .sum()
      .backward();
    optimizer.step();
    expect(lazy.layer?.weight.dataSync()).not.toEqual(before);
  });

  test.each([
    ["parameters()", (net: nn.Module) => net.parameters()],
    ["an optimizer", (net: nn.Module) => new optim.SGD(net.parameters())],
    ["stateDict()", (net: nn.Module) => net.stateDict()],
    ["to()", (net: nn.Module) => net.to("float64")],
  ])("%s before the first input says what to do", (_, use) => {
    const net = new nn.Sequential(new nn.Linear(2, 2), new nn.LazyLinear(3));
    expect(() => use(net)).toThrow(ArgumentError);
    expect(() => use(net)).toThrow(
      "1: LazyLinear: got no input yet; expected one before its parameters are asked for. " +
        "Run the model once first: noGrad(() => model.forward(zeros(shape))).",
    );
    expect(net.modules().length).toBe(3);
    expect(nn.summary(net, [1, 2]).parameterCount).toBe(15);
  });

  test("refuse inputs without features or channels", () => {
    expect(() => new nn.LazyLinear(2).forward(zeros([]))).toThrow(ShapeError);
    expect(() => new nn.LazyConv2d(2, 3).forward(zeros([4, 4]))).toThrow(
      "LazyConv2d(not made yet): LazyConv2d: got an input of shape [4, 4]; expected [N, C, H, W] or [C, H, W]. Reshape it.",
    );
    expect(() => new nn.LazyLinear(0)).toThrow("LazyLinear: got outFeatures 0;");
    expect(() => new nn.LazyConv2d(0, 1)).toThrow("LazyConv2d: got outChannels 0;");
  });
});

describe("padding layers", () => {
  test.each([
    [
      "half a place",
      () => new nn.ZeroPad1d(1.5),
      "ZeroPad1d: got padding 1.5; expected a whole number, or [left, right].",
    ],
    [
      "two numbers for four sides",
      () => new nn.ReflectionPad2d(wrong([1, 2])),
      "ReflectionPad2d: got padding [1, 2]; expected a whole number, or [left, right, top, bottom].",
    ],
    [
      "no value",
      () => new nn.ConstantPad2d(1, wrong(undefined)),
      "ConstantPad2d: got value undefined; expected a number.",
    ],
  ])("refuse %s", (_, run, text) => {
    expect(run).toThrow(ArgumentError);
    expect(run).toThrow(text);
  });
});

test("bilinear names the shapes that do not fit", () => {
  expect(() => new nn.Bilinear(2, 3, 4).forward(zeros([5, 2]), zeros([5, 2]))).toThrow(
    "Bilinear(in1Features=2, in2Features=3, outFeatures=4, bias=true): bilinear: got inputs of shape [5, 2] and [5, 2] for a weight of shape [4, 2, 3] and a bias of shape [4]; " +
      "expected [..., in1], [..., in2], [out, in1, in2] and [out]. Reshape them.",
  );
});
