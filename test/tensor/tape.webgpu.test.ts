/** Hooks, custom ops, checkpoint and anomaly mode on a GPU. */
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  autograd,
  checkpoint,
  DeviceError,
  manualSeed,
  nn,
  rand,
  randn,
  setDefaultDevice,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { describeOnGpu } from "../kernels/webgpu/gpu.js";

describeOnGpu("the tape on a GPU", () => {
  beforeAll(() => setDefaultDevice("webgpu"));
  afterAll(() => setDefaultDevice("cpu"));

  test("checkpoint gives the same gradients to the bit, with the same dropout", async () => {
    const train = async (run: (fn: (x: Tensor) => Tensor, x: Tensor) => Tensor): Promise<unknown[]> => {
      manualSeed(3);
      const net = new nn.Sequential(new nn.Conv2d(1, 4, 3), new nn.ReLU(), new nn.Dropout(0.5), new nn.Flatten());
      const x = randn([2, 1, 6, 6], { requiresGrad: true });
      const head = rand([2, 64]);
      run((images) => run((each) => net.forward(each).tanh(), images.mul(2)).square(), x)
        .mul(head)
        .sum()
        .backward();
      return Promise.all([x, ...net.parameters()].map((leaf) => leaf.grad?.toArray()));
    };
    expect(await train((fn, x) => checkpoint(fn, x))).toEqual(await train((fn, x) => fn(x)));
  });

  test("hooks, retained gradients and custom ops", async () => {
    const halves = autograd.customOp({
      name: "halves",
      forward: (x: Tensor) => [x.mul(0.5), x.mul(0.5)],
      backward: (_, first, second) => first.add(second).mul(0.5),
    });
    const x = tensor([1, 2], { requiresGrad: true });
    const [first, second] = halves(x);
    const norms: Promise<number>[] = [];
    first.retainGrad();
    first.registerHook((g) => {
      norms.push(g.sum().item());
      return g.mul(10);
    });
    first.mul(3).add(second).sum().backward();
    expect(await Promise.all(norms)).toEqual([6]);
    expect([await first.grad?.toArray(), await x.grad?.toArray()]).toEqual([
      [30, 30],
      [15.5, 15.5],
    ]);
  });

  test("anomaly mode says that it needs the CPU", () => {
    const run = (): void => autograd.detectAnomaly(() => tensor([0], { requiresGrad: true }).sqrt().sum().backward());
    expect(run).toThrow(DeviceError);
    expect(run).toThrow(
      'detectAnomaly: got a gradient on "webgpu"; expected it on "cpu", where it can be read without waiting.',
    );
  });
});
