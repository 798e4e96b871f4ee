/** noGrad, tidy and the scope of an op made of ops: what they give back, and what they let live. */
import { beforeEach, describe, expect, test } from "vitest";
import {
  ArgumentError,
  enableGrad,
  memoryStats,
  nn,
  noGrad,
  ones,
  optim,
  ReleasedTensorError,
  randn,
  type Tensor,
  tensor,
  tidy,
  zeros,
} from "../../src/index.js";
import { createReferenceKernels } from "../../src/kernels/reference/index.js";
import { registerKernels } from "../../src/tensor/device.js";
import { composite } from "../../src/tensor/scopes.js";

beforeEach(() => registerKernels("cpu", createReferenceKernels({ poison: true })));

/** More than 4 KiB. */
const large = (value = 1): Tensor => ones([1200]).mul_(value);
const first = (x: Tensor): number | undefined => x.dataSync()[0];

describe.each([
  ["noGrad", noGrad, "at the end of noGrad()"],
  ["tidy", tidy, "at the end of tidy()"],
] as const)("%s", (name, scope, when) => {
  test("gives back what was made inside", () => {
    const before = memoryStats();
    scope(() => {
      large().add(large()).mul(3);
    });
    expect(memoryStats()).toMatchObject({ tensors: before.tensors, bytes: before.bytes });
  });

  test("says so when it is used later", () => {
    let inside: Tensor | undefined;
    scope(() => {
      inside = large().exp();
    });
    expect(() => inside?.dataSync()).toThrow(ReleasedTensorError);
    expect(() => inside?.dataSync()).toThrow(
      `tensor: got a tensor of shape [1200] made by exp and given back ${when}; expected one that is alive. ` +
        "Read it earlier, or hold on to it with .keep() or .clone().",
    );
  });

  test("leaves alone what was made outside", () => {
    const outside = large(2);
    scope(() => outside.mul(2));
    expect(first(outside)).toBe(2);
    expect(scope(() => outside)).toBe(outside);
    expect(first(outside)).toBe(2);
  });

  test("lets a returned tensor live", () => {
    const result = scope(() => large(2).add(large(3)));
    expect(first(result)).toBe(5);
  });

  test("lets a returned view live, though its base is given back", () => {
    const before = memoryStats().tensors;
    const view = scope(() => large(2).mul(3).view([2, 600]));
    expect(first(view)).toBe(6);
    expect(memoryStats().tensors).toBe(before + 1);
    view.dispose();
    expect(memoryStats().tensors).toBe(before);
  });

  test("lets tensors live in returned arrays, objects, maps, sets, and what is in them", () => {
    const key = { name: "a" };
    const result = scope(() => ({
      list: [large(1), [large(2)]],
      map: new Map<unknown, unknown>([[key, large(3)]]),
      keys: new Map([[large(4), "b"]]),
      set: new Set([large(5)]),
      deep: { deeper: { tensor: large(6) } },
      number: 7,
      nothing: null,
      missing: undefined,
      data: new Float32Array(3),
      fn: () => 1,
    }));
    expect(result.list.flat().map(first)).toEqual([1, 2]);
    expect(first(result.map.get(key) as Tensor)).toBe(3);
    expect([...result.keys.keys()].map(first)).toEqual([4]);
    expect([...result.set].map(first)).toEqual([5]);
    expect(first(result.deep.deeper.tensor)).toBe(6);
  });

  test("lets tensors live in the fields of a returned instance, also in a ring of objects", () => {
    class Holder {
      readonly self = this;
      readonly tensor = large(4);
    }
    expect(first(scope(() => new Holder()).tensor)).toBe(4);
  });

  test("passes what it returns to the scope around it", () => {
    let middle: Tensor | undefined;
    const outer = tidy(() => {
      const kept = scope(() => {
        middle = scope(() => large(2)).mul(2);
        return middle.mul(2);
      });
      expect(middle?.isReleased).toBe(true);
      expect(first(kept)).toBe(8);
      return kept.mul(2);
    });
    expect(first(outer)).toBe(16);
  });

  test("keeps what was kept with .keep()", () => {
    let kept: Tensor | undefined;
    scope(() => {
      kept = large(3).keep();
    });
    expect(kept === undefined ? 0 : first(kept)).toBe(3);
    kept?.dispose();
    expect(kept?.isReleased).toBe(true);
  });

  test("keeps parameters and buffers of a network made inside", () => {
    let net: nn.Linear | undefined;
    let norm: nn.BatchNorm1d | undefined;
    scope(() => {
      net = new nn.Linear(40, 50);
      norm = new nn.BatchNorm1d(2000);
    });
    for (const held of [...(net?.parameters() ?? []), ...(norm?.parameters() ?? []), ...(norm?.buffers() ?? [])]) {
      expect(held.isReleased).toBe(false);
      expect(held.dataSync().every(Number.isFinite)).toBe(true);
    }
  });

  test("keeps gradients collected inside, of leaves from outside", () => {
    const x = randn([1200], { requiresGrad: true });
    const loss = x.square().sum();
    scope(() => {
      loss.backward();
      if (scope === tidy) x.mul(3).sum().backward();
    });
    expect(x.grad?.isReleased).toBe(false);
    expect(x.grad?.dataSync().every(Number.isFinite)).toBe(true);
  });

  test("keeps a gradient set inside, and the gradient of a returned leaf", () => {
    const x = zeros([1200], { requiresGrad: true });
    const y = scope(() => {
      x.grad = large(3).mul(2);
      const leaf = large(1).requiresGrad_();
      leaf.grad = large(7);
      return leaf;
    });
    expect(x.grad === null ? 0 : first(x.grad)).toBe(6);
    expect(y.grad === null ? 0 : first(y.grad)).toBe(7);
  });

  test("keeps the state of optimizers", () => {
    const w = randn([1200], { requiresGrad: true });
    const adam = new optim.Adam([w], { lr: 0.1 });
    const sgd = new optim.SGD([w], { lr: 0.1, momentum: 0.9 });
    for (let i = 0; i < 3; i++) {
      w.square().sum().backward();
      scope(() => {
        adam.step();
        sgd.step();
      });
      adam.zeroGrad();
    }
    expect(w.dataSync().every(Number.isFinite)).toBe(true);
  });

  test("leaves small tensors readable", () => {
    const before = memoryStats();
    const losses: Tensor[] = [];
    scope(() => {
      for (let i = 0; i < 5; i++) losses.push(tensor(i).add(0.5));
    });
    expect(memoryStats()).toMatchObject({ tensors: before.tensors, bytes: before.bytes });
    expect(losses.map((loss) => loss.itemSync())).toEqual([0.5, 1.5, 2.5, 3.5, 4.5]);
    expect(memoryStats().tensors).toBe(before.tensors); // reading takes no device memory
    expect(losses[1]?.add(losses[2] ?? 0).itemSync()).toBe(4);
  });

  test("gives back everything after an exception", () => {
    const before = memoryStats();
    let inside: Tensor | undefined;
    const run = () =>
      scope(() => {
        inside = large();
        large().mul(2);
        throw new RangeError("mine");
      });
    expect(run).toThrow(new RangeError("mine"));
    expect(inside?.isReleased).toBe(true);
    expect(memoryStats()).toMatchObject({ tensors: before.tensors, bytes: before.bytes });
  });

  test("refuses asynchronous functions, and swallows their failure", async () => {
    expect(() => scope(async () => 1)).toThrow(ArgumentError);
    expect(() =>
      scope(async () => {
        await Promise.resolve();
        throw new Error("lost");
      }),
    ).toThrow(
      `${name}: got an asynchronous function; expected a synchronous one, because the mode would end at its first await. ` +
        `Await outside: return the tensor, and read it after ${name}.`,
    );
    // biome-ignore lint/suspicious/noThenProperty: a promise of another make
    expect(() => scope(() => ({ then: () => undefined }))).toThrow(ArgumentError);
    await new Promise((resolve) => setTimeout(resolve, 5)); // an unhandled rejection would fail the run
  });
});

describe("enableGrad", () => {
  test("refuses asynchronous functions", () => {
    expect(() => enableGrad(async () => 1)).toThrow("enableGrad: got an asynchronous function");
  });

  test("gives nothing back", () => {
    let inside: Tensor | undefined;
    enableGrad(() => {
      inside = large(2);
    });
    expect(inside === undefined ? 0 : first(inside)).toBe(2);
  });
});

describe("tidy while recording", () => {
  test("leaves what a later backward pass needs", () => {
    const x = ones([1200], { requiresGrad: true });
    const loss = tidy(() => x.mul(3).square().sum());
    loss.backward();
    expect(x.grad === null ? 0 : first(x.grad)).toBe(18);
  });

  test("of a whole training step leaves nothing behind", () => {
    const x = ones([1200], { requiresGrad: true });
    const optimizer = new optim.SGD([x], { lr: 0.01 });
    const step = () =>
      tidy(() => {
        optimizer.zeroGrad();
        const loss = x.mul(3).square().sum();
        loss.backward();
        optimizer.step();
        return loss;
      });
    step();
    const before = memoryStats();
    const losses = [step(), step(), step()];
    optimizer.zeroGrad();
    expect(memoryStats().bytes).toBeLessThanOrEqual(before.bytes);
    expect(losses.map((loss) => loss.itemSync()).every(Number.isFinite)).toBe(true);
  });
});

describe("composite", () => {
  test("lets go of everything but its result, small or large, and of all after an exception", () => {
    const before = memoryStats().tensors;
    const x = ones([3], { requiresGrad: true });
    const y = composite(() => x.mul(2).add(1).square());
    expect(memoryStats().tensors).toBe(before + 3); // x, y, and what square holds for the gradient
    y.sum().backward();
    expect(x.grad?.toArraySync()).toEqual([12, 12, 12]);
    const held = memoryStats().tensors;
    expect(() =>
      composite(() => {
        x.mul(2).add(1);
        throw new Error("mine");
      }),
    ).toThrow("mine");
    expect(memoryStats().tensors).toBe(held);
  });

  test("lets an argument through that is its own result", () => {
    const x = ones([3]);
    expect(composite(() => x)).toBe(x);
    expect(first(x)).toBe(1);
  });
});

test("add with alpha leaves no scaled copy behind", () => {
  const [a, b] = [large(1), large(2)];
  const before = memoryStats().tensors;
  const sum = a.add(b, { alpha: 3 });
  expect(first(sum)).toBe(7);
  expect(memoryStats().tensors).toBe(before + 1);
  expect(first(a.sub_(b, { alpha: 2 }))).toBe(-3);
  expect(memoryStats().tensors).toBe(before + 1);
});
