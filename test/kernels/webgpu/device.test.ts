/** The device "webgpu" as its users see it. */
import { afterEach, beforeAll, expect, test } from "vitest";
import {
  ArgumentError,
  bernoulli,
  DeviceError,
  DTypeError,
  full,
  isAvailable,
  manualSeed,
  nn,
  noGrad,
  ones,
  optim,
  rand,
  randint,
  randn,
  randnLike,
  randperm,
  ShapeError,
  setDefaultDevice,
  type Tensor,
  tensor,
  uniform,
  webgpu,
  zeros,
} from "../../../src/index.js";
import { requestDevice } from "../../../src/kernels/webgpu/adapter.js";
import { describeOnGpu } from "./gpu.js";

afterEach(() => setDefaultDevice("cpu"));

class Net extends nn.Module {
  fc = new nn.Linear(3, 2);
  norm = new nn.BatchNorm1d(2);
  forward(x: Tensor): Tensor {
    return this.norm.forward(this.fc.forward(x)).relu();
  }
}

describeOnGpu("starting", () => {
  test("asks, starts, and says what it does", async () => {
    expect(() => webgpu.info()).toThrow(
      new DeviceError(
        "webgpu.info: got a call before the device was started; expected it after. Call await webgpu.init() first.",
      ),
    );
    expect(() => zeros([2], { device: "webgpu" })).toThrow(DeviceError);
    expect([await isAvailable("webgpu"), await isAvailable("cpu")]).toEqual([true, true]);
    await Promise.all([setDefaultDevice("webgpu"), webgpu.init(), webgpu.init()]);
    const x = zeros([1000]);
    expect(x.device).toBe("webgpu");
    const { adapter, memory, launches } = webgpu.info();
    expect(adapter.vendor).not.toBe("");
    expect(memory.used).toBeGreaterThanOrEqual(4000);
    x.exp();
    expect(webgpu.info().launches).toBe(launches + 1);
    await setDefaultDevice("webgpu");
    expect(await x.add(1).sum().item()).toBe(1000);
  });

  test("measures kernels where it was asked to", async () => {
    await webgpu.init();
    await expect(webgpu.profile()).rejects.toThrow(/^webgpu\.profile: got a device that measures nothing/);
    await webgpu.init({ profile: true });
    await setDefaultDevice("webgpu");
    const x = zeros([100_000]);
    for (let i = 0; i < 3; i++) x.exp();
    await x.data();
    const exp = (await webgpu.profile()).find(({ kernel }) => kernel === "exp");
    expect(exp?.launches).toBe(3);
    expect(exp?.milliseconds).toBeGreaterThan(0);
    await webgpu.init({ maxBytes: 2 ** 30 });
  });
});

describeOnGpu("moving", () => {
  beforeAll(() => webgpu.init());

  test("tensors go to the GPU at once, and come back awaited", async () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const y = x.transpose(0, 1).to("webgpu");
    expect([y.device, y.shape]).toEqual(["webgpu", [3, 2]]);
    expect(y.to("webgpu")).toBe(y);
    const back = await y.mul(2).cpu();
    expect(back.device).toBe("cpu");
    expect(back.toArraySync()).toEqual([
      [2, 8],
      [4, 10],
      [6, 12],
    ]);
    expect(await back.cpu()).toBe(back);
    for (const z of [tensor([1, -2], { dtype: "int32" }), tensor([true, false])]) {
      const moved = await z.to("webgpu").cpu();
      expect([moved.dtype, moved.toArraySync()]).toEqual([z.dtype, z.toArraySync()]);
    }
  });

  test("what cannot be is refused with the way that can", async () => {
    const x = ones([2]).to("webgpu");
    expect(() => x.to("cpu")).toThrow(
      new DeviceError(
        'to: got a tensor on "webgpu" for "cpu"; expected one on the CPU, which alone can be read without waiting. Use await x.cpu().',
      ),
    );
    expect(() => ones([2]).requiresGrad_().to("webgpu")).toThrow(
      new DeviceError(
        'to: got a tensor on "cpu" that requires grad, for "webgpu"; expected one without, because no gradient finds its way ' +
          'back between devices. Move it first: x.detach().to("webgpu").requiresGrad_(), or the whole module.',
      ),
    );
    expect(() => x.dataSync()).toThrow(DeviceError);
    expect(() => x.add(ones([2]))).toThrow('add: got tensors on "webgpu" and "cpu"');
    expect(() => ones([2], { dtype: "float64" }).to("webgpu")).toThrow(DTypeError);
    expect(() => x.to("gpu" as "cpu")).toThrow(ArgumentError);
    await expect(
      zeros([3], { device: "webgpu" })
        .gather(0, tensor([3], { dtype: "int32" }).to("webgpu"))
        .data(),
    ).rejects.toThrow(ShapeError);
  });

  test("labels and words out of range fail the next read, which names the op that got them", async () => {
    await setDefaultDevice("webgpu");
    const { crossEntropy, nllLoss, embedding } = nn.functional;
    const labels = (...values: number[]) => tensor(values, { dtype: "int32" });
    const logits = randn([3, 10]).requiresGrad_();
    const tail = "Correct the index (in a loss: the labels, or the number of classes).";
    const error = (op: string, index: number) =>
      new ShapeError(
        `${op}: got index ${index} on an axis of 10, in one of the calls since the last read; expected 0 to 9. ${tail}`,
      );
    const loss = crossEntropy(logits, labels(0, 10, 9));
    loss.backward();
    await expect(loss.item()).rejects.toThrow(error("crossEntropy", 10));
    nllLoss(logits.detach(), labels(0, -7, 9));
    await expect(logits.data()).rejects.toThrow(error("nllLoss", -7));
    await expect(embedding(labels(99), ones([10, 4])).data()).rejects.toThrow(error("embedding", 99));
    // What is to be ignored is no mistake, and nothing is left of those before.
    expect(await crossEntropy(zeros([2, 10]), labels(-100, 3)).item()).toBeCloseTo(Math.log(10), 5);
  });

  test("modules go and come back as the same objects, with their gradients and buffers", async () => {
    manualSeed(3);
    const net = new Net();
    const input = randn([5, 3]);
    net.forward(input).sum().backward();
    const [weight, grad] = [net.fc.weight.toArraySync(), net.fc.weight.grad?.toArraySync()];
    const held = net.fc.weight;
    const optimizer = new optim.SGD(net.parameters(), { lr: 0.1 });

    expect(net.to("webgpu")).toBe(net);
    expect(net.fc.weight).toBe(held);
    expect([held.device, held.grad?.device, net.norm.runningMean?.device]).toEqual(["webgpu", "webgpu", "webgpu"]);
    expect(await held.toArray()).toEqual(weight);
    expect(await held.grad?.toArray()).toEqual(grad);
    optimizer.zeroGrad();
    net.forward(input.to("webgpu")).sum().backward();
    optimizer.step();

    expect(() => net.to("cpu")).toThrow(DeviceError);
    expect(await net.cpu()).toBe(net);
    expect([held.device, held.grad?.device, net.norm.runningMean?.device]).toEqual(["cpu", "cpu", "cpu"]);
    expect(held.toArraySync()).not.toEqual(weight);
    expect(net.forward(input).shape).toEqual([5, 2]);
  });

  test("a state from the CPU is loaded into a model on the GPU", async () => {
    manualSeed(1);
    const [source, target] = [new Net(), new Net().to("webgpu")];
    target.loadStateDict(source.stateDict());
    expect(await target.fc.weight.toArray()).toEqual(source.fc.weight.toArraySync());
    expect(() => source.loadStateDict(target.stateDict())).toThrow("Use await x.cpu()");
  });

  test.each<readonly [string, () => Tensor]>([
    ["rand", () => rand([50])],
    ["randn", () => randn([7, 30])],
    ["uniform", () => uniform([100], -2, 3)],
    ["randint", () => randint(-5, 1000, [100])],
    ["randperm", () => randperm(99)],
    ["bernoulli", () => bernoulli(full([10, 10], 0.3))],
    ["randnLike", () => randnLike(zeros([5, 6]))],
    ["dropout", () => ones([40]).dropout(0.3)],
    ["dropout in a layer", () => new nn.Dropout(0.7).forward(ones([9, 11]))],
    ["weights of a layer", () => new nn.Conv2d(3, 4, 5).weight.detach()],
  ])("random numbers are the CPU's: %s", async (_, make) => {
    const draw = async () => {
      manualSeed(5);
      const [numbers, next] = [make(), rand([1])];
      return [numbers.dtype, await numbers.toArray(), await next.toArray()];
    };
    const onCpu = await draw();
    await setDefaultDevice("webgpu");
    expect(await draw()).toEqual(onCpu);
  });
});

describeOnGpu("a device of the user's own", () => {
  test("is used, and when it is lost, what was saved goes on on a new one", async () => {
    const device = await requestDevice({});
    await webgpu.init({ device });
    await setDefaultDevice("webgpu");
    manualSeed(2);
    const net = new Net();
    const input = randn([4, 3]);
    net.eval();
    const saved = Object.fromEntries(
      await Promise.all(Object.entries(net.stateDict()).map(async ([name, x]) => [name, await x.cpu()] as const)),
    );
    const expected = await noGrad(() => net.forward(input)).toArray();
    const inputs = await input.cpu();

    const pending = net.fc.weight.data();
    device.destroy();
    await expect(pending).rejects.toThrow(DeviceError);
    expect(() => net.forward(input)).toThrow(/webgpu: the device was lost \(destroyed/);

    await setDefaultDevice("webgpu");
    const next = new Net();
    next.eval();
    next.loadStateDict(saved);
    expect(await noGrad(() => next.forward(inputs.to("webgpu"))).toArray()).toEqual(expected);
    expect(() => next.forward(input)).toThrow("the device was lost");
    expect(() => next.forward(inputs.to("webgpu")).add(net.fc.weight.sum())).toThrow("the device was lost");
  });
});
