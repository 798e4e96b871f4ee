/** The tape: what is recorded, how gradients run back, and what is refused. */
import { beforeEach, describe, expect, test } from "vitest";
import {
  AutogradError,
  add,
  cat,
  DTypeError,
  enableGrad,
  grad,
  isGradEnabled,
  memoryStats,
  noGrad,
  ones,
  randn,
  ShapeError,
  stack,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.js";
import { createReferenceKernels } from "../../src/kernels/reference/index.js";
import { registerKernels } from "../../src/tensor/device.js";

// Whoever reads memory that was given back reads NaN.
beforeEach(() => registerKernels("cpu", createReferenceKernels({ poison: true })));

const leaf = (...values: number[]): Tensor => tensor(values, { requiresGrad: true });
const scalar = (value: number): Tensor => tensor(value, { requiresGrad: true });
const gradOf = (x: Tensor): unknown => x.grad?.toArraySync();
const sharesStorage = (a: Tensor | null, b: Tensor | null): boolean => a?.storage === b?.storage;

describe("backward", () => {
  test("walks back over a chain of 100,000 nodes", () => {
    const x = scalar(1);
    let y = x;
    for (let i = 0; i < 100_000; i++) y = y.add(1e-3);
    y.backward();
    expect(gradOf(x)).toBe(1);
  });

  test("walks back over a node with 50,000 inputs", () => {
    const x = scalar(2);
    stack(new Array<Tensor>(50_000).fill(x)).sum().backward();
    expect(gradOf(x)).toBe(50_000);
  });

  test("walks back over a chain that meets 20,000 leaves on its way, without looking at all of them in each step", () => {
    const leaves = Array.from({ length: 20_000 }, (_, i) => scalar(i));
    let y = scalar(0);
    for (const each of leaves) y = y.add(each);
    y.backward();
    expect(leaves.every((each) => each.grad?.itemSync() === 1)).toBe(true);
  });

  test("adds up the gradients of a tensor that is used several times", () => {
    const x = leaf(1, 2, 3);
    x.mul(x).add(x).add(x).sum().backward();
    expect(gradOf(x)).toEqual([4, 6, 8]);
  });

  test("goes once through each node of a lattice in which every node is used twice", () => {
    const x = scalar(1);
    let y = x;
    for (let i = 0; i < 60; i++) y = y.add(y);
    y.backward();
    expect(gradOf(x)).toBe(2 ** 60);
  });

  test("visits a node after all that used its output, however far away they are", () => {
    const x = scalar(3);
    const h = x.mul(2);
    let far = h;
    for (let i = 0; i < 5; i++) far = far.mul(2);
    h.mul(far).backward(); // 2x · 64x
    expect(gradOf(x)).toBe(2 * 128 * 3);
  });

  test("takes a gradient for an output with several elements", () => {
    const x = leaf(1, 2, 3);
    x.mul(2).backward(tensor([1, 10, 100]));
    expect(gradOf(x)).toEqual([2, 20, 200]);
  });

  test("casts a given gradient to the output's dtype, as PyTorch does", () => {
    const x = leaf(1, 2);
    x.mul(2).backward(tensor([1, 3], { dtype: "float64" }));
    expect(x.grad?.dtype).toBe("float32");
    expect(gradOf(x)).toEqual([2, 6]);
    x.mul(2).backward(tensor([1, 3], { dtype: "int32" }));
    expect(gradOf(x)).toEqual([4, 12]);
  });

  test("of a leaf itself gives it a gradient of 1", () => {
    const x = scalar(5);
    x.backward();
    expect(gradOf(x)).toBe(1);
  });

  test("accumulates over several passes", () => {
    const x = leaf(1, 2);
    for (let i = 0; i < 3; i++) x.mul(3).sum().backward();
    expect(gradOf(x)).toEqual([9, 9]);
  });

  test("gives no gradient to leaves that want none, nor to intermediates", () => {
    const x = leaf(1, 2);
    const constant = tensor([3, 4]);
    const y = x.mul(constant);
    y.sum().backward();
    expect(constant.grad).toBeNull();
    expect(y.grad).toBeNull();
    expect(gradOf(x)).toEqual([3, 4]);
  });

  test("passes by a leaf that has stopped wanting a gradient", () => {
    const x = leaf(1, 2);
    const w = leaf(3, 4);
    const y = x.mul(w).sum();
    w.requiresGrad_(false);
    y.backward();
    expect(w.grad).toBeNull();
    expect(gradOf(x)).toEqual([3, 4]);
  });

  test("works under noGrad on a graph that was recorded outside", () => {
    const x = scalar(2);
    const y = x.square();
    noGrad(() => y.backward());
    expect(gradOf(x)).toBe(4);
  });

  test("brings the gradient through float64 back to a float32 leaf", () => {
    const x = leaf(1, 2);
    x.double().square().sum().backward();
    expect(x.grad?.dtype).toBe("float32");
    expect(gradOf(x)).toEqual([2, 4]);
  });

  test("refuses an output without history, and says what to do", () => {
    expect(() => tensor(1).backward()).toThrow(AutogradError);
    expect(() => tensor(1).backward()).toThrow(
      "backward: got a tensor of shape [] made by tensor that requires no grad and has no history; expected one made " +
        "from a tensor with requiresGrad. Set { requiresGrad: true } on what you differentiate by, and compute outside noGrad.",
    );
    const x = scalar(1);
    expect(() => x.mul(2).detach().backward()).toThrow(AutogradError);
    expect(() => noGrad(() => x.mul(2)).backward()).toThrow(AutogradError);
  });

  test("refuses whole numbers", () => {
    expect(() => tensor([1], { dtype: "int32" }).backward()).toThrow(DTypeError);
    const x = leaf(1, 2);
    expect(x.int().requiresGrad).toBe(false);
    expect(x.gt(0).requiresGrad).toBe(false);
    expect(x.argmax().requiresGrad).toBe(false);
    expect(x.max(0).indices.requiresGrad).toBe(false);
  });

  test("refuses an output with several elements and no gradient for it", () => {
    expect(() => leaf(1, 2).mul(2).backward()).toThrow(ShapeError);
    expect(() => leaf(1, 2).mul(2).backward()).toThrow(
      "backward: got an output of shape [2] without a gradient for it; expected a scalar, or a gradient of that shape. " +
        "Reduce the output with .sum() or .mean(), or pass the gradient.",
    );
  });

  test("refuses a misshapen gradient", () => {
    const y = leaf(1, 2).mul(2);
    expect(() => y.backward(tensor([1, 2, 3]))).toThrow(
      "backward: got an output gradient of shape [3]; expected the output's shape [2]. Reshape it.",
    );
    expect(() => y.backward(tensor([[1, 2]]))).toThrow(ShapeError);
    expect(() => y.backward(tensor(1))).toThrow(ShapeError);
    y.backward(tensor([1, 1])); // the graph is still whole
  });

  test("says where options belong", () => {
    const y = scalar(1).mul(2);
    const misplaced = { retainGraph: true } as unknown as Tensor;
    expect(() => y.backward(misplaced)).toThrow(
      "backward: got an object as the output's gradient; expected a tensor or null. Options come after it: backward(null, { retainGraph: true }).",
    );
    expect(() => y.backward(1 as unknown as Tensor)).toThrow("backward: got 1 as the output's gradient");
  });

  test("takes no memory where it refuses", () => {
    const y = leaf(1, 2).mul(2);
    const before = memoryStats();
    expect(() => y.backward()).toThrow();
    expect(() => y.detach().sum().backward()).toThrow();
    const plain = tensor(1);
    expect(() => plain.backward()).toThrow();
    plain.dispose();
    expect(memoryStats().tensors).toBe(before.tensors + 1); // the sum of the line before last
  });
});

describe("a consumed graph", () => {
  const text =
    "backward: got a graph that a backward pass has already gone through (at mul); expected one that is still whole. " +
    "Pass { retainGraph: true } to the first pass, or .detach() what you carry over.";

  test("cannot be walked again", () => {
    const y = scalar(2).mul(3);
    y.backward();
    expect(() => y.backward()).toThrow(AutogradError);
    expect(() => y.backward()).toThrow(text);
  });

  test("cannot be walked again from another output, and leaves .grad alone", () => {
    const x = scalar(2);
    const h = x.mul(3);
    const first = h.exp();
    const second = h.square();
    first.backward();
    const before = gradOf(x);
    expect(() => second.backward()).toThrow(text);
    expect(gradOf(x)).toBe(before);
  });

  test("can be walked as often as it was retained, and once more", () => {
    const x = scalar(2);
    const y = x.square();
    y.backward(null, { retainGraph: true });
    y.backward(null, { retainGraph: true });
    y.backward();
    expect(gradOf(x)).toBe(12);
    expect(() => y.backward()).toThrow(AutogradError);
  });

  test("stays whole where a pass was refused", () => {
    const x = scalar(2);
    const h = x.mul(3);
    h.square().backward(null, { retainGraph: true });
    h.square().backward();
    expect(gradOf(x)).toBe(2 * 2 * 6 * 3);
  });

  test("of one branch leaves what the other branch alone has made", () => {
    const x = scalar(2);
    const first = x.mul(3);
    const second = x.mul(4);
    first.backward();
    second.backward();
    expect(gradOf(x)).toBe(7);
  });

  test("is not mistaken by grad() for one that the input takes no part in", () => {
    const w = scalar(2);
    const loss = w.square();
    loss.backward();
    expect(() => grad(loss, w, { allowUnused: true })).toThrow(AutogradError);
    const h = w.square();
    h.backward();
    // Through h there is more to the gradient than what is seen.
    expect(() => grad(h.mul(w), w)).toThrow(AutogradError);
    expect(() => grad(h.mul(w), [h, tensor(1, { requiresGrad: true })], { allowUnused: true })).toThrow(AutogradError);
  });

  test("does not matter to grad() behind the input asked for", () => {
    const w = scalar(2);
    const h = w.square();
    h.backward();
    const above = h.mul(5);
    expect(grad(above.square(), h).map((g) => g?.itemSync())).toEqual([2 * 20 * 5]);
    const v = scalar(3);
    expect(grad(h.mul(v), [h, v]).map((g) => g?.itemSync())).toEqual([3, 4]);
  });
});

describe("grad", () => {
  test("gives the gradients of leaves and touches no .grad", () => {
    const a = scalar(2);
    const b = scalar(3);
    expect(grad(a.mul(b).add(a), [a, b]).map((g) => g?.itemSync())).toEqual([4, 2]);
    expect(a.grad).toBeNull();
    expect(b.grad).toBeNull();
  });

  test("gives the gradients of intermediates, and of an output by itself", () => {
    const x = scalar(2);
    const h = x.mul(3);
    const y = h.square();
    expect(grad(y, [h, x, y], { retainGraph: true }).map((g) => g?.itemSync())).toEqual([12, 36, 1]);
    expect(grad(y, y, { retainGraph: true })[0]?.itemSync()).toBe(1);
    expect(grad(y, h)[0]?.itemSync()).toBe(12);
    expect(gradOf(x)).toBeUndefined();
  });

  test("adds up the gradients of several outputs", () => {
    const x = leaf(1, 2);
    const total = grad([x.square().sum(), x.mul(10)], x, { gradOutputs: [null, tensor([1, 3])] });
    expect(total[0]?.toArraySync()).toEqual([12, 34]);
  });

  test("counts an output twice that comes twice", () => {
    const x = scalar(3);
    const y = x.square();
    expect(grad([y, y], x)[0]?.itemSync()).toBe(12);
    const h = x.square();
    expect(grad([h, h.mul(2), h], h)[0]?.itemSync()).toBe(4);
  });

  test("counts an output that another output was made from", () => {
    const x = scalar(3);
    const h = x.square();
    expect(grad([h, h.square()], x)[0]?.itemSync()).toBe(6 + 4 * 27);
  });

  test("gives one result for each input, also where one comes twice", () => {
    const x = scalar(3);
    const found = grad(x.square(), [x, x]);
    expect(found.map((g) => g?.itemSync())).toEqual([6, 6]);
  });

  test("goes only through what leads to the inputs", () => {
    const a = scalar(2);
    const b = scalar(3);
    const other = b.square();
    grad(a.square().add(other), a);
    expect(grad(other, b)[0]?.itemSync()).toBe(6);
  });

  test("refuses unused inputs, or gives null for them", () => {
    const x = scalar(1);
    const y = x.square();
    expect(() => grad(y, [x, leaf(1, 2)])).toThrow(
      "grad: got an input of shape [2] that the outputs were not made from; expected inputs that take part in them. " +
        "Leave it out, or pass { allowUnused: true } to get null for it.",
    );
    const found = grad(y, [x, leaf(1, 2)], { allowUnused: true }); // the refusal has not consumed the graph
    expect([found[0]?.itemSync(), found[1]]).toEqual([2, null]);
  });

  test("refuses inputs that require no grad", () => {
    expect(() => grad(scalar(1).square(), tensor(1))).toThrow(AutogradError);
  });

  test("refuses a wrong number of gradOutputs", () => {
    const x = scalar(1);
    const y = x.square();
    expect(() => grad([y, y], x, { gradOutputs: [tensor(1)] })).toThrow(
      "grad: got 1 gradOutputs for 2 outputs; expected one for each. Pass null for a scalar whose gradient is 1.",
    );
    expect(() => grad(y, x, { gradOutputs: [tensor(1), tensor(1)] })).toThrow("got 2 gradOutputs for 1 outputs");
    expect(() => grad([y, y], x, { gradOutputs: tensor(1) })).toThrow("got 1 gradOutputs for 2 outputs");
    expect(() => grad(y, x, { gradOutputs: tensor([1]) })).toThrow(ShapeError);
  });

  test("refuses to differentiate nothing, or by nothing", () => {
    const x = scalar(1);
    expect(() => grad([], x)).toThrow("grad: got 0 outputs and 1 inputs; expected at least one of each.");
    expect(() => grad(x.square(), [])).toThrow("grad: got 1 outputs and 0 inputs; expected at least one of each.");
  });

  test("leaves no memory behind but its results", () => {
    const x = leaf(1, 2, 3);
    const y = x.square().sum();
    const before = memoryStats().tensors;
    const found = grad(y, x, { retainGraph: true });
    expect(memoryStats().tensors).toBe(before + 1);
    found[0]?.dispose();
    expect(memoryStats().tensors).toBe(before);
  });
});

describe("higher derivatives", () => {
  test("first, second, third and fourth of x⁴", () => {
    const x = scalar(2);
    let y: Tensor | null | undefined = x.pow(4);
    const found = [];
    for (let order = 1; order <= 4; order++) {
      [y] = grad(y as Tensor, x, { createGraph: true });
      found.push(y?.itemSync());
    }
    expect(found).toEqual([32, 48, 48, 24]);
  });

  test("third derivative of sigmoid, tanh and exp", () => {
    for (const [name, value] of [
      ["exp", Math.exp(0.3)],
      ["tanh", -2 * (1 - Math.tanh(0.3) ** 2) * (1 - 3 * Math.tanh(0.3) ** 2)],
    ] as const) {
      const x = tensor(0.3, { dtype: "float64", requiresGrad: true });
      let y: Tensor = x[name]();
      for (let order = 0; order < 3; order++) y = grad(y, x, { createGraph: true })[0] as Tensor;
      expect(y.itemSync(), name).toBeCloseTo(value, 12);
    }
  });

  test("a mixed derivative", () => {
    const x = scalar(2);
    const y = scalar(3);
    const [dx] = grad(x.square().mul(y.pow(3)), x, { createGraph: true });
    const [dxdy] = grad(dx as Tensor, y);
    expect(dxdy?.itemSync()).toBe(2 * 2 * 3 * 9);
  });

  test("flow to the gradient that was given for the output", () => {
    const x = leaf(1, 2);
    const v = leaf(1, 1);
    const [vjp] = grad(x.square(), x, { gradOutputs: v, createGraph: true });
    const [back] = grad((vjp as Tensor).sum(), v); // d/dv of Σ 2·x·v
    expect(back?.toArraySync()).toEqual([2, 4]);
  });

  test("flow to a given gradient that passes through unchanged", () => {
    const x = leaf(1, 2);
    const v = leaf(5, 6);
    const [vjp] = grad(x.add(1), x, { gradOutputs: v, createGraph: true });
    const [back] = grad((vjp as Tensor).mul(tensor([2, 3])).sum(), v);
    expect(back?.toArraySync()).toEqual([2, 3]);
    expect(v.toArraySync()).toEqual([5, 6]);
  });

  test("backward with createGraph gives a .grad with history", () => {
    const x = scalar(3);
    x.pow(3).backward(null, { createGraph: true });
    const first = x.grad as Tensor;
    expect(first.itemSync()).toBe(27);
    expect(first.requiresGrad).toBe(true);
    expect(grad(first, x)[0]?.itemSync()).toBe(18);
  });

  test("a gradient penalty trains the parameters of the gradient", () => {
    const w = leaf(1, -2);
    const x = leaf(3, 4);
    const [dx] = grad(w.square().mul(x).sum(), x, { createGraph: true }); // w²
    (dx as Tensor).square().sum().backward(); // Σ w⁴
    expect(gradOf(w)).toEqual([4, -32]);
    expect(x.grad).toBeNull();
  });

  test("without createGraph the pass leaves no history", () => {
    const x = scalar(3);
    const [first] = grad(x.pow(3), x);
    expect(first?.requiresGrad).toBe(false);
    x.pow(3).backward();
    expect(x.grad?.requiresGrad).toBe(false);
  });

  test("go through an in-place op", () => {
    const x = scalar(2);
    const y = x.mul(1);
    y.mul_(y).mul_(x); // x³
    const [first] = grad(y, x, { createGraph: true });
    const [second] = grad(first as Tensor, x);
    expect([first?.itemSync(), second?.itemSync()]).toEqual([12, 12]);
  });

  test("go through saved tensors whose handles were let go of", () => {
    const x = scalar(2);
    const h = x.square();
    const y = h.mul(h); // x⁴
    h.dispose();
    const [first] = grad(y, x, { createGraph: true });
    expect(grad(first as Tensor, x)[0]?.itemSync()).toBe(48);
  });
});

describe("in-place ops", () => {
  test("are refused on a leaf that requires grad, before anything is changed", () => {
    const x = leaf(1, 2);
    expect(() => x.mul_(2)).toThrow(AutogradError);
    expect(() => x.mul_(2)).toThrow(
      "mul_: got a leaf that requires grad; expected a tensor whose old values no gradient needs. " +
        "Change it inside noGrad(() => …), or use the form without underscore.",
    );
    expect(() => x.zero_()).toThrow(AutogradError);
    expect(() => x.copy_(tensor([0, 0]))).toThrow(AutogradError);
    expect(x.toArraySync()).toEqual([1, 2]);
    expect(x.isLeaf).toBe(true);
  });

  test("change a leaf under noGrad, and leave it a leaf", () => {
    const x = leaf(1, 2);
    noGrad(() => x.mul_(2).sub_(tensor([0.5, 0.5])));
    expect(x.toArraySync()).toEqual([1.5, 3.5]);
    expect(x.isLeaf && x.requiresGrad).toBe(true);
    x.square().sum().backward();
    expect(gradOf(x)).toEqual([3, 7]);
  });

  test("turn a plain tensor into an intermediate", () => {
    const buffer = zeros([2]);
    const w = leaf(3, 4);
    buffer.add_(w).mul_(2);
    expect(buffer.isLeaf).toBe(false);
    buffer.sum().backward();
    expect(gradOf(w)).toEqual([2, 2]);
  });

  test("take part in the gradient like any other", () => {
    const x = leaf(1, -2, 3);
    const y = x
      .mul(2)
      .add_(1)
      .square_()
      .mul_(tensor([1, 2, 3]))
      .relu_();
    y.sum().backward();
    expect(y.toArraySync()).toEqual([9, 18, 147]);
    expect(gradOf(x)).toEqual([12, -24, 84]);
  });

  test.each(["mul_", "div_", "pow_", "add_", "sub_", "maximum"] as const)("%s of a tensor with itself", (name) => {
    const value = 3;
    const x = scalar(value);
    const y = x.mul(1);
    y[name](y).backward();
    const expected = { mul_: 6, div_: 0, pow_: 27 * (Math.log(3) + 1), add_: 2, sub_: 0, maximum: 1 }[name];
    expect(x.grad?.itemSync()).toBeCloseTo(expected, 5);
  });

  test("mul_ with a detached handle to the very same elements takes it for a constant", () => {
    const x = leaf(2, 3);
    const y = x.mul(1);
    y.mul_(y.detach());
    expect(y.toArraySync()).toEqual([4, 9]);
    y.sum().backward(null, { retainGraph: true });
    expect(gradOf(x)).toEqual([2, 3]);
    const [first] = grad(y.sum(), x, { createGraph: true });
    expect(first?.toArraySync()).toEqual([2, 3]);
  });

  test("fill_, zero_ and copy_ cut the gradient of what was there before", () => {
    const x = leaf(1, 2);
    const y = x.mul(3);
    const source = leaf(7, 8);
    y.copy_(source);
    y.mul(tensor([2, 3]))
      .sum()
      .backward();
    expect(gradOf(x)).toEqual([0, 0]);
    expect(gradOf(source)).toEqual([2, 3]);
    const z = x.mul(3).fill_(4);
    z.sum().backward();
    expect(gradOf(x)).toEqual([0, 0]);
  });

  test("work on a sum, whose handle is a view of nothing else", () => {
    const x = leaf(1, 2);
    const loss = x.square().sum();
    loss.add_(x.sum()).mul_(2);
    loss.backward();
    expect(loss.itemSync()).toBe(16);
    expect(gradOf(x)).toEqual([6, 10]);
  });

  test("are refused on views while recording", () => {
    const x = leaf(1, 2, 3).mul(1);
    const row = x.view([1, 3]);
    expect(() => row.mul_(2)).toThrow(
      "mul_: got a view of shape [1, 3] made by view while recording; expected a tensor with storage of its own. " +
        "Use the form without underscore, or .clone() the view first.",
    );
    expect(() => leaf(1, 2).view([2, 1]).add_(1)).toThrow(AutogradError);
    const w = leaf(1, 2, 3);
    expect(() => zeros([2, 3]).select(0, 1).copy_(w)).toThrow(AutogradError);
    expect(x.toArraySync()).toEqual([1, 2, 3]);
  });

  test("on views of plain tensors reach the base", () => {
    const x = zeros([2, 3]);
    x.select(0, 1).fill_(4);
    x.narrow(1, 0, 1).add_(1);
    expect(x.toArraySync()).toEqual([
      [1, 0, 0],
      [5, 4, 4],
    ]);
  });

  test("make older views of the same storage unusable", () => {
    const x = leaf(1, 2, 3).mul(1);
    const row = x.view([1, 3]);
    x.mul_(2);
    expect(() => row.sum()).toThrow(
      "sum: got a view of shape [1, 3] made by view before an in-place op changed its base; expected a view taken afterwards. Take the view again.",
    );
    expect(() => row.backward(ones([1, 3]))).toThrow(AutogradError);
    expect(() => grad(x.sum(), row)).toThrow(AutogradError);
    expect(x.view([1, 3]).sum().itemSync()).toBe(12);
  });

  test("make older views of a plain tensor unusable that has got a history meanwhile", () => {
    const buffer = zeros([2]);
    const row = buffer.view([1, 2]);
    buffer.add_(leaf(1, 2));
    expect(() => row.mul(leaf(1, 1))).toThrow(AutogradError);
  });
});

describe("a saved tensor that was changed in place", () => {
  test("is found out when the gradient needs it", () => {
    const x = leaf(1, 2);
    const h = x.mul(3);
    const y = h.square();
    h.add_(1);
    expect(() => y.sum().backward()).toThrow(AutogradError);
    expect(() => x.mul(1).sum().backward()).not.toThrow();
    const k = x.mul(3);
    const z = k.square();
    k.add_(1);
    expect(() => z.sum().backward()).toThrow(
      "backward of square: got a saved tensor of shape [2] at version 1; expected version 0, as the forward pass left it. " +
        "An in-place op changed it: use the form without underscore, or .clone() it first.",
    );
  });

  test("is found out through a view and through detach()", () => {
    for (const change of [
      (h: Tensor) => noGrad(() => h.view([1, 2]).mul_(2)),
      (h: Tensor) => h.detach().mul_(2),
      (h: Tensor) => h.detach().narrow(0, 0, 1).zero_(),
    ]) {
      const h = leaf(1, 2).mul(3);
      const y = h.exp().mul(h);
      change(h);
      expect(() => y.sum().backward()).toThrow("backward of mul: got a saved tensor");
    }
  });

  test("is found out where it is the op's own output", () => {
    const x = leaf(1, 2);
    const y = x.exp();
    y.add_(1);
    expect(() => y.sum().backward()).toThrow("backward of exp: got a saved tensor");
  });

  test("is found out where it is a leaf, as when an optimizer steps too early", () => {
    const w = leaf(1, 2);
    const y = w.square().sum();
    noGrad(() => w.sub_(0.1));
    expect(() => y.backward()).toThrow("backward of square: got a saved tensor of shape [2] at version 1");
  });

  test("does not matter where nobody needs its values", () => {
    const changes: [string, (h: Tensor) => Tensor, number][] = [
      ["add", (h) => h.add(1), 3],
      ["mul by a number", (h) => h.mul(2), 6],
      ["mul_ by a number", (h) => h.clone().mul_(2), 6],
      ["div by a number", (h) => h.div(2), 1.5],
      ["mul by a constant", (h) => h.mul(tensor([2, 2])), 6],
      ["div by a constant", (h) => h.div(tensor([2, 2])), 1.5],
      ["sub", (h) => h.sub(tensor([1, 1])), 3],
    ];
    for (const [name, fn, expected] of changes) {
      const x = leaf(1, 2);
      const h = x.mul(3);
      const y = fn(h);
      h.zero_();
      y.sum().backward();
      expect(gradOf(x), name).toEqual([expected, expected]);
    }
  });

  test("matters for the operand that the derivative looks at", () => {
    for (const fn of [
      (h: Tensor, c: Tensor) => h.mul(c),
      (h: Tensor, c: Tensor) => h.div(c),
      (h: Tensor, c: Tensor) => h.pow(c),
      (h: Tensor, c: Tensor) => h.maximum(c),
      (h: Tensor, c: Tensor) => h.mul_(c),
    ]) {
      const c = tensor([2, 2]);
      const y = fn(leaf(1, 2).mul(3), c);
      c.zero_();
      expect(() => y.sum().backward()).toThrow("An in-place op changed it");
    }
  });

  test("leaves no gradients under way behind", () => {
    const x = randn([2000], { requiresGrad: true });
    const h = x.mul(3);
    const y = h.square().sum();
    h.add_(1);
    const before = memoryStats().bytes;
    expect(() => y.backward()).toThrow(AutogradError);
    expect(memoryStats().bytes).toBeLessThanOrEqual(before);
  });
});

describe("detach", () => {
  test("shares storage, and stops the gradient", () => {
    const x = leaf(1, 2);
    const h = x.mul(3);
    const cut = h.detach();
    expect(sharesStorage(cut, h)).toBe(true);
    expect(cut.requiresGrad).toBe(false);
    expect(cut.isLeaf).toBe(true);
    h.mul(cut).sum().backward();
    expect(gradOf(x)).toEqual([9, 18]);
    cut.fill_(0);
    expect(h.toArraySync()).toEqual([0, 0]);
  });

  test("of a leaf may be changed in place, and the leaf with it", () => {
    const x = leaf(1, 2);
    x.detach().mul_(10);
    expect(x.toArraySync()).toEqual([10, 20]);
  });
});

describe("modes", () => {
  test("noGrad and enableGrad nest and restore", () => {
    const x = scalar(2);
    expect(isGradEnabled()).toBe(true);
    noGrad(() => {
      expect(isGradEnabled()).toBe(false);
      expect(x.mul(2).requiresGrad).toBe(false);
      enableGrad(() => {
        expect(x.mul(2).requiresGrad).toBe(true);
        noGrad(() => expect(x.mul(2).requiresGrad).toBe(false));
        expect(isGradEnabled()).toBe(true);
      });
      expect(isGradEnabled()).toBe(false);
    });
    expect(isGradEnabled()).toBe(true);
  });

  test("are restored after an exception", () => {
    const fail = (): never => {
      throw new RangeError("mine");
    };
    expect(() => noGrad(fail)).toThrow(RangeError);
    expect(isGradEnabled()).toBe(true);
    noGrad(() => {
      expect(() => enableGrad(fail)).toThrow(RangeError);
      expect(isGradEnabled()).toBe(false);
    });
  });

  test("are restored after a backward pass that fails", () => {
    const h = scalar(2).mul(1);
    const y = h.square();
    h.add_(1);
    expect(() => y.backward(null, { createGraph: true })).toThrow(AutogradError);
    expect(isGradEnabled()).toBe(true);
    noGrad(() => expect(() => y.backward(null, { createGraph: true })).toThrow(AutogradError));
    expect(isGradEnabled()).toBe(true);
  });

  test("a leaf made under noGrad can require grad, and a factory's wish is kept", () => {
    const x = noGrad(() => tensor([1, 2], { requiresGrad: true }));
    x.square().sum().backward();
    expect(gradOf(x)).toEqual([2, 4]);
  });
});

describe("requiresGrad_", () => {
  test("refuses whole numbers", () => {
    expect(() => tensor([1], { dtype: "int32" }).requiresGrad_()).toThrow(DTypeError);
    expect(() => tensor([true]).requiresGrad_()).toThrow(
      "requiresGrad: got a tensor of bool; expected float32 or float64, which alone have gradients. Cast it with .float() first.",
    );
    expect(tensor([1], { dtype: "int32" }).requiresGrad_(false).requiresGrad).toBe(false);
  });

  test("refuses to switch off an intermediate, as PyTorch does", () => {
    const y = scalar(1).mul(2);
    expect(y.requiresGrad_().requiresGrad).toBe(true);
    expect(() => y.requiresGrad_(false)).toThrow(
      "requiresGrad_: got false for the output of mul; expected a leaf. Use .detach() for a tensor without history.",
    );
  });

  test("switches a leaf on and off", () => {
    const x = tensor([1, 2]);
    expect(x.mul(2).requiresGrad).toBe(false);
    expect(x.requiresGrad_()).toBe(x);
    expect(x.mul(2).requiresGrad).toBe(true);
    expect(x.requiresGrad_(false).mul(2).requiresGrad).toBe(false);
  });
});

describe(".grad", () => {
  test("of two leaves never shares storage, whichever op handed the gradient on", () => {
    const pairs: [string, (a: Tensor, b: Tensor) => Tensor][] = [
      ["add", (a, b) => a.add(b)],
      ["add of views", (a, b) => a.view([1, 4]).add(b.view([1, 4]))],
      ["cat", (a, b) => cat([a, b])],
      ["stack", (a, b) => stack([a, b])],
      ["clone", (a, b) => add(a.clone(), b.clone())],
      ["expand", (a, b) => a.expand([3, 4]).add(b)],
      ["add_", (a, b) => a.clone().add_(b)],
    ];
    for (const [name, fn] of pairs) {
      const a = leaf(1, 2, 3, 4);
      const b = leaf(5, 6, 7, 8);
      const out = fn(a, b);
      const given = noGrad(() => out.detach().mul(0).add(1));
      out.backward(given);
      const before = gradOf(b);
      noGrad(() => a.grad?.mul_(100));
      expect(gradOf(b), name).toEqual(before);
      expect(given.amax().itemSync(), name).toBe(1);
      expect(a.grad?.isContiguous(), name).toBe(true);
      expect(a.grad?.storage.length, name).toBe(4);
    }
  });

  test("does not share storage with a saved tensor or with the given gradient", () => {
    const x = leaf(1, 2);
    const given = tensor([5, 6]);
    x.backward(given);
    given.zero_();
    expect(gradOf(x)).toEqual([5, 6]);
    const w = leaf(3, 4);
    const one = tensor([1, 1]);
    w.mul(one).backward(tensor([1, 1]));
    w.grad?.zero_();
    expect(one.toArraySync()).toEqual([1, 1]);
  });

  test("is contiguous for a leaf that was used transposed", () => {
    const x = randn([2, 3], { requiresGrad: true });
    x.transpose(0, 1)
      .mul(tensor([[1], [2], [3]]))
      .sum()
      .backward();
    expect(x.grad?.isContiguous()).toBe(true);
    expect(gradOf(x)).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  test("stays the same tensor while gradients accumulate", () => {
    const x = scalar(1);
    x.mul(2).backward();
    const first = x.grad;
    x.mul(3).backward();
    expect(x.grad).toBe(first);
    expect(first?.itemSync()).toBe(5);
  });

  test("may be set by the user, who may go on with it", () => {
    const x = leaf(1, 2);
    const mine = tensor([10, 20]);
    x.grad = mine;
    expect(x.grad).toBe(mine);
    x.sum().backward();
    expect(gradOf(x)).toEqual([11, 21]);
    x.grad = null;
    x.sum().backward();
    expect(gradOf(x)).toEqual([1, 1]);
    expect(mine.toArraySync()).toEqual([11, 21]);
  });

  test("refuses what cannot be a gradient", () => {
    const x = zeros([2, 3], { requiresGrad: true });
    const set = (value: unknown) => () => {
      x.grad = value as Tensor;
    };
    expect(set(zeros([3, 2]))).toThrow(
      "grad: got shape [3, 2]; expected the tensor's own shape [2, 3]. Reshape the gradient.",
    );
    expect(set(zeros([2, 3], { dtype: "float64" }))).toThrow(
      'grad: got float64 on "cpu"; expected the tensor\'s own float32 on "cpu". Move the gradient with .to(…).',
    );
    expect(set(zeros([2, 3], { dtype: "float64" }))).toThrow(DTypeError);
    expect(set(1)).toThrow("grad: got 1; expected a tensor or null. Make one with tensor(…).");
    expect(x.grad).toBeNull();
  });
});
