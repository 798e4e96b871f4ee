/** Mixed precision against PyTorch: test/golden/mixedPrecision.json. float16 is rounded to where the adapter has none of its own. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import {
  ArgumentError,
  amp,
  autocast,
  checkpoint,
  type DType,
  DTypeError,
  empty,
  exportOnnx,
  load,
  nn,
  noGrad,
  optim,
  rand,
  randn,
  save,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.js";
import { isPresent, registerKernels } from "../../src/tensor/device.js";
import { describeOnGpu, newKernels } from "../kernels/webgpu/gpu.js";

interface Packed {
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}
interface Step {
  readonly output: Packed;
  readonly loss: number;
  readonly scale: number;
  readonly grads?: Record<string, Packed>;
}
interface Golden {
  readonly training: {
    readonly initial: Record<string, Packed>;
    readonly x: Packed;
    readonly labels: readonly number[];
    readonly steps: readonly Step[];
    readonly final: Record<string, Packed>;
  };
}

const { training } = JSON.parse(
  readFileSync(new URL("../golden/mixedPrecision.json", import.meta.url), "utf8"),
) as Golden;

/** Within a thousandth of the largest value. */
async function expectClose(got: Tensor, { shape, data }: Packed, name: string): Promise<void> {
  expect(got.shape, name).toEqual(shape);
  const values = await got.data();
  const largest = Math.max(...data.map((value) => Math.abs(Number(value))));
  data.forEach((value, index) => {
    const off = Math.abs((values[index] ?? Number.NaN) - Number(value));
    expect(off, `${name}[${index}] is ${values[index]}, and not ${value}`).toBeLessThanOrEqual(
      1e-3 * Math.max(largest, 1e-2),
    );
  });
}

const unpack = ({ shape, data }: Packed): Tensor => tensor(Float32Array.from(data, Number), { shape });

class Net extends nn.Module {
  conv1 = new nn.Conv2d(1, 4, 3, { padding: 1 });
  bn = new nn.BatchNorm2d(4);
  conv2 = new nn.Conv2d(4, 6, 3);
  fc = new nn.Linear(24, 3);
  forward(x: Tensor): Tensor {
    x = this.bn.forward(this.conv1.forward(x)).relu().maxPool2d(2);
    return this.fc.forward(this.conv2.forward(x).relu().flatten(1));
  }
}

describe("on the CPU there is no float16", () => {
  const where =
    'got float16 on "cpu"; expected it on "webgpu", with a GPU that has the feature "shader-f16". Use float32 here.';

  test.each([
    ["zeros", () => zeros([2], { dtype: "float16" })],
    ["empty", () => empty([2], { dtype: "float16" })],
    ["tensor", () => tensor([1], { dtype: "float16" })],
    ["rand", () => rand([2], { dtype: "float16" })],
    ["to", () => zeros([2]).to("float16")],
    ["to", () => zeros([2]).half()],
    ["to", () => new nn.Linear(2, 3).to("float16")],
  ] as const)("%s refuses it", (name, call) => {
    expect(call).toThrow(new DTypeError(`${name}: ${where}`));
  });

  test("a layer refuses it", () => {
    expect(() => new nn.Linear(2, 3, { dtype: "float16" })).toThrow(DTypeError);
  });

  test("autocast refuses to run, unless it is not enabled", () => {
    expect(isPresent("webgpu")).toBe(false);
    expect(() => autocast(() => 1)).toThrow(
      new DTypeError(
        'autocast: got no device but "cpu"; expected "webgpu", since the CPU has no float16. Call await setDefaultDevice("webgpu") first, ' +
          "or pass { enabled: false }.",
      ),
    );
    const y = autocast(() => zeros([2, 2]).matmul(zeros([2, 2])), { enabled: false });
    expect(y.dtype).toBe("float32");
  });
});

describeOnGpu("mixed precision", () => {
  const device = "webgpu";

  beforeAll(async () => registerKernels("webgpu", await newKernels({ halves: "rounded", poison: true })));

  const net = (): Net => {
    const made = new Net();
    const state = Object.entries(training.initial).map(([name, packed]) => [name, unpack(packed)] as const);
    made.loadStateDict({ ...made.stateDict(), ...Object.fromEntries(state) });
    return made.to(device);
  };

  test("training follows PyTorch's outputs, gradients, factors and weights, and skips the step that overflows", async () => {
    const model = net();
    const x = unpack(training.x).to(device);
    const labels = tensor([...training.labels], { dtype: "int32" }).to(device);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
    const scaler = new amp.GradScaler({ initScale: 2 ** 10, growthInterval: 2, backoffFactor: 2 ** -28 });
    for (const [step, expected] of training.steps.entries()) {
      optimizer.zeroGrad();
      const [out, loss] = autocast(() => {
        const out = model.forward(x);
        return [out, nn.functional.crossEntropy(out, labels)] as const;
      });
      expect([out.dtype, loss.dtype]).toEqual(["float16", "float32"]);
      await expectClose(out, expected.output, `output of step ${step}`);
      expect(await loss.item()).toBeCloseTo(expected.loss, 3);
      scaler.scale(loss).backward();
      scaler.unscale_(optimizer);
      for (const [name, parameter] of model.namedParameters()) {
        expect(parameter.grad?.dtype).toBe("float32");
        const packed = expected.grads?.[name];
        if (packed && parameter.grad) await expectClose(parameter.grad, packed, `gradient of ${name} in step ${step}`);
      }
      await scaler.step(optimizer);
      await scaler.update(step === 2 ? 2 ** 40 : undefined);
      expect(scaler.getScale()).toBe(expected.scale);
    }
    for (const [name, value] of Object.entries(model.stateDict())) {
      const packed = training.final[name];
      if (packed) await expectClose(value, packed, name);
    }
  });

  test("products give float16, what needs range float32, and all else the wider dtype", () => {
    const a = randn([3, 3]).to(device);
    const h = a.to("float16");
    const image = randn([1, 4, 5, 5]).to(device);
    const kernel = randn([4, 4, 3, 3]).to(device);
    const dtypes = autocast(() => ({
      matmul: a.matmul(a),
      mixed: a.matmul(h),
      conv2d: image.conv2d(kernel),
      convTranspose2d: image.convTranspose2d(kernel),
      conv1d: image.select(0, 0).select(2, 0).conv1d(kernel.select(3, 0)),
      relu: h.relu(),
      add: h.add(a),
      scaled: h.mul(2.5),
      sum: h.sum(),
      mean: h.mean(),
      exp: h.exp(),
      pow: h.pow(2),
      softmax: h.softmax(1),
      layerNorm: h.layerNorm(3),
      mseLoss: h.mseLoss(a),
      disabled: autocast(() => a.matmul(a), { enabled: false }),
      nested: autocast(() => a.matmul(a)),
      integers: a.to("int32").matmul(a.to("int32")),
    }));
    const expected: Record<keyof typeof dtypes, DType> = {
      matmul: "float16",
      mixed: "float16",
      conv2d: "float16",
      convTranspose2d: "float16",
      conv1d: "float16",
      relu: "float16",
      add: "float32",
      scaled: "float16",
      sum: "float32",
      mean: "float32",
      exp: "float32",
      pow: "float32",
      softmax: "float32",
      layerNorm: "float32",
      mseLoss: "float32",
      disabled: "float32",
      nested: "float16",
      integers: "int32",
    };
    expect(Object.fromEntries(Object.entries(dtypes).map(([name, { dtype }]) => [name, dtype]))).toEqual(expected);
    expect(a.matmul(a).dtype).toBe("float32");
  });

  test("a parameter is cast once in a region, anew after it was changed, and gathers the gradients of all its uses", async () => {
    const w = randn([4, 4]).to(device).requiresGrad_();
    const x = randn([4, 4]).to(device);
    const casts = (of: Tensor): unknown => of.node?.edges[0];
    autocast(() => {
      const [first, second] = [w.matmul(x), w.matmul(x)];
      const before = casts(first);
      expect(before).toBeInstanceOf(Object);
      expect(casts(second)).toBe(before);
      first.add(second).sum().backward();
      expect(casts(w.matmul(x))).toBe(before);
      noGrad(() => w.mul_(2));
      expect(casts(w.matmul(x))).not.toBe(before);
    });
    const rows = (await x.sum(1).mul(2).data())[1] ?? Number.NaN;
    expect(w.grad?.dtype).toBe("float32");
    expect((await w.grad?.data())?.[1]).toBeCloseTo(rows, 1);
  });

  test("what is computed again in the backward pass is cast as it was before", async () => {
    const w = randn([4, 4]).to(device).requiresGrad_();
    const x = randn([4, 4]).to(device);
    const grads: Float32Array[] = [];
    const layer = (x: Tensor): Tensor => x.matmul(w).tanh().matmul(w);
    for (const run of [layer, (x: Tensor) => checkpoint(layer, x)]) {
      autocast(() => run(x).sum()).backward();
      grads.push((await w.grad?.data()) as Float32Array);
      w.grad = null;
    }
    expect(grads[1]).toEqual(grads[0]);
  });

  test("a model in float16 alone learns, and is saved as F16 and loaded as float32", async () => {
    const model = net().to("float16");
    const path = new URL("../../node_modules/.half.safetensors", import.meta.url).pathname;
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.05 });
    const x = unpack(training.x).to(device).to("float16");
    const labels = tensor([...training.labels], { dtype: "int32" }).to(device);
    const losses: number[] = [];
    for (let step = 0; step < 8; step++) {
      optimizer.zeroGrad();
      const loss = nn.functional.crossEntropy(model.forward(x), labels);
      expect(loss.dtype).toBe("float16");
      loss.backward();
      optimizer.step();
      losses.push(await loss.item());
    }
    expect(losses.at(-1)).toBeLessThan(0.8 * (losses[0] ?? 0));
    expect(() => new amp.GradScaler().unscale_(optimizer)).toThrow(
      new DTypeError(
        "GradScaler: got gradients of float16; expected float32, since unscaled they would vanish. Keep the parameters in float32, and let " +
          "autocast cast them.",
      ),
    );
    await save(path, model.stateDict());
    const { "fc.weight": weight } = await load(path);
    expect(weight?.dtype).toBe("float32");
    expect(await weight?.data()).toEqual(await model.fc.weight.data());
  });

  test("numbers come back as float16 holds them", async () => {
    const values = [1, -2.5, 0.1, 65504, 65520, 1e-7, 2 ** -24, Number.NaN, -Infinity, 1 / 3];
    const x = tensor(values, { dtype: "float16", device });
    const held = [1, -2.5, 0.0999755859375, 65504, Infinity, 2 ** -23, 2 ** -24, Number.NaN, -Infinity, 0.333251953125];
    expect(Array.from(await x.data())).toEqual(held);
    expect(Array.from(await x.flip([0]).data())).toEqual(held.toReversed());
    expect((await x.cpu().catch((error: unknown) => error)) as unknown).toBeInstanceOf(DTypeError);
    expect(Array.from(await (await x.float().cpu()).data())).toEqual(held);
  });

  test.each([
    [
      "an asynchronous function",
      () => autocast(async () => 1),
      ArgumentError,
      "autocast: got an asynchronous function; expected a synchronous one, because the mode would end at its first await. Await outside: return the tensor, and read it after autocast.",
    ],
    [
      "tensors on the CPU",
      () => autocast(() => zeros([2, 2]).matmul(zeros([2, 2]))),
      DTypeError,
      'matmul: got a tensor on "cpu" inside autocast; expected one on "webgpu", since the CPU has no float16. Move model and data with .to("webgpu"), or call it outside.',
    ],
    [
      "a loss of probabilities",
      () => autocast(() => zeros([2]).binaryCrossEntropy(zeros([2]))),
      DTypeError,
      "binaryCrossEntropy: got a call inside autocast; expected it outside, since probabilities near 0 and 1 are lost in float16. Use binaryCrossEntropyWithLogits on what they were made from.",
    ],
    [
      "an option that there is not",
      () => autocast(() => 1, { dtype: "float16" } as never),
      ArgumentError,
      'autocast: got the option "dtype"; expected only enabled. Correct its name, or leave it out.',
    ],
  ] as const)("refuses %s, and casts no more after it", (_, call, kind, text) => {
    expect(call).toThrow(new kind(text));
    const a = zeros([2, 2], { device });
    expect(a.matmul(a).dtype).toBe("float32");
  });

  test("ONNX files hold no float16", async () => {
    await expect(
      exportOnnx(new nn.Linear(2, 3).to(device).to("float16"), zeros([1, 2], { device, dtype: "float16" })),
    ).rejects.toThrow(
      "exportOnnx: got a tensor of float16; expected other dtypes, since none of it can be written yet.",
    );
  });

  test("a GPU without the feature has none", async () => {
    const { kernelsFor } = await import("../../src/tensor/device.js");
    const before = kernelsFor("webgpu");
    const without = { ...before, supports: (dtype: DType) => dtype !== "float16" };
    registerKernels("webgpu", without);
    try {
      expect(() => autocast(() => 1)).toThrow('got a GPU without the feature "shader-f16" on "webgpu"');
      expect(() => zeros([1], { device, dtype: "float16" })).toThrow(DTypeError);
    } finally {
      registerKernels("webgpu", before);
    }
  });
});
