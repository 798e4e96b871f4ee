import { inspect } from "node:util";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  ArgumentError,
  DeviceError,
  DTypeError,
  nn,
  noGrad,
  ones,
  Tensor,
  tensor,
  tidy,
  zeros,
} from "../../src/index.js";

/** No `override` in it, although the compiler is told to ask for it: that is how users write their networks. */
class Net extends nn.Module {
  conv = new nn.Conv2d(1, 2, 3, { padding: 1 });
  bn = new nn.BatchNorm2d(2);
  fc = new nn.Linear(8, 3, { bias: false });
  forward(x: Tensor): Tensor {
    return this.fc.forward(this.bn.forward(this.conv.forward(x)).relu().maxPool2d(2).flatten(1));
  }
}

/** Modules and parameters wherever they can lie. */
class Nested extends nn.Module {
  scale = new nn.Parameter(ones([1]));
  list = [new nn.Linear(1, 2), [new nn.Linear(2, 1)], "text", null] as const;
  byName = { first: new nn.Linear(1, 1), deeper: { second: new nn.ReLU() } };
  loose = { offset: new nn.Parameter(zeros([3])), counts: [new nn.Buffer(zeros([2]))] };
  notFound = zeros([5]);
  map = new Map([["hidden", new nn.Linear(1, 1)]]);
  late: nn.Module | null = null;
  forward(x: Tensor): Tensor {
    return x;
  }
}

class Tied extends nn.Module {
  encoder = new nn.Linear(3, 2, { bias: false });
  decoder = new nn.Linear(3, 2, { bias: false });
  twice = this.encoder;
  constructor() {
    super();
    this.decoder.weight = this.encoder.weight;
  }
  forward(x: Tensor): Tensor {
    return this.decoder.forward(x).add(this.encoder.forward(x));
  }
}

const names = (held: readonly (readonly [string, unknown])[]): string[] => held.map(([name]) => name);

describe("what a module is made of", () => {
  test("parameters and buffers are found by field, outer ones first", () => {
    const net = new Net();
    expect(names(net.namedParameters())).toEqual(["conv.weight", "conv.bias", "bn.weight", "bn.bias", "fc.weight"]);
    expect(names(net.namedBuffers())).toEqual(["bn.running_mean", "bn.running_var", "bn.num_batches_tracked"]);
    expect(net.parameters()).toEqual([net.conv.weight, net.conv.bias, net.bn.weight, net.bn.bias, net.fc.weight]);
    expect(net.buffers()).toEqual([net.bn.runningMean, net.bn.runningVar, net.bn.numBatchesTracked]);
  });

  test("modules come outer ones first, children are the direct ones", () => {
    const net = new Net();
    const model = new nn.Sequential(new nn.Sequential(new nn.ReLU()), new nn.Tanh());
    expect(names(model.namedModules())).toEqual(["", "0", "0.0", "1"]);
    expect(model.modules()[0]).toBe(model);
    expect(names(model.namedChildren())).toEqual(["0", "1"]);
    expect(net.children()).toEqual([net.conv, net.bn, net.fc]);
  });

  test("arrays and plain objects are looked into, maps are not", () => {
    const nested = new Nested();
    expect(names(nested.namedParameters())).toEqual([
      "scale",
      "loose.offset",
      "list.0.weight",
      "list.0.bias",
      "list.1.0.weight",
      "list.1.0.bias",
      "byName.first.weight",
      "byName.first.bias",
    ]);
    expect(names(nested.namedBuffers())).toEqual(["loose.counts.0"]);
    expect(names(nested.namedModules())).toEqual(["", "list.0", "list.1.0", "byName.first", "byName.deeper.second"]);
  });

  test("what is assigned later is found, what is taken away is not", () => {
    const nested = new Nested();
    nested.late = new nn.Linear(1, 1);
    expect(names(nested.namedParameters())).toContain("late.weight");
    nested.late = null;
    expect(names(nested.namedParameters())).not.toContain("late.weight");
  });

  test("tied weights and shared modules come once", () => {
    const tied = new Tied();
    expect(names(tied.namedParameters())).toEqual(["encoder.weight"]);
    expect(names(tied.namedModules())).toEqual(["", "encoder", "decoder"]);
    expect(tied.children()).toEqual([tied.encoder, tied.decoder]);
  });

  test("modules and containers that hold themselves come to an end", () => {
    class Loop extends nn.Module {
      fc = new nn.Linear(1, 1);
      self: unknown = this;
      inner = new nn.Sequential(new nn.Identity());
      box: Record<string, unknown> = {};
      constructor() {
        super();
        this.box.box = this.box;
        this.box.parent = this;
      }
      forward(x: Tensor): Tensor {
        return x;
      }
    }
    const loop = new Loop();
    expect(names(loop.namedParameters())).toEqual(["fc.weight", "fc.bias"]);
    expect(Object.keys(loop.stateDict())).toEqual(["fc.weight", "fc.bias"]);
    expect(String(loop)).toContain("(self): Loop(…)");
    const visited: nn.Module[] = [];
    loop.apply((module) => visited.push(module));
    expect(visited.length).toBe(4);
  });

  test("a thousand modules inside one another", () => {
    let model: nn.Layer = new nn.Linear(2, 2);
    for (let depth = 0; depth < 1000; depth++) model = new nn.Sequential(model);
    expect(names(model.namedParameters())[0]).toBe(`${"0.".repeat(1000)}weight`);
    expect(
      model
        .eval()
        .modules()
        .every((module) => !module.training),
    ).toBe(true);
    expect(model.forward(zeros([1, 2])).shape).toEqual([1, 2]);
  });
});

describe("what is done to all of it", () => {
  test("apply calls inner modules first and itself last", () => {
    const visited: string[] = [];
    const model = new nn.Sequential(new nn.Sequential(new nn.ReLU(), new nn.Tanh()), new nn.Linear(1, 1));
    const result = model.apply((module) => visited.push(module.constructor.name));
    expect(visited).toEqual(["ReLU", "Tanh", "Sequential", "Linear", "Sequential"]);
    expect(result).toBe(model);
    model.apply((module) => {
      if (module instanceof nn.Linear) nn.init.constant_(module.weight, 7);
    });
    expect(model.parameters()[0]?.itemSync()).toBe(7);
  });

  test("train and eval switch dropout and batch norm", () => {
    const model = new nn.Sequential(new nn.Dropout(0.5), new nn.BatchNorm1d(50));
    const x = ones([4, 50]);
    expect(model.training).toBe(true);
    const [dropout, norm] = [model.at(0), model.at(1)];
    const dropped = dropout.forward(x).dataSync();
    expect(dropped).toContain(0);
    expect(dropped).toContain(2);
    norm.forward(ones([4, 50]).mul(3));
    const mean = norm.namedBuffers()[0]?.[1].dataSync()[0];
    expect(mean).toBeCloseTo(0.3, 6);
    expect(model.eval()).toBe(model);
    expect(model.modules().map((module) => module.training)).toEqual([false, false, false]);
    expect(dropout.forward(x)).toBe(x);
    norm.forward(ones([4, 50]).mul(100));
    expect(norm.namedBuffers()[0]?.[1].dataSync()[0]).toBe(mean);
    expect(
      model
        .train()
        .modules()
        .every((module) => module.training),
    ).toBe(true);
    // A JavaScript caller may pass anything.
    expect(() => model.train("no" as unknown as boolean)).toThrow(
      new ArgumentError("train: got no; expected true or false. Call train() to train, eval() to evaluate."),
    );
  });

  test("requiresGrad_ freezes and thaws", () => {
    const net = new Net();
    net.conv.requiresGrad_(false);
    net
      .forward(ones([2, 1, 4, 4]))
      .sum()
      .backward();
    expect(net.conv.weight.grad).toBe(null);
    expect(net.fc.weight.grad).not.toBe(null);
    expect(net.requiresGrad_().conv.weight.requiresGrad).toBe(true);
  });

  test("zeroGrad forgets gradients and gives back what the backward pass left", () => {
    const model = new nn.Sequential(new nn.Linear(100, 100), new nn.Linear(100, 100));
    const hidden = model.at(0).forward(ones([100, 100]));
    const output = model.at(1).forward(hidden);
    output.sum().backward();
    expect(model.parameters().every((parameter) => parameter.grad !== null)).toBe(true);
    expect(hidden.isReleased).toBe(false);
    model.zeroGrad();
    expect(model.parameters().every((parameter) => parameter.grad === null)).toBe(true);
    expect(hidden.isReleased).toBe(true);
    expect(() => hidden.dataSync()).toThrow("given back by zeroGrad()");
  });

  test("to casts parameters, gradients and floating buffers in place", () => {
    const net = new Net();
    net
      .forward(ones([2, 1, 4, 4]))
      .sum()
      .backward();
    const before = net.parameters();
    const weight = net.fc.weight.dataSync();
    const grad = net.fc.weight.grad?.dataSync();
    expect(net.to("float64")).toBe(net);
    expect(net.parameters()).toEqual(before);
    net.parameters().forEach((parameter, index) => {
      expect(parameter).toBe(before[index]);
      expect(parameter.dtype).toBe("float64");
      expect(parameter.grad?.dtype).toBe("float64");
      expect(parameter.requiresGrad && parameter.isLeaf).toBe(true);
    });
    expect([...net.fc.weight.dataSync()]).toEqual([...weight]);
    expect([...(net.fc.weight.grad?.dataSync() ?? [])]).toEqual([...(grad ?? [])]);
    expect(net.buffers().map((buffer) => buffer.dtype)).toEqual(["float64", "float64", "int32"]);
    const output = net.forward(ones([2, 1, 4, 4], { dtype: "float64" }));
    expect(output.dtype).toBe("float64");
    output.sum().backward();
    expect(net.to("cpu").fc.weight.dtype).toBe("float64");
  });

  test("to refuses what it cannot do", () => {
    const net = new Net();
    expect(() => net.to("int32")).toThrow(
      new DTypeError(
        "to: got int32 for a module; expected float32 or float64, since parameters are learnt by gradients. Cast single tensors instead.",
      ),
    );
    expect(() => new nn.ReLU().to("gpu" as "cpu")).toThrow(
      new ArgumentError(
        'to: got "gpu" for a module; expected one of float16, float32, float64, cpu, webgpu. Name a dtype or a device.',
      ),
    );
    expect(() => net.to("webgpu")).toThrow(DeviceError);
    expect(net.fc.weight.device).toBe("cpu");
  });
});

describe("printing", () => {
  test("reads like PyTorch's", () => {
    const text = [
      "Net(",
      "  (conv): Conv2d(1, 2, kernelSize=[3, 3], stride=[1, 1], padding=[1, 1])",
      "  (bn): BatchNorm2d(2, eps=0.00001, momentum=0.1, affine=true, trackRunningStats=true)",
      "  (fc): Linear(inFeatures=8, outFeatures=3, bias=false)",
      ")",
    ].join("\n");
    expect(String(new Net())).toBe(text);
    expect(inspect(new Net())).toBe(text);
  });

  test("nests, and puts settings of its own before the parts", () => {
    class Block extends nn.Module {
      body = new nn.Sequential({ conv: new nn.Conv2d(2, 4, [3, 1], { padding: "same", groups: 2, dilation: 2 }) });
      layers = [new nn.Softmax(1), new nn.Dropout(0.2)];
      forward(x: Tensor): Tensor {
        return x;
      }
      override extraRepr(): string {
        return "depth=2";
      }
    }
    expect(String(new Block())).toBe(
      [
        "Block(",
        "  depth=2",
        "  (body): Sequential(",
        "    (conv): Conv2d(2, 4, kernelSize=[3, 1], stride=[1, 1], padding=same, dilation=[2, 2], groups=2)",
        "  )",
        "  (layers.0): Softmax(dim=1)",
        "  (layers.1): Dropout(p=0.2)",
        ")",
      ].join("\n"),
    );
  });

  test.each([
    [new nn.Linear(2, 3), "Linear(inFeatures=2, outFeatures=3, bias=true)"],
    [
      new nn.Conv2d(4, 4, 3, { stride: [2, 1], bias: false, padding: 1, paddingMode: "reflect" }),
      "Conv2d(4, 4, kernelSize=[3, 3], stride=[2, 1], padding=[1, 1], bias=false, paddingMode=reflect)",
    ],
    [
      new nn.ConvTranspose2d(4, 2, 2, { stride: 2, outputPadding: 1 }),
      "ConvTranspose2d(4, 2, kernelSize=[2, 2], stride=[2, 2], outputPadding=[1, 1])",
    ],
    [
      new nn.MaxPool2d(2),
      "MaxPool2d(kernelSize=[2, 2], stride=[2, 2], padding=[0, 0], dilation=[1, 1], ceilMode=false)",
    ],
    [new nn.AvgPool2d(3, { stride: 1 }), "AvgPool2d(kernelSize=[3, 3], stride=[1, 1], padding=[0, 0])"],
    [new nn.AdaptiveAvgPool2d([null, 2]), "AdaptiveAvgPool2d(outputSize=[null, 2])"],
    [new nn.Unfold(2), "Unfold(kernelSize=[2, 2], dilation=[1, 1], padding=[0, 0], stride=[1, 1])"],
    [new nn.Fold(4, 2), "Fold(outputSize=[4, 4], kernelSize=[2, 2], dilation=[1, 1], padding=[0, 0], stride=[1, 1])"],
    [
      new nn.BatchNorm1d(3, { momentum: null, affine: false }),
      "BatchNorm1d(3, eps=0.00001, momentum=null, affine=false, trackRunningStats=true)",
    ],
    [new nn.Flatten(), "Flatten(startDim=1, endDim=-1)"],
    [new nn.ReLU(), "ReLU()"],
    [new nn.ReLU({ inplace: true }), "ReLU(inplace=true)"],
    [new nn.ReLU6({ inplace: true }), "ReLU6(inplace=true)"],
    [new nn.Hardtanh(-2, 2, { inplace: true }), "Hardtanh(minVal=-2, maxVal=2, inplace=true)"],
    [new nn.LeakyReLU(0.2), "LeakyReLU(negativeSlope=0.2)"],
    [new nn.LogSoftmax(1), "LogSoftmax(dim=1)"],
    [new nn.CrossEntropyLoss({ labelSmoothing: 0.1 }), "CrossEntropyLoss(reduction=mean, labelSmoothing=0.1)"],
    [new nn.Sequential(), "Sequential()"],
  ])("%s", (layer, text) => {
    expect(String(layer)).toBe(text);
  });

  test("a parameter says what it is", () => {
    expect(String(new nn.Parameter(ones([1])))).toMatch(/^Parameter containing:\ntensor\(.*requiresGrad=true\)$/);
    expect(inspect(new nn.Buffer(ones([1])))).toMatch(/^Buffer containing:\ntensor\(/);
  });
});

describe("Parameter and Buffer", () => {
  test("share the tensor's memory, without its history", () => {
    const source = ones([2], { requiresGrad: true }).mul(2);
    const parameter = new nn.Parameter(source);
    expect(parameter).toBeInstanceOf(Tensor);
    expect(parameter.isLeaf && parameter.requiresGrad).toBe(true);
    const data = zeros([2]);
    const shared = new nn.Parameter(data);
    noGrad(() => shared.add_(1));
    expect([...data.dataSync()]).toEqual([1, 1]);
    expect(new nn.Parameter(ones([2]), { requiresGrad: false }).requiresGrad).toBe(false);
    expect(new nn.Buffer(ones([2])).requiresGrad).toBe(false);
  });

  test("survive the scopes that they were made in", () => {
    const kept: { parameter: nn.Parameter; buffer: nn.Buffer; layer: nn.Linear }[] = [];
    noGrad(() => {
      tidy(() => {
        kept.push({
          parameter: new nn.Parameter(zeros([5000])),
          buffer: new nn.Buffer(zeros([5000])),
          layer: new nn.Linear(100, 100),
        });
      });
    });
    for (const { parameter, buffer, layer } of kept) {
      expect(parameter.dataSync().length).toBe(5000);
      expect(buffer.dataSync().length).toBe(5000);
      expect(layer.weight.requiresGrad).toBe(true);
      expect(layer.forward(zeros([1, 100])).shape).toEqual([1, 100]);
    }
  });

  test("refuse what is no tensor, and gradients of whole numbers", () => {
    expect(() => new nn.Parameter([1, 2] as unknown as Tensor)).toThrow(
      new ArgumentError("Parameter: got Array; expected a tensor. Make one with tensor(…)."),
    );
    expect(() => new nn.Buffer(null as unknown as Tensor)).toThrow(ArgumentError);
    expect(() => new nn.Parameter(zeros([2], { dtype: "int32" }))).toThrow(DTypeError);
    expect(new nn.Parameter(zeros([2], { dtype: "int32" }), { requiresGrad: false }).dtype).toBe("int32");
  });

  test("are told apart from other tensors by the compiler", () => {
    const value: Tensor = zeros([1]);
    if (value instanceof nn.Parameter) expectTypeOf(value).toEqualTypeOf<nn.Parameter>();
    else expectTypeOf(value).toEqualTypeOf<Tensor>();
    expectTypeOf<Tensor>().not.toExtend<nn.Parameter>();
    expectTypeOf<nn.Buffer>().not.toExtend<nn.Parameter>();
  });
});

describe("Sequential", () => {
  test("runs its layers in order, and can be walked through", () => {
    const layers = [new nn.Linear(2, 3), new nn.ReLU(), new nn.Linear(3, 1)] as const;
    const model = new nn.Sequential(...layers);
    const x = tensor([[1, -2]]);
    expect(model.forward(x).itemSync()).toBe(layers[2].forward(layers[0].forward(x).relu()).itemSync());
    expect([...model]).toEqual([...layers]);
    expect(model.length).toBe(3);
    expect(model.at(-1)).toBe(layers[2]);
    expect(names(model.namedParameters())).toEqual(["0.weight", "0.bias", "2.weight", "2.bias"]);
    expect(new nn.Sequential().forward(x)).toBe(x);
  });

  test("takes names, and fields of a subclass", () => {
    class Block extends nn.Sequential {
      scale = new nn.Parameter(ones([1]));
    }
    const model = new Block({ conv: new nn.Conv2d(1, 1, 1), relu: new nn.ReLU() });
    expect(names(model.namedModules())).toEqual(["", "conv", "relu"]);
    expect(names(model.namedParameters())).toEqual(["scale", "conv.weight", "conv.bias"]);
  });

  test("refuses what is no module, bad names and bad places", () => {
    expect(() => new nn.Sequential(new nn.ReLU(), 5 as unknown as nn.Layer)).toThrow(
      new ArgumentError(
        "Sequential: got 5 as layer 1; expected a module. Pass the layers one by one; wrap functions in a Module of your own.",
      ),
    );
    expect(() => new nn.Sequential(null as unknown as nn.Layer)).toThrow("got null as layer 0");
    expect(() => new nn.Sequential([new nn.ReLU()] as unknown as nn.Layer)).toThrow("got an array as layer 0");
    for (const name of ["", "a.b", "1"]) {
      expect(() => new nn.Sequential({ [name]: new nn.ReLU() })).toThrow(
        new ArgumentError(
          `Sequential: got the name "${name}"; expected names without dots that are no numbers. Rename the layer.`,
        ),
      );
    }
    for (const index of [2, -3, 0.5]) {
      expect(() => new nn.Sequential(new nn.ReLU(), new nn.ReLU()).at(index)).toThrow(
        new ArgumentError(
          `Sequential: got index ${index}; expected a whole number from -2 to 1 for 2 layers. Choose one in that range.`,
        ),
      );
    }
  });
});
