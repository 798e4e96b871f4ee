import { describe, expect, test } from "vitest";
import { memoryStats, nn, ones, ShapeError, type Tensor, tensor } from "../../src/index.js";

/** The network of the question where 16·6·6 comes from. */
class Net extends nn.Module {
  conv1 = new nn.Conv2d(1, 6, 3);
  pool = new nn.MaxPool2d(2);
  conv2 = new nn.Conv2d(6, 16, 3);
  fc1: nn.Linear;
  fc2 = new nn.Linear(120, 84);
  fc3 = new nn.Linear(84, 10);
  constructor(features = 576) {
    super();
    this.fc1 = new nn.Linear(features, 120);
  }
  forward(x: Tensor): Tensor {
    x = this.pool.forward(this.conv1.forward(x).relu());
    x = this.pool.forward(this.conv2.forward(x).relu());
    x = this.fc1.forward(x.flatten(1)).relu();
    return this.fc3.forward(this.fc2.forward(x).relu());
  }
}

describe("summary", () => {
  test("lists every call with its shape, and every parameter once", () => {
    const found = nn.summary(new Net(), [1, 1, 32, 32]);
    expect(found.rows.map((row) => [row.path, row.kind, row.outputShape, row.parameterCount])).toEqual([
      ["", "Net", [1, 10], 0],
      ["conv1", "Conv2d", [1, 6, 30, 30], 60],
      ["pool", "MaxPool2d", [1, 6, 15, 15], 0],
      ["conv2", "Conv2d", [1, 16, 13, 13], 880],
      ["pool", "MaxPool2d", [1, 16, 6, 6], 0],
      ["fc1", "Linear", [1, 120], 69240],
      ["fc2", "Linear", [1, 84], 10164],
      ["fc3", "Linear", [1, 10], 850],
    ]);
    expect(found.parameterCount).toBe(81194);
    expect(found.trainableCount).toBe(81194);
    expect(found.inputShape).toEqual([1, 1, 32, 32]);
  });

  test("is printed as a table", () => {
    const model = new nn.Sequential({ conv: new nn.Conv2d(1, 10, 3), norm: new nn.BatchNorm2d(10) });
    model.at(0).requiresGrad_(false);
    expect(String(nn.summary(model, [2, 1, 5, 5]))).toBe(
      [
        "Sequential on an input of shape [2, 1, 5, 5]",
        "layer       kind         output shape   parameters",
        "──────────────────────────────────────────────────",
        "(model)     Sequential   [2, 10, 3, 3]           0",
        "conv        Conv2d       [2, 10, 3, 3]         100",
        "norm        BatchNorm2d  [2, 10, 3, 3]          20",
        "──────────────────────────────────────────────────",
        "parameters                                     120",
        "trainable                                       20",
      ].join("\n"),
    );
  });

  test("names the layer that fails, what it got and what it expected", () => {
    expect(() => nn.summary(new Net(400), [1, 1, 32, 32])).toThrow(
      new ShapeError(
        "summary: input [1, 1, 32, 32], at fc1 (Linear): Net.fc1: Linear(inFeatures=400, outFeatures=120, bias=true): " +
          "linear: got 576 features in the last axis of the input, which has shape [1, 576]; expected 400, " +
          "for a weight of shape [120, 400]. Reshape or flatten the input to 400 features, or make the layer new nn.Linear(576, 120), or new nn.LazyLinear(120), which infers it.",
      ),
    );
  });

  test("leaves the model as it was", () => {
    const model = new Net();
    model.fc1.train(false);
    const keys = Object.keys(model.conv1);
    const forward = model.conv1.forward;
    const { tensors, bytes } = memoryStats();
    for (const shape of [
      [1, 1, 32, 32],
      [1, 1, 5, 5],
    ]) {
      try {
        nn.summary(model, shape);
      } catch (error) {
        expect(error).toBeInstanceOf(ShapeError);
      }
      expect(Object.keys(model.conv1)).toEqual(keys);
      expect(Object.hasOwn(model.conv1, "forward")).toBe(false);
      expect(model.conv1.forward).toBe(forward);
      expect(model.modules().map((module) => module.training)).toEqual([true, true, true, true, false, true, true]);
    }
    expect(memoryStats()).toMatchObject({ tensors, bytes });
  });

  test("runs in evaluation mode: statistics stay", () => {
    const model = new nn.Sequential(new nn.BatchNorm1d(3), new nn.Dropout(1));
    nn.summary(model, [4, 3]);
    expect([...(model.stateDict()["0.num_batches_tracked"]?.dataSync() ?? [])]).toEqual([0]);
    expect(model.training).toBe(true);
  });

  test("knows forward as a field, several outputs, tied weights and modules that are not called", () => {
    class Odd extends nn.Module {
      fc = new nn.Linear(2, 2);
      again = new nn.Linear(2, 2);
      unused = new nn.Linear(3, 3);
      pool = new nn.MaxPool2d(1, { returnIndices: true });
      double = new (class Double extends nn.Module {
        forward: (x: Tensor) => Tensor = (x) => x.mul(2);
      })();
      constructor() {
        super();
        this.again.weight = this.fc.weight;
      }
      forward(x: Tensor): { values: Tensor } {
        const [values] = this.pool.forward(this.double.forward(this.again.forward(this.fc.forward(x))));
        return { values };
      }
    }
    const model = new Odd();
    const field = model.double.forward;
    const found = nn.summary(model, [1, 2, 2]);
    expect(found.rows.map((row) => [row.path, row.kind, row.outputShape, row.parameterCount])).toEqual([
      ["", "Odd", [1, 2, 2], 0],
      ["fc", "Linear", [1, 2, 2], 6],
      ["again", "Linear", [1, 2, 2], 2],
      ["double", "Double", [1, 2, 2], 0],
      ["pool", "MaxPool2d", [1, 2, 2], 0],
      ["unused", "Linear", null, 12],
    ]);
    expect(found.parameterCount).toBe(20);
    expect(String(found)).toContain("unused      Linear     —");
    expect(model.double.forward).toBe(field);
    expect(model.forward(ones([1, 2, 2])).values.shape).toEqual([1, 2, 2]);
  });

  test("feeds zeros in the dtype of the parameters, and hands on errors of the user's own", () => {
    class Check extends nn.Module {
      weight = new nn.Parameter(tensor([1], { dtype: "float64" }));
      forward(x: Tensor): Tensor {
        if (x.dtype !== "float64" || x.sum().itemSync() !== 0) throw new RangeError("not what it should be");
        return x;
      }
    }
    const model = new Check();
    expect(nn.summary(model, [2]).rows[0]?.outputShape).toEqual([2]);
    model.to("float32");
    expect(() => nn.summary(model, [2])).toThrow(new RangeError("not what it should be"));
    expect(() => nn.summary(model, [-1])).toThrow(ShapeError);
  });
});
