/** ReLU on the way back: kernels of the ops behind it do its part where nobody can tell. */
import { describe, expect, test } from "vitest";
import { autograd, grad, manualSeed, randn, type Tensor, type TensorOptions, tensor } from "../../../src/index.js";

const leaf: TensorOptions = { requiresGrad: true };

/** A ReLU and an op behind it. */
const behind: Readonly<Record<string, (y: Tensor, weight: Tensor) => Tensor>> = {
  conv2d: (y, weight) => y.conv2d(weight),
  "conv2d, padded": (y, weight) => y.conv2d(weight, null, { padding: 1 }),
  "conv2d, stride 2": (y, weight) => y.conv2d(weight, null, { stride: 2 }),
  "conv2d of a copy": (y, weight) => y.transpose(2, 3).conv2d(weight),
  "conv2d, twice": (y, weight) => y.conv2d(weight).add(y.conv2d(weight.mul(2))),
  "conv2d and the ReLU itself": (y, weight) => y.conv2d(weight, null, { padding: 1 }).sum().add(y.mul(3).sum()),
  "the ReLU itself and conv2d": (y, weight) =>
    y
      .mul(3)
      .sum()
      .add(y.conv2d(weight, null, { padding: 1 }).sum()),
  maxPool2d: (y) => y.maxPool2d(2),
  "maxPool2d, overlapping": (y) => y.maxPool2d(3, { stride: 1 }),
  "maxPool2d, then conv2d": (y, weight) => y.maxPool2d(2).conv2d(weight),
  "maxPool2d, changed in place": (y) => y.maxPool2d(2).mul_(-1),
  "conv2d, another ReLU, maxPool2d": (y, weight) => y.conv2d(weight).relu().maxPool2d(2),
  "two ReLUs": (y, weight) => y.relu().conv2d(weight),
};

// Direct, Winograd.
const channelCounts = [2, 16];

describe.each(channelCounts)("with %i channels, the gradient of ReLU", (channels) => {
  test.each(Object.entries(behind))("is the same, whoever does its part, before %s", (_, op) => {
    manualSeed(2);
    const x = randn([3, channels, 10, 12], leaf);
    const weight = randn([channels, channels, 3, 3], leaf);
    const gradients = (rectify: (x: Tensor) => Tensor): unknown[] => {
      x.grad = null;
      weight.grad = null;
      const out = op(rectify(x), weight);
      out.mul(out.detach()).sum().backward();
      return [x.grad, weight.grad].map((g: Tensor | null) => g?.toArraySync());
    };
    const plain = gradients((x) => {
      const y = x.relu();
      // A tensor with a hook on it is looked at: nothing is done before its time.
      y.registerHook(() => undefined);
      return y;
    });
    expect(gradients((x) => x.relu())).toEqual(plain);
    expect(gradients((x) => x.clone().relu_())).toEqual(plain);
  });
});

describe("what is done for a ReLU in advance", () => {
  const make = () => {
    manualSeed(3);
    const x = randn([2, 2, 8, 8], leaf);
    const weight = randn([3, 2, 3, 3], leaf);
    return { x, weight };
  };
  /** The gradient of a sum over a convolution for its input. */
  const whole = (weight: Tensor, y: Tensor): unknown => {
    const input = y.detach().requiresGrad_();
    input.conv2d(weight.detach()).sum().backward();
    return input.grad?.toArraySync();
  };

  test("is not seen by a hook, by retainGrad or by who asks for the gradient of its output", () => {
    const { x, weight } = make();
    const seen: unknown[] = [];
    const y = x.relu();
    const expected = whole(weight, y);
    y.registerHook((g) => void seen.push(g.toArraySync()));
    y.conv2d(weight).sum().backward();
    const kept = x.relu().retainGrad();
    kept.conv2d(weight).sum().backward();
    seen.push(kept.grad?.toArraySync());
    const asked = x.relu();
    seen.push(grad(asked.conv2d(weight).sum(), [asked])[0]?.toArraySync());
    expect(seen).toEqual([expected, expected, expected]);
  });

  test("what a hook on the output gives is rectified", () => {
    const { x, weight } = make();
    const y = x.relu();
    y.registerHook((g) => g.mul(0).add(1));
    y.conv2d(weight).sum().backward();
    expect(x.grad?.toArraySync()).toEqual(y.detach().gt(0).to("float32").toArraySync());
  });

  test("where the output is NaN the gradient goes on, as in PyTorch", () => {
    const values = [Number.NaN, -1, 2, 0, 1, -2, 3, -4, 5, 6, -7, -8, -1, -2, -3, -4];
    const x = tensor(values, leaf);
    const pooled = x.reshape([1, 1, 4, 4]).relu().maxPool2d(2);
    pooled.mul(10).sum().backward();
    expect(x.grad?.toArraySync()).toEqual([10, 0, 0, 0, 0, 0, 10, 0, 0, 10, 0, 0, 0, 0, 0, 0]);
  });

  test("has derivatives of all orders", () => {
    manualSeed(4);
    const options = { dtype: "float64", requiresGrad: true } as const;
    const inputs = [randn([1, 2, 6, 6], options), randn([2, 2, 3, 3], options)] as const;
    const fn = (x: Tensor, weight: Tensor) => x.square().relu().conv2d(weight).relu().maxPool2d(2).square();
    expect(autograd.gradcheck(fn, inputs)).toBe(true);
    expect(autograd.gradgradcheck(fn, inputs)).toBe(true);
  });
});
