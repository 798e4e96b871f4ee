/** Hooks of modules, and paths in errors. */
import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  AutogradError,
  memoryStats,
  nn,
  noGrad,
  ones,
  ReleasedTensorError,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.js";

const wrong = <T>(value: unknown): T => value as T;

/** y = 2x, with a weight that is known. */
function doubling(): nn.Linear {
  const layer = new nn.Linear(1, 1, { bias: false });
  layer.loadStateDict({ weight: tensor([[2]]) });
  return layer;
}

describe("forward hooks", () => {
  test("see inputs and outputs, in the order in which they came, until they are removed", () => {
    const layer = doubling();
    const seen: unknown[] = [];
    layer.registerForwardPreHook((module, [x]) => {
      seen.push(["before", module === layer, (x as Tensor).itemSync()]);
    });
    const first = layer.registerForwardHook((_, [x], y) => {
      seen.push(["after", (x as Tensor).itemSync(), (y as Tensor).itemSync()]);
    });
    layer.registerForwardHook(() => void seen.push("second"));
    layer.forward(tensor([[3]]));
    expect(seen).toEqual([["before", true, 3], ["after", 3, 6], "second"]);
    first.remove();
    first.remove();
    seen.length = 0;
    layer.forward(tensor([[1]]));
    expect(seen).toEqual([["before", true, 1], "second"]);
  });

  test("what they return is taken instead", () => {
    const layer = doubling();
    layer.registerForwardPreHook((_, [x]) => (x as Tensor).add(1));
    layer.registerForwardPreHook((_, [x]) => [(x as Tensor).mul(10)]);
    layer.registerForwardHook((_, __, y) => (y as Tensor).neg());
    expect(layer.forward(tensor([[3]])).itemSync()).toBe(-80);
  });

  test("work inside models, leave state dicts and summaries as they were, and see features", () => {
    const model = new nn.Sequential(new nn.Linear(3, 4), new nn.ReLU());
    const keys = Object.keys(model.stateDict());
    const shapes: (readonly number[])[] = [];
    const handle = model.at(0).registerForwardHook((_, __, y) => void shapes.push((y as Tensor).shape));
    model.forward(zeros([2, 3]));
    expect(shapes).toEqual([[2, 4]]);
    expect(Object.keys(model.stateDict())).toEqual(keys);
    expect(nn.summary(model, [5, 3]).rows.map(({ outputShape }) => outputShape)).toEqual([
      [5, 4],
      [5, 4],
      [5, 4],
    ]);
    expect(shapes.length).toBe(2);
    handle.remove();
    model.forward(zeros([2, 3]));
    expect(shapes.length).toBe(2);
  });

  test("refuse what is no function", () => {
    expect(() => new nn.ReLU().registerForwardHook(wrong(3))).toThrow(ArgumentError);
    expect(() => new nn.ReLU().registerForwardHook(wrong(3))).toThrow(
      "registerForwardHook: got 3; expected a function. Pass the hook itself.",
    );
  });
});

describe("backward hooks", () => {
  test("see the gradients of input and output", () => {
    const layer = doubling();
    const seen: unknown[] = [];
    const handle = layer.registerFullBackwardHook((module, [gradIn], [gradOut]) => {
      seen.push([module === layer, gradIn?.itemSync(), gradOut?.itemSync()]);
    });
    const x = tensor([[3]], { requiresGrad: true });
    layer.forward(x).mul(5).sum().backward();
    expect(seen).toEqual([[true, 10, 5]]);
    expect(x.grad?.itemSync()).toBe(10);
    expect(layer.weight.grad?.itemSync()).toBe(15);
    handle.remove();
    layer.forward(x).sum().backward();
    expect(seen.length).toBe(1);
  });

  test("of a first layer, whose input wants no gradient, see null", () => {
    const layer = doubling();
    const seen: unknown[] = [];
    layer.registerFullBackwardHook((_, gradIn, gradOut) => {
      seen.push(
        gradIn,
        gradOut.map((g) => g?.itemSync()),
      );
    });
    layer
      .forward(tensor([[3]]))
      .sum()
      .backward();
    expect(seen).toEqual([[null], [1]]);
  });

  test("of several inputs wait for all of them", () => {
    const layer = new nn.Bilinear(1, 1, 1, { bias: false });
    layer.loadStateDict({ weight: tensor([[[2]]]) });
    const seen: unknown[] = [];
    layer.registerFullBackwardHook((_, gradIn) => void seen.push(gradIn.map((g) => g?.itemSync())));
    const [a, b] = [tensor([[3]], { requiresGrad: true }), tensor([[5]], { requiresGrad: true })];
    layer.forward(a, b).sum().backward();
    expect(seen).toEqual([[10, 6]]);
  });

  test("replace the gradient of the only input", () => {
    const layer = doubling();
    layer.registerFullBackwardHook((_, [g]) => g?.mul(100));
    const x = tensor([[3]], { requiresGrad: true });
    layer.forward(x).sum().backward();
    expect(x.grad?.itemSync()).toBe(200);
    expect(layer.weight.grad?.itemSync()).toBe(3);
  });

  test("are not called where nothing is recorded", () => {
    const layer = doubling();
    let calls = 0;
    layer.registerFullBackwardHook(() => void calls++);
    noGrad(() => layer.forward(tensor([[3]])));
    expect(calls).toBe(0);
  });

  test("are called when the graph of gradients is made, and second derivatives go through them", () => {
    const layer = new nn.Tanh();
    layer.registerFullBackwardHook((_, [g]) => g?.mul(2));
    const x = tensor([0.5], { requiresGrad: true });
    layer.forward(x).sum().backward(null, { createGraph: true });
    const g = x.grad as Tensor;
    const slope = 1 - Math.tanh(0.5) ** 2;
    expect(g.itemSync()).toBeCloseTo(2 * slope, 6);
    x.grad = null;
    g.sum().backward();
    expect((x.grad as Tensor | null)?.itemSync()).toBeCloseTo(2 * -2 * Math.tanh(0.5) * slope, 5);
  });

  test("keep what is kept, and hold no memory otherwise", () => {
    const layer = new nn.Linear(64, 64);
    const late: (Tensor | null)[] = [];
    const kept: Tensor[] = [];
    layer.registerFullBackwardHook((_, [g], [h]) => {
      late.push(g ?? null);
      if (h && kept.length === 0) kept.push(h.clone().keep());
    });
    const x = ones([64, 64], { requiresGrad: true });
    const step = (): number => {
      layer.zeroGrad();
      x.clearGrad("here");
      layer.forward(x).sum().backward();
      return memoryStats().bytes;
    };
    step();
    const early = step();
    for (let i = 0; i < 10; i++) step();
    expect(step()).toBe(early);
    expect(kept[0]?.dataSync()[0]).toBe(1);
    expect(() => late[0]?.dataSync()).toThrow(ReleasedTensorError);
  });

  test("say what they cannot do", () => {
    const layer = doubling();
    const handle = layer.registerFullBackwardHook(() => ones([2]));
    const x = tensor([[3]], { requiresGrad: true });
    expect(() => layer.forward(x).sum().backward()).toThrow(ShapeError);
    handle.remove();
    layer.registerFullBackwardHook(() => ones([1, 1]));
    expect(() =>
      layer
        .forward(tensor([[3]]))
        .sum()
        .backward(),
    ).toThrow(AutogradError);
    expect(() =>
      layer
        .forward(tensor([[3]]))
        .sum()
        .backward(),
    ).toThrow(
      "registerFullBackwardHook: got a replacement for the gradients of 1 inputs of Linear; expected one input, which wants a gradient.",
    );
    class Odd extends nn.Module {
      forward(x: Tensor): { y: Tensor } {
        return { y: x };
      }
    }
    const odd = new Odd();
    odd.registerFullBackwardHook(() => undefined);
    expect(() => odd.forward(x)).toThrow(
      "registerFullBackwardHook: got an object from Odd.forward; expected a tensor or an array of tensors. Hook the modules inside it.",
    );
  });
});

describe("an error in a layer names where it lies", () => {
  class Block extends nn.Module {
    fc = new nn.Linear(4, 4);
    forward(x: Tensor): Tensor {
      return this.fc.forward(x);
    }
  }
  class Net extends nn.Module {
    blocks = new nn.ModuleList([new Block(), new Block()]);
    tail = [{ head: new nn.Sequential(new nn.ReLU(), new nn.Linear(4, 2)) }] as const;
    forward(x: Tensor): Tensor {
      for (const block of this.blocks) x = block.forward(x);
      return this.tail[0].head.forward(x);
    }
  }
  const layer = (text: string) => `${text}(inFeatures=4, outFeatures=`;

  test("through lists, arrays, objects and Sequential", () => {
    const net = new Net();
    expect(() => net.forward(zeros([1, 3]))).toThrow(layer("Net.blocks.0.fc: Linear"));
    expect(() => net.tail[0].head.forward(zeros([1, 5]))).toThrow(layer("Net.tail.0.head.1: Linear"));
    expect(() => net.blocks.at(1).forward(zeros([1, 3]))).toThrow(layer("Net.blocks.1.fc: Linear"));
  });

  test("only once, where a layer is part of a layer", () => {
    const net = new nn.Sequential(new nn.LazyLinear(2));
    net.forward(zeros([1, 3]));
    let message = "";
    try {
      net.forward(zeros([1, 4]));
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message.match(/linear: got 4 features/g)?.length).toBe(1);
    expect(message.match(/inFeatures=/g)?.length).toBe(1);
  });

  test("a layer alone has no path, and a module that holds itself comes to an end", () => {
    expect(() => new nn.Linear(4, 2).forward(zeros([3]))).toThrow(/^Linear\(inFeatures=4/);
    class Loop extends nn.Module {
      fc = new nn.Linear(4, 2);
      self = this;
      forward(x: Tensor): Tensor {
        return this.fc.forward(x);
      }
    }
    expect(() => new Loop().forward(zeros([3]))).toThrow(/fc: Linear\(inFeatures=4/);
  });
});
