/** Networks as users train them: results, and memory that stays flat without anybody giving any back. */
import { describe, expect, test } from "vitest";
import { Generator, manualSeed, memoryStats, nn, noGrad, optim, randint, randn, type Tensor } from "../../src/index.js";

class Net extends nn.Module {
  features = new nn.Sequential(
    new nn.Conv2d(1, 4, 3, { padding: 1, paddingMode: "circular" }),
    new nn.BatchNorm2d(4, { momentum: null }),
    new nn.ReLU({ inplace: true }),
    new nn.MaxPool2d(2),
    new nn.Conv2d(4, 8, 3, { padding: "same", bias: false }),
    new nn.BatchNorm2d(8),
    new nn.LeakyReLU(),
    new nn.AvgPool2d(2),
  );
  head = new nn.Sequential(new nn.Flatten(), new nn.Dropout(0.2), new nn.Linear(8 * 4 * 4, 10));
  forward(x: Tensor): Tensor {
    return this.head.forward(this.features.forward(x));
  }
}

describe("training", () => {
  test("200 steps run in flat memory, and evaluation between them too", () => {
    manualSeed(1);
    const model = new Net();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
    const criterion = new nn.CrossEntropyLoss({ labelSmoothing: 0.1 });
    const images = randn([16, 1, 16, 16]);
    const labels = randint(10, [16]);
    const bytes: number[] = [];
    let evaluated = Infinity;
    for (let step = 0; step < 200; step++) {
      optimizer.zeroGrad();
      const loss = criterion.forward(model.forward(images), labels);
      loss.backward();
      optimizer.step();
      if (step % 50 === 49) {
        model.eval();
        evaluated = noGrad(() => criterion.forward(model.forward(images), labels).itemSync());
        model.train();
      }
      bytes.push(memoryStats().bytes);
    }
    // The optimizer's state comes with the first step.
    expect(new Set(bytes.slice(2)).size).toBe(1);
    expect(evaluated).toBeLessThan(2);
  });

  test("module.zeroGrad() alone keeps memory flat", () => {
    const model = new nn.Sequential(new nn.Linear(64, 64), new nn.Tanh(), new nn.Linear(64, 64));
    const x = randn([32, 64], { generator: new Generator(1) });
    const bytes: number[] = [];
    for (let step = 0; step < 20; step++) {
      model.zeroGrad();
      model.forward(x).square().mean().backward();
      bytes.push(memoryStats().bytes);
    }
    expect(new Set(bytes.slice(1)).size).toBe(1);
  });

  test("tied weights collect both gradients and are trained once", () => {
    class Tied extends nn.Module {
      first = new nn.Linear(3, 3, { bias: false });
      second = new nn.Linear(3, 3, { bias: false });
      constructor() {
        super();
        this.second.weight = this.first.weight;
      }
      forward(x: Tensor): Tensor {
        return this.first.forward(x).add(this.second.forward(x));
      }
    }
    const model = new Tied();
    const single = new nn.Linear(3, 3, { bias: false });
    single.loadStateDict({ weight: model.first.weight });
    const x = randn([2, 3]);
    model.forward(x).sum().backward();
    single.forward(x).mul(2).sum().backward();
    expect(model.first.weight.grad?.toArraySync()).toEqual(single.weight.grad?.toArraySync());
    new optim.SGD(model.parameters(), { lr: 1 }).step();
    new optim.SGD(single.parameters(), { lr: 1 }).step();
    expect(model.second.weight.toArraySync()).toEqual(single.weight.toArraySync());
  });

  test("an optimizer keeps its hold on parameters that were cast", () => {
    const model = new nn.Linear(2, 1);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    model.to("float64");
    const before = model.weight.dataSync();
    model
      .forward(randn([4, 2], { dtype: "float64" }))
      .sum()
      .backward();
    optimizer.step();
    expect(model.weight.dataSync()).not.toEqual(before);
  });
});
