import { describe, expect, test } from "vitest";
import { ArgumentError, nn, ones, ReleasedTensorError, ShapeError, type Tensor, zeros } from "../../src/index.js";

class Net extends nn.Module {
  conv = new nn.Conv2d(1, 2, 3);
  layers = [new nn.BatchNorm2d(2), new nn.Linear(2, 1)];
  mask = new nn.Buffer(ones([2]), { persistent: false });
  forward(x: Tensor): Tensor {
    return this.conv.forward(x);
  }
}

class Tied extends nn.Module {
  first = new nn.Linear(2, 2, { bias: false });
  second = new nn.Linear(2, 2, { bias: false });
  constructor() {
    super();
    this.second.weight = this.first.weight;
  }
  forward(x: Tensor): Tensor {
    return x;
  }
}

const values = (model: nn.Module): number[][] => Object.values(model.stateDict()).map((value) => [...value.dataSync()]);

describe("stateDict", () => {
  test("names parameters, then buffers, module by module", () => {
    expect(Object.keys(new Net().stateDict())).toEqual([
      "conv.weight",
      "conv.bias",
      "layers.0.weight",
      "layers.0.bias",
      "layers.0.running_mean",
      "layers.0.running_var",
      "layers.0.num_batches_tracked",
      "layers.1.weight",
      "layers.1.bias",
    ]);
  });

  test("shares memory, without gradients", () => {
    const model = new nn.Linear(1, 1);
    const { weight } = model.stateDict();
    nn.init.constant_(model.weight, 5);
    expect(weight?.itemSync()).toBe(5);
    expect(weight?.requiresGrad).toBe(false);
    expect(weight).not.toBe(model.weight);
  });

  test("lists tied weights under each name", () => {
    expect(Object.keys(new Tied().stateDict())).toEqual(["first.weight", "second.weight"]);
  });
});

describe("loadStateDict", () => {
  test("makes another model the same", () => {
    const [from, into] = [new Net(), new Net()];
    from.layers[0]?.forward(ones([1, 2, 3, 3]) as never);
    const parameters = into.parameters();
    expect(values(into)).not.toEqual(values(from));
    expect(into.loadStateDict(from.stateDict())).toEqual({ missingKeys: [], unexpectedKeys: [] });
    expect(values(into)).toEqual(values(from));
    expect(into.parameters()).toEqual(parameters);
    expect(into.parameters().every((parameter) => parameter.requiresGrad && parameter.isLeaf)).toBe(true);
    nn.init.zeros_(from.conv.weight);
    expect(values(into)).not.toEqual(values(from));
  });

  test("loads a model's own state, and casts to its dtypes", () => {
    const model = new Net();
    const before = values(model);
    model.loadStateDict(model.stateDict());
    expect(values(model)).toEqual(before);
    const double = new Net().to("float64");
    double.loadStateDict(model.stateDict());
    expect(double.conv.weight.dtype).toBe("float64");
    expect(values(double)).toEqual(before);
    const tied = new Tied();
    tied.loadStateDict({ "first.weight": ones([2, 2]), "second.weight": ones([2, 2]) });
    expect(tied.second.weight).toBe(tied.first.weight);
    expect([...tied.first.weight.dataSync()]).toEqual([1, 1, 1, 1]);
  });

  test("names all that is wrong at once, and changes nothing", () => {
    const model = new Net();
    const before = values(model);
    const state: nn.StateDict = { ...new Net().stateDict(), extra: zeros([1]), "other.weight": zeros([2]) };
    delete state["conv.bias"];
    delete state["layers.1.weight"];
    state["conv.weight"] = zeros([3, 1, 3, 3]);
    state["layers.1.bias"] = [1] as unknown as Tensor;
    expect(() => model.loadStateDict(state)).toThrow(
      new ArgumentError(
        [
          "loadStateDict of Net: got a state with 2 keys missing, 2 unexpected and 2 tensors that do not fit; " +
            "expected the 9 keys and shapes of this model. Make the model as it was when the state was saved.",
          "  missing: conv.bias, layers.1.weight",
          "  unexpected: extra, other.weight",
          "  not fitting: conv.weight is [3, 1, 3, 3] there and [2, 1, 3, 3] here; layers.1.bias is no tensor",
        ].join("\n"),
      ),
    );
    expect(values(model)).toEqual(before);
  });

  test("keys alone can be left out, shapes never", () => {
    const model = new Net();
    const { "conv.bias": left, ...state } = new Net().stateDict();
    expect(left?.shape).toEqual([2]);
    expect(() => model.loadStateDict({ ...state, extra: zeros([1]) })).toThrow(
      "saved, or pass { strict: false } to load what is there.\n  missing: conv.bias\n  unexpected: extra",
    );
    const bias = [...(model.conv.bias?.dataSync() ?? [])];
    expect(model.loadStateDict({ ...state, extra: zeros([1]) }, { strict: false })).toEqual({
      missingKeys: ["conv.bias"],
      unexpectedKeys: ["extra"],
    });
    expect([...model.conv.weight.dataSync()]).toEqual([...(state["conv.weight"]?.dataSync() ?? [])]);
    expect([...(model.conv.bias?.dataSync() ?? [])]).toEqual(bias);
    expect(() => model.loadStateDict({ "conv.bias": zeros([3]) }, { strict: false })).toThrow(
      new ShapeError(
        "loadStateDict of Net: got a state with 0 keys missing, 0 unexpected and 1 tensors that do not fit; " +
          "expected the 9 keys and shapes of this model. Make the model as it was when the state was saved.\n" +
          "  not fitting: conv.bias is [3] there and [2] here",
      ),
    );
  });

  test("refuses released tensors before it changes anything", () => {
    const model = new nn.Linear(40, 40);
    const before = values(model);
    const bias = zeros([40]);
    bias.dispose();
    expect(() => model.loadStateDict({ weight: zeros([40, 40]), bias })).toThrow(ReleasedTensorError);
    expect(values(model)).toEqual(before);
  });

  test("refuses what is no state, and options that it does not have", () => {
    const model = new nn.Linear(1, 1);
    expect(() => model.loadStateDict(null as unknown as nn.StateDict)).toThrow(
      new ArgumentError(
        "loadStateDict of Linear: got null; expected an object of tensors by name. Pass what stateDict() gave.",
      ),
    );
    expect(() => model.loadStateDict(model.stateDict(), false as unknown as nn.LoadStateDictOptions)).toThrow(
      "loadStateDict of Linear: got false as options; expected an object such as { strict: … }.",
    );
  });
});
