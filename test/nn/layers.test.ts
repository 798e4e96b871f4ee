/** What layers refuse, what a failing layer says, and what the golden values do not show. */
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  ArgumentError,
  AutogradError,
  type DType,
  DTypeError,
  Generator,
  manualSeed,
  nn,
  ones,
  randn,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.js";
import { testRefusals } from "../support/refusals.js";

/** For what only a JavaScript caller can pass. */
const wrong = <T>(value: unknown): T => value as T;

const whole = (name: string, value: unknown, minimum = 1): string =>
  `got ${name} ${String(value)}; expected a whole number of ${minimum} or more. Correct ${name}.`;
const pair = (name: string, value: string, minimum: number): string =>
  `got ${name} ${value}; expected a whole number of ${minimum} or more, or a pair of them as [height, width]. Correct ${name}.`;

describe("constructors", () => {
  testRefusals([
    ["no inputs", () => new nn.Linear(0, 2), new ArgumentError(`Linear: ${whole("inFeatures", 0)}`)],
    ["half an output", () => new nn.Linear(2, 1.5), new ArgumentError(`Linear: ${whole("outFeatures", 1.5)}`)],
    ["NaN inputs", () => new nn.Linear(Number.NaN, 1), new ArgumentError(`Linear: ${whole("inFeatures", "NaN")}`)],
    [
      "an option in PyTorch's spelling",
      () => new nn.Conv2d(1, 1, 3, wrong({ padding_mode: "zeros" })),
      new ArgumentError(
        'Conv2d: got the option "padding_mode"; expected only stride, padding, dilation, groups, bias, paddingMode, dtype, device. ' +
          "Correct its name, or leave it out.",
      ),
    ],
    [
      "a setting in the place of options",
      () => new nn.Conv2d(1, 1, 3, wrong(2)),
      new ArgumentError(
        "Conv2d: got 2 as options; expected an object such as { stride: … }. Put options last, by name.",
      ),
    ],
    ["no channels", () => new nn.Conv2d(0, 1, 3), new ArgumentError(`Conv2d: ${whole("inChannels", 0)}`)],
    ["negative channels", () => new nn.Conv2d(1, -1, 3), new ArgumentError(`Conv2d: ${whole("outChannels", -1)}`)],
    ["an empty kernel", () => new nn.Conv2d(1, 1, 0), new ArgumentError(`Conv2d: ${pair("kernelSize", "0", 1)}`)],
    [
      "a stride of 0",
      () => new nn.Conv2d(1, 1, 3, { stride: [1, 0] }),
      new ArgumentError(`Conv2d: ${pair("stride", "[1, 0]", 1)}`),
    ],
    [
      "negative padding",
      () => new nn.Conv2d(1, 1, 3, { padding: -1 }),
      new ArgumentError(`Conv2d: ${pair("padding", "-1", 0)}`),
    ],
    [
      "padding with an unknown name",
      () => new nn.Conv2d(1, 1, 3, { padding: wrong("full") }),
      new ArgumentError('Conv2d: got padding "full"; expected one of "same", "valid". Correct padding.'),
    ],
    [
      "same padding with a stride",
      () => new nn.Conv2d(1, 1, 3, { padding: "same", stride: [1, 2] }),
      new ArgumentError(
        'Conv2d: got padding "same" with stride [1, 2]; expected stride 1, as no padding keeps the extents with another. ' +
          "Give the padding in numbers.",
      ),
    ],
    [
      "an unknown padding mode",
      () => new nn.Conv2d(1, 1, 3, { paddingMode: wrong("mirror") }),
      new ArgumentError(
        'Conv2d: got paddingMode "mirror"; expected one of "zeros", "reflect", "replicate", "circular". Correct paddingMode.',
      ),
    ],
    ["no groups", () => new nn.Conv2d(4, 4, 3, { groups: 0 }), new ArgumentError(`Conv2d: ${whole("groups", 0)}`)],
    [
      "groups that do not divide the inputs",
      () => new nn.Conv2d(4, 6, 3, { groups: 3 }),
      new ArgumentError(
        "Conv2d: got groups 3 for inChannels 4; expected a number that divides inChannels. Correct groups or inChannels.",
      ),
    ],
    [
      "groups that do not divide the outputs",
      () => new nn.ConvTranspose2d(4, 6, 3, { groups: 4 }),
      new ArgumentError(
        "ConvTranspose2d: got groups 4 for outChannels 6; expected a number that divides outChannels. Correct groups or outChannels.",
      ),
    ],
    [
      "negative output padding",
      () => new nn.ConvTranspose2d(1, 1, 3, { outputPadding: -1 }),
      new ArgumentError(`ConvTranspose2d: ${pair("outputPadding", "-1", 0)}`),
    ],
    ["no window", () => new nn.MaxPool2d(0), new ArgumentError(`MaxPool2d: ${pair("kernelSize", "0", 1)}`)],
    [
      "an unknown option of a pool",
      () => new nn.MaxPool2d(2, wrong<nn.MaxPool2dLayerOptions<false>>({ ceil: true })),
      new ArgumentError(
        'MaxPool2d: got the option "ceil"; expected only stride, padding, dilation, returnIndices, ceilMode. Correct its name, or leave it out.',
      ),
    ],
    [
      "half a window",
      () => new nn.AvgPool2d([2, 2.5]),
      new ArgumentError(`AvgPool2d: ${pair("kernelSize", "[2, 2.5]", 1)}`),
    ],
    [
      "a divisor of 0",
      () => new nn.AvgPool2d(2, { divisorOverride: 0 }),
      new ArgumentError(
        "AvgPool2d: got divisorOverride 0; expected a finite number that is not 0. Leave it out to divide by the window's size.",
      ),
    ],
    [
      "an empty output",
      () => new nn.AdaptiveAvgPool2d([1, 0]),
      new ArgumentError(`AdaptiveAvgPool2d: ${whole("outputSize", 0)}`),
    ],
    [
      "three output sizes",
      () => new nn.AdaptiveAvgPool2d(wrong([1, 2, 3])),
      new ArgumentError(`AdaptiveAvgPool2d: ${whole("outputSize", "[1, 2, 3]")}`),
    ],
    ["no window to fold", () => new nn.Fold(4, 0), new ArgumentError(`Fold: ${pair("kernelSize", "0", 1)}`)],
    [
      "a dilation of 0",
      () => new nn.Unfold(2, { dilation: 0 }),
      new ArgumentError(`Unfold: ${pair("dilation", "0", 1)}`),
    ],
    ["no features", () => new nn.BatchNorm1d(0), new ArgumentError(`BatchNorm1d: ${whole("numFeatures", 0)}`)],
    [
      "a negative eps",
      () => new nn.BatchNorm2d(2, { eps: -1 }),
      new ArgumentError("BatchNorm2d: got eps -1; expected a finite number of 0 or more. Correct eps."),
    ],
    [
      "a momentum of 2",
      () => new nn.BatchNorm2d(2, { momentum: 2 }),
      new ArgumentError("BatchNorm2d: got momentum 2; expected a finite number from 0 to 1. Correct momentum."),
    ],
    [
      "a probability of 2",
      () => new nn.Dropout(2),
      new ArgumentError("Dropout: got p 2; expected a finite number from 0 to 1. Correct p."),
    ],
    [
      "a probability of NaN",
      () => new nn.Dropout(Number.NaN),
      new ArgumentError("Dropout: got p NaN; expected a finite number from 0 to 1. Correct p."),
    ],
    [
      "an infinite slope",
      () => new nn.LeakyReLU(Infinity),
      new ArgumentError("LeakyReLU: got negativeSlope Infinity; expected a finite number. Correct negativeSlope."),
    ],
    [
      "half an axis",
      () => new nn.Softmax(0.5),
      new ArgumentError("Softmax: got dim 0.5; expected a whole number. Correct dim."),
    ],
    [
      "a missing axis",
      () => new nn.LogSoftmax(wrong(undefined)),
      new ArgumentError("LogSoftmax: got dim undefined; expected a whole number. Correct dim."),
    ],
    [
      "a named axis",
      () => new nn.Flatten(wrong("1")),
      new ArgumentError('Flatten: got startDim "1"; expected a whole number. Correct startDim.'),
    ],
    [
      "an unknown reduction",
      () => new nn.MSELoss({ reduction: wrong("average") }),
      new ArgumentError('MSELoss: got reduction "average"; expected one of "mean", "sum", "none". Correct reduction.'),
    ],
    [
      "smoothing beyond 1",
      () => new nn.CrossEntropyLoss({ labelSmoothing: 1.5 }),
      new ArgumentError(
        "CrossEntropyLoss: got labelSmoothing 1.5; expected a finite number from 0 to 1. Correct labelSmoothing.",
      ),
    ],
    [
      "class weights that are no tensor",
      () => new nn.NLLLoss({ weight: wrong([1, 2]) }),
      new ArgumentError("Buffer: got Array; expected a tensor. Make one with tensor(…)."),
    ],
    [
      "parameters of whole numbers",
      () => new nn.Linear(2, 2, { dtype: "int32" }),
      new DTypeError(
        "Linear: got dtype int32; expected float32 or float64, which alone have gradients. Correct dtype.",
      ),
    ],
    [
      "statistics of whole numbers",
      () => new nn.BatchNorm1d(2, { affine: false, dtype: "int32" }),
      new DTypeError(
        "BatchNorm1d: got dtype int32; expected float32 or float64, which alone have gradients. Correct dtype.",
      ),
    ],
  ]);
});

describe("initialisation", () => {
  testRefusals([
    [
      "a vector without fans",
      (z) => nn.init.kaimingUniform_(z(3)),
      new ShapeError(
        "init.kaimingUniform_: got a tensor of shape [3]; expected at least 2 axes, outputs by inputs. Use uniform_ or normal_ with bounds of your own.",
      ),
    ],
    [
      "an unknown mode",
      (z) => nn.init.kaimingNormal_(z(3, 2), { mode: wrong("fan_in") }),
      new ArgumentError('init.kaimingNormal_: got mode "fan_in"; expected one of "fanIn", "fanOut". Correct mode.'),
    ],
    [
      "a gain in the place of options",
      (z) => nn.init.xavierUniform_(z(3, 2), wrong(2)),
      new ArgumentError(
        "init.xavierUniform_: got 2 as options; expected an object such as { gain: … }. Put options last, by name.",
      ),
    ],
    [
      "an unknown nonlinearity",
      () => nn.init.calculateGain(wrong("swish")),
      new ArgumentError(
        'init.calculateGain: got nonlinearity "swish"; expected one of "linear", "conv1d", "conv2d", "conv3d", "convTranspose1d", ' +
          '"convTranspose2d", "convTranspose3d", "sigmoid", "tanh", "relu", "selu", "leakyRelu". Correct nonlinearity.',
      ),
    ],
  ]);

  test("changes parameters in place, unrecorded, and draws from the generator that it is given", () => {
    const parameter = new nn.Parameter(zeros([3, 2]));
    expect(nn.init.xavierNormal_(parameter, { generator: new Generator(5) })).toBe(parameter);
    expect(parameter.isLeaf && parameter.requiresGrad).toBe(true);
    expectTypeOf(nn.init.ones_(parameter)).toEqualTypeOf<nn.Parameter>();
    for (const fill of [nn.init.xavierUniform_, nn.init.kaimingUniform_, nn.init.kaimingNormal_] as const) {
      const [first, second] = [zeros([3, 2]), zeros([3, 2])];
      fill(first, { generator: new Generator(5) });
      fill(second, { generator: new Generator(5) });
      expect(first.toArraySync()).toEqual(second.toArraySync());
    }
    expect(nn.init.calculateFanInAndFanOut(zeros([8, 4, 3, 2]))).toEqual({ fanIn: 24, fanOut: 48 });
  });

  test("is drawn anew by resetParameters", () => {
    manualSeed(0);
    const layer = new nn.Conv2d(2, 3, 3);
    const before = [layer.weight.toArraySync(), layer.bias?.toArraySync()];
    layer.resetParameters();
    expect(layer.weight.toArraySync()).not.toEqual(before[0]);
    manualSeed(0);
    layer.resetParameters();
    expect([layer.weight.toArraySync(), layer.bias?.toArraySync()]).toEqual(before);
    const norm = new nn.BatchNorm1d(2);
    norm.forward(
      tensor([
        [1, 2],
        [3, 5],
      ]),
    );
    norm.resetParameters();
    expect(norm.buffers().map((buffer) => [...buffer.dataSync()])).toEqual([[0, 0], [1, 1], [0]]);
  });
});

describe("a layer that fails says which it is", () => {
  const conv = new nn.Conv2d(3, 4, 3, { padding: 1 });
  const circular = new nn.Conv2d(1, 1, 5, { padding: 4, paddingMode: "circular" });
  const up = new nn.ConvTranspose2d(1, 1, 3, { stride: 2 });
  const norm1d = new nn.BatchNorm1d(3);
  const norm2d = new nn.BatchNorm2d(3);
  const criterion = new nn.CrossEntropyLoss();
  testRefusals([
    [
      "a convolution with other channels",
      (z) => conv.forward(z(1, 2, 5, 5)),
      new ShapeError(
        "Conv2d(3, 4, kernelSize=[3, 3], stride=[1, 1], padding=[1, 1]): conv2d: got 2 channels in the input of shape [1, 2, 5, 5]; expected 3, " +
          "for a weight of shape [4, 3, 3, 3] [outChannels, channels / groups, height, width] and groups 1. Correct the channels of one of them.",
      ),
    ],
    [
      "an output size that no padding gives",
      (z) => up.forward(z(1, 1, 4, 4), [9, 11]),
      new ShapeError(
        "ConvTranspose2d(1, 1, kernelSize=[3, 3], stride=[2, 2]): convTranspose2d: got outputSize [9, 11] for an input of shape [1, 1, 4, 4]; " +
          "expected [height, width] from [9, 9] to [10, 10]. Choose a size between, or leave it out.",
      ),
    ],
    [
      "an output size of three axes for four",
      (z) => up.forward(z(1, 1, 4, 4), [1, 9, 9]),
      new ShapeError(
        "ConvTranspose2d(1, 1, kernelSize=[3, 3], stride=[2, 2]): convTranspose2d: got outputSize [1, 9, 9] for an input of shape [1, 1, 4, 4]; " +
          "expected [height, width] from [9, 9] to [10, 10]. Choose a size between, or leave it out.",
      ),
    ],
    [
      "an image for one axis",
      (z) => norm1d.forward(z(2, 3, 4, 4)),
      new ShapeError(
        "BatchNorm1d(3, eps=0.00001, momentum=0.1, affine=true, trackRunningStats=true): batchNorm: got an input of shape [2, 3, 4, 4]; " +
          "expected [N, C] or [N, C, L] with C = 3. Reshape it, or take the batch norm for its axes.",
      ),
    ],
    [
      "an image of other channels",
      (z) => norm2d.forward(z(2, 5, 4, 4)),
      new ShapeError(
        "BatchNorm2d(3, eps=0.00001, momentum=0.1, affine=true, trackRunningStats=true): batchNorm: got an input of shape [2, 5, 4, 4]; " +
          "expected [N, C, H, W] with C = 3. Make the layer with numFeatures 5, or correct the channels of the input.",
      ),
    ],
    [
      "labels for other samples",
      (z) => criterion.forward(z(2, 3), z(3, "int32")),
      new ShapeError(
        "CrossEntropyLoss(reduction=mean): crossEntropy: got labels of shape [3] for an input of shape [2, 3]; expected [2], " +
          "the input's shape without its class axis. Reshape one of them.",
      ),
    ],
  ]);

  test("circular padding larger than the image", () => {
    expect(() => circular.forward(zeros([1, 1, 3, 3]))).toThrow(ShapeError);
    expect(() => circular.forward(zeros([1, 1, 3, 3]))).toThrow(/^Conv2d\(1, 1, .*paddingMode=circular\): pad: got /);
  });

  test("what is no tensor", () => {
    for (const layer of [conv, norm2d, new nn.Linear(1, 1), new nn.ReLU(), new nn.Flatten(), new nn.Dropout()]) {
      expect(() => layer.forward(wrong<Tensor>([1]))).toThrow(ArgumentError);
    }
  });

  test("a leaf that is changed in place", () => {
    expect(() => new nn.ReLU({ inplace: true }).forward(ones([1], { requiresGrad: true }))).toThrow(AutogradError);
  });

  test("the original error is its cause", () => {
    try {
      conv.forward(zeros([1, 2, 5, 5]));
      expect.fail("nothing was thrown");
    } catch (error) {
      expect((error as Error).cause).toBeInstanceOf(ShapeError);
      expect(((error as Error).cause as Error).message).toMatch(/^conv2d: /);
    }
  });
});

describe("what layers do beside their golden values", () => {
  test("a failed pass counts no batch", () => {
    const layer = new nn.BatchNorm1d(2);
    expect(() => layer.forward(zeros([1, 2]))).toThrow(ShapeError);
    expect(layer.numBatchesTracked?.itemSync()).toBe(0);
  });

  test.each<[string, (options: nn.InplaceOptions) => nn.Layer]>([
    ["ReLU", (options) => new nn.ReLU(options)],
    ["ReLU6", (options) => new nn.ReLU6(options)],
    ["LeakyReLU", (options) => new nn.LeakyReLU(0.5, options)],
    ["Hardtanh", (options) => new nn.Hardtanh(-3, 5, options)],
    ["Hardswish", (options) => new nn.Hardswish(options)],
    ["Hardsigmoid", (options) => new nn.Hardsigmoid(options)],
    ["ELU", (options) => new nn.ELU(0.5, options)],
    ["CELU", (options) => new nn.CELU(0.5, options)],
    ["SELU", (options) => new nn.SELU(options)],
    ["SiLU", (options) => new nn.SiLU(options)],
    ["Mish", (options) => new nn.Mish(options)],
    ["Threshold", (options) => new nn.Threshold(2, 7, options)],
    ["Dropout", (options) => new nn.Dropout(0.4, options)],
    ["Dropout2d", (options) => new nn.Dropout2d(0.4, options)],
  ])("%s in place changes its input, and gives the values and gradients of the other", (name, make) => {
    const results = [false, true].map((inplace) => {
      const leaf = tensor([-9, -1, 0, 2, 6, 7]).view([1, 6, 1, 1]).requiresGrad_();
      const x = leaf.mul(1);
      manualSeed(1);
      const layer = make({ inplace });
      const y = layer.forward(x);
      expect(y === x).toBe(inplace);
      expect(layer.extraRepr().includes("inplace=true")).toBe(inplace);
      const values = [...y.dataSync()];
      y.square().sum().backward();
      return [values, [...(leaf.grad?.dataSync() ?? [])]];
    });
    expect(results[1], name).toEqual(results[0]);
    expect(new Set(results[0]?.[0]).size, "something has changed").not.toBe(1);
  });

  test("dropout in place leaves its input alone in evaluation, also a leaf", () => {
    const x = ones([4]).requiresGrad_();
    expect(new nn.Dropout(0.5, { inplace: true }).eval().forward(x)).toBe(x);
    expect(() => new nn.Dropout(0.5, { inplace: true }).forward(x)).toThrow(AutogradError);
  });

  test("max pooling gives one tensor or two, known to the compiler", () => {
    const x = randn([1, 1, 4, 4]);
    const both = new nn.MaxPool2d(2, { returnIndices: true, stride: 1 });
    expectTypeOf(new nn.MaxPool2d(2).forward(x)).toEqualTypeOf<Tensor>();
    expectTypeOf(new nn.MaxPool2d(2, { padding: 1 }).forward(x)).toEqualTypeOf<Tensor>();
    expectTypeOf(both.forward(x)).toEqualTypeOf<[Tensor, Tensor]>();
    expect(both.forward(x).map((part) => part.dtype)).toEqual(["float32", "int32"] satisfies DType[]);
    expectTypeOf(new nn.MaxPool2d(2)).toExtend<nn.Layer>();
    expectTypeOf(both).not.toExtend<nn.Layer>();
  });

  test("layers are made in the dtype that they are told", () => {
    for (const layer of [
      new nn.Linear(2, 2, { dtype: "float64" }),
      new nn.Conv2d(1, 1, 1, { dtype: "float64" }),
      new nn.ConvTranspose2d(1, 1, 1, { dtype: "float64" }),
      new nn.BatchNorm2d(1, { dtype: "float64" }),
    ]) {
      expect(new Set(layer.parameters().map((parameter) => parameter.dtype))).toEqual(new Set(["float64"]));
    }
  });

  test("class weights are buffers: they move with the loss and are saved with it", () => {
    const loss = new nn.CrossEntropyLoss({ weight: tensor([1, 2]) }).to("float64");
    expect(Object.keys(loss.stateDict())).toEqual(["weight"]);
    const logits = zeros([1, 2], { dtype: "float64" });
    expect(loss.forward(logits, tensor([1], { dtype: "int32" })).itemSync()).toBeCloseTo(Math.LN2, 12);
  });
});
