/** Sequential: a ReLU overwrites what the layer before it made, and only where nobody can tell. */
import { describe, expect, test } from "vitest";
import {
  autograd,
  manualSeed,
  memoryStats,
  nn,
  noGrad,
  rand,
  randn,
  resetPeakMemory,
  type Tensor,
} from "../../src/index.js";

const x = randn([2, 3, 6, 6]);

const before: Readonly<Record<string, () => [nn.Layer, Tensor]>> = {
  Conv2d: () => [new nn.Conv2d(3, 4, 3), x],
  ConvTranspose2d: () => [new nn.ConvTranspose2d(3, 4, 3), x],
  BatchNorm2d: () => [new nn.BatchNorm2d(3), x],
  "BatchNorm2d, evaluation": () => [new nn.BatchNorm2d(3).eval(), x],
  Conv1d: () => [new nn.Conv1d(3, 4, 3), x.flatten(2)],
  ConvTranspose1d: () => [new nn.ConvTranspose1d(3, 4, 3), x.flatten(2)],
  BatchNorm1d: () => [new nn.BatchNorm1d(3), x.flatten(2)],
  // By each of the roads.
  "Conv2d, 3x3 with more channels": () => [new nn.Conv2d(8, 8, 3), randn([2, 8, 9, 7])],
  "Conv2d, columns": () => [new nn.Conv2d(64, 64, 4), randn([2, 64, 5, 5])],
  "Conv2d, one image": () => [new nn.Conv2d(3, 4, 3), rand([3, 6, 6])],
  "Conv2d, reflected": () => [new nn.Conv2d(3, 4, 3, { padding: 1, paddingMode: "reflect" }), x],
  "Conv2d, float64": () => [new nn.Conv2d(3, 4, 3, { dtype: "float64" }), randn([2, 3, 6, 6], { dtype: "float64" })],
  Linear: () => [new nn.Linear(6, 5), x],
  "Linear, one row": () => [new nn.Linear(6, 5), rand([6])],
  // What these give is somebody else's too, or needed later.
  Identity: () => [new nn.Identity(), x],
  Flatten: () => [new nn.Flatten(), x],
  Dropout: () => [new nn.Dropout(0.5).eval(), x],
  Tanh: () => [new nn.Tanh(), x],
  Softmax: () => [new nn.Softmax(1), x],
};

describe("a ReLU in it", () => {
  test.each(Object.entries(before))("gives the same behind %s", (_, make) => {
    const [layer, input] = make();
    const untouched = input.toArraySync();
    const results = [new nn.Sequential(layer, new nn.ReLU()), null].map((model) => {
      const leaf = input.clone().requiresGrad_();
      const y = model === null ? layer.forward(leaf).relu() : model.forward(leaf);
      layer.zeroGrad();
      y.square().sum().backward();
      const gradients = [leaf, ...layer.parameters()].map(({ grad }) => grad?.toArraySync());
      return { y: y.toArraySync(), gradients };
    });
    expect(results[0]).toEqual(results[1]);
    const model = new nn.Sequential(layer, new nn.ReLU());
    expect(noGrad(() => model.forward(input)).toArraySync()).toEqual(results[1]?.y);
    expect(input.toArraySync()).toEqual(untouched);
  });

  test("takes no memory of its own, behind a layer", () => {
    const conv = new nn.Conv2d(3, 4, 3, { padding: 1 });
    const outputBytes = 4 * 2 * 4 * 6 * 6;
    const peak = (run: () => Tensor): number => {
      const { bytes } = memoryStats();
      resetPeakMemory();
      const y = noGrad(run);
      expect(y.shape).toEqual([2, 4, 6, 6]);
      const { peakBytes } = memoryStats();
      y.dispose();
      return peakBytes - bytes;
    };
    const model = new nn.Sequential(conv, new nn.ReLU());
    const alone = peak(() => conv.forward(x));
    expect(peak(() => model.forward(x))).toBe(alone);
    expect(peak(() => conv.forward(x).relu())).toBe(alone + outputBytes);
  });

  test("has derivatives of all orders", () => {
    manualSeed(1);
    const options = { dtype: "float64" } as const;
    const model = new nn.Sequential(new nn.Conv2d(2, 2, 2, options), new nn.ReLU(), new nn.Conv2d(2, 1, 2, options));
    const input = rand([1, 2, 4, 4], { ...options, requiresGrad: true });
    expect(autograd.gradcheck((t) => model.forward(t).square(), [input])).toBe(true);
    expect(autograd.gradgradcheck((t) => model.forward(t).square(), [input])).toBe(true);
  });

  test("shows a hook on the layer before it what that gave, and one on its output the gradient", () => {
    const conv = new nn.Conv2d(3, 4, 3);
    const model = new nn.Sequential(conv, new nn.ReLU());
    const y = model.forward(x).retainGrad();
    y.mul(3).sum().backward();
    expect(y.grad?.toArraySync()).toEqual(y.mul(0).add(3).toArraySync());
    const weights = (layer: nn.Conv2d) => [layer.weight.grad?.toArraySync(), layer.bias?.grad?.toArraySync()];
    const fused = weights(conv);
    conv.zeroGrad();
    const seen: Tensor[] = [];
    conv.registerForwardHook((_, __, output) => void seen.push((output as Tensor).retainGrad()));
    model.forward(x).mul(3).sum().backward();
    expect(weights(conv)).toEqual(fused);
    const [before] = seen;
    expect(before?.toArraySync()).toEqual(x.conv2d(conv.weight, conv.bias).toArraySync());
    expect(before?.grad?.toArraySync()).toEqual(y.detach().gt(0).to("float32").mul(3).toArraySync());
  });

  test("leaves alone what a hook was shown", () => {
    const conv = new nn.Conv2d(3, 4, 3);
    const relu = new nn.ReLU();
    const model = new nn.Sequential(conv, relu);
    const seen: Tensor[] = [];
    const handle = conv.registerForwardHook((_, __, y) => void seen.push(y as Tensor));
    model.forward(x);
    handle.remove();
    relu.registerForwardHook((_, [input]) => void seen.push(input as Tensor));
    model.forward(x);
    for (const y of seen) expect(y.toArraySync()).toEqual(conv.forward(x).toArraySync());
    expect(seen).toHaveLength(2);
  });

  test("leaves alone what a class of the user's may have kept", () => {
    class Keeping extends nn.Linear {
      kept: Tensor[] = [];
      override forward(input: Tensor): Tensor {
        const y = super.forward(input);
        this.kept.push(y);
        return y;
      }
    }
    class Leaky extends nn.ReLU {
      override forward(input: Tensor): Tensor {
        return input.leakyRelu();
      }
    }
    const keeping = new Keeping(6, 5);
    new nn.Sequential(keeping, new nn.ReLU()).forward(x);
    expect(Math.min(...(keeping.kept[0]?.dataSync() ?? []))).toBeLessThan(0);
    const linear = new nn.Linear(6, 5);
    expect(new nn.Sequential(linear, new Leaky()).forward(x).toArraySync()).toEqual(
      linear.forward(x).leakyRelu().toArraySync(),
    );
  });

  test("leaves its input alone where it comes first", () => {
    const input = randn([4]);
    const values = input.toArraySync();
    new nn.Sequential(new nn.ReLU()).forward(input);
    new nn.Sequential(new nn.Sequential(new nn.Identity()), new nn.ReLU()).forward(input);
    expect(input.toArraySync()).toEqual(values);
  });
});
