import { readFileSync } from "node:fs";
import {
  ArgumentError,
  AutogradError,
  autograd,
  DTypeError,
  grad,
  memoryStats,
  noGrad,
  ones,
  randn,
  ShapeError,
  Tensor,
  tensor,
} from "tapegrad";
import { describe, expect, expectTypeOf, it } from "vitest";

const { hessian, jacobian, jvp, vjp } = autograd;

interface Packed {
  readonly shape: number[];
  readonly data: number[];
}
type Golden = Packed | Golden[];

const golden = JSON.parse(
  readFileSync(new URL("../golden/derivatives/derivatives.json", import.meta.url), "utf8"),
) as Record<string, Golden>;

const made = (name: string): Tensor => {
  const { data, shape } = golden[name] as Packed;
  return tensor(new Float64Array(data), { shape });
};
const [x, w, u, z, y] = [made("x"), made("w"), made("u"), made("z"), made("y")] as const;

const layer = (a: Tensor, b: Tensor): Tensor => a.matmul(b).tanh();
const two = (a: Tensor, b: Tensor): Tensor[] => [layer(a, b), a.mul(a).sum()];
const loss = (a: Tensor, b: Tensor): Tensor => layer(a, b).pow(3).sum();
const alone = (a: Tensor): Tensor => layer(a, w);

type Nested = Tensor | readonly Nested[];

function expectGolden(got: Nested, expected: Golden | undefined): void {
  if (got instanceof Tensor) {
    const { shape, data } = expected as Packed;
    expect(got.shape).toEqual(shape);
    const values = [...got.dataSync()];
    data.forEach((value, index) => {
      expect(values[index]).toBeCloseTo(value, 12);
    });
    return;
  }
  expect(got.length).toBe((expected as Golden[]).length);
  got.forEach((each, index) => {
    expectGolden(each, (expected as Golden[])[index]);
  });
}

describe("values are PyTorch's", () => {
  it.each([
    ["jacobian", () => jacobian(alone, x)],
    ["jacobianOfInputs", () => jacobian(layer, [x, w])],
    ["jacobianOfOutputs", () => jacobian((a) => two(a, w), x)],
    ["jacobianOfBoth", () => jacobian(two, [x, w])],
    ["hessian", () => hessian((a) => loss(a, w), x)],
    ["hessianOfInputs", () => hessian(loss, [x, w])],
    ["vjp", () => vjp(alone, x, y)],
    ["vjpOfBoth", () => vjp(two, [x, w], [y, tensor(1.5, { dtype: "float64" })])],
    ["jvp", () => jvp(alone, x, u)],
    ["jvpOfBoth", () => jvp(two, [x, w], [u, z])],
  ] satisfies [string, () => Nested][])("%s", (name, run) => {
    expectGolden(run(), golden[name]);
  });

  it("the form follows inputs and outputs", () => {
    expectTypeOf(jacobian(alone, x)).toEqualTypeOf<Tensor>();
    expectTypeOf(jacobian(layer, [x, w])).toEqualTypeOf<Tensor[]>();
    expectTypeOf(jacobian((a) => [a], x)).toEqualTypeOf<Tensor[]>();
    expectTypeOf(jacobian(two, [x, w])).toEqualTypeOf<Tensor[][]>();
    expectTypeOf(hessian(loss, [x, w])).toEqualTypeOf<Tensor[][]>();
    expectTypeOf(vjp(layer, [x, w], y)).toEqualTypeOf<[outputs: Tensor, vjp: Tensor[]]>();
    expectTypeOf(jvp(alone, x, u)).toEqualTypeOf<[outputs: Tensor, jvp: Tensor]>();
  });

  it("float32 and no elements", () => {
    const J = jacobian((a) => a.mul(a), tensor([1, 2]));
    expect(J.toArraySync()).toEqual([
      [2, 0],
      [0, 4],
    ]);
    expect(jacobian((a) => a.mul(2), ones([0, 3])).shape).toEqual([0, 3, 0, 3]);
  });
});

describe("second order", () => {
  const leaf = (from: Tensor): Tensor => from.clone().requiresGrad_();

  it("a jacobian with createGraph is differentiated as the function's second derivative", () => {
    const a = leaf(x);
    const weight = made("y").unsqueeze(-1).unsqueeze(-1);
    expect(
      autograd.gradcheck((each) => jacobian((b) => layer(b, w), each, { createGraph: true }).mul(weight), [a]),
    ).toBe(true);
  });

  it("vjp and jvp with createGraph, by inputs and by v", () => {
    const [a, direction, back] = [leaf(x), leaf(u), leaf(y)];
    expect(autograd.gradcheck((b, v) => vjp(alone, b, v, { createGraph: true })[1], [a, back])).toBe(true);
    expect(autograd.gradcheck((b, v) => jvp(alone, b, v, { createGraph: true })[1], [a, direction])).toBe(true);
  });

  it("a hessian with createGraph has third derivatives", () => {
    const a = tensor([2, 3], { dtype: "float64", requiresGrad: true });
    const H = hessian((b) => b.pow(3).sum(), a, { createGraph: true });
    const [third] = grad(H.sum(), a);
    expect(third?.toArraySync()).toEqual([6, 6]);
  });

  it("vjp of a jvp: the directions meet", () => {
    const [, moved] = jvp(alone, x, u);
    const [, back] = vjp(alone, x, y);
    expect(moved.mul(y).sum().itemSync()).toBeCloseTo(back.mul(u).sum().itemSync(), 12);
  });
});

describe("what does not depend", () => {
  const other = tensor([1, 2], { dtype: "float64" });

  it("has zeros for derivatives", () => {
    expect(jacobian(() => other, x).shape).toEqual([2, 2, 3]);
    const [by, beside] = jacobian((a, _b) => a.mul(2), [other, x]);
    expect(by?.toArraySync()).toEqual([
      [2, 0],
      [0, 2],
    ]);
    expect(beside?.shape).toEqual([2, 2, 3]);
    expect(beside?.abs().sum().itemSync()).toBe(0);
    expect(
      hessian((a) => a.sum(), other)
        .abs()
        .sum()
        .itemSync(),
    ).toBe(0);
    expect(
      vjp(() => other, x, other)[1]
        .abs()
        .sum()
        .itemSync(),
    ).toBe(0);
    expect(jvp(() => other, x, u)[1].toArraySync()).toEqual([0, 0]);
    expect(jvp((a) => [a.sum(), other], x, u)[1].map((each) => each.shape)).toEqual([[], [2]]);
  });

  it("is refused with strict", () => {
    const strict = { strict: true };
    expect(() => jacobian(() => other, x, strict)).toThrow(
      new AutogradError(
        "jacobian: got output 0, which does not depend on input 0; expected all outputs to depend on all inputs, with strict. " +
          "Compute them by recorded operations, or leave strict out: the derivative is then zeros.",
      ),
    );
    expect(() => jacobian((a, _b) => a, [other, x], strict)).toThrow("output 0, which does not depend on input 1");
    expect(() => vjp((a, _b) => a, [other, x], other, strict)).toThrow("input 1, on which no output depends");
    expect(() => vjp((a) => [a, other], x, [x, other], strict)).toThrow("output 1, which depends on no input");
    expect(() => jvp(() => other, x, u, strict)).toThrow("output 0, which depends on no input");
    expect(() => jacobian((a) => a.mul(2), x, { strict: true, createGraph: true })).toThrow(
      "jacobian: got a derivative by input 0 that is constant",
    );
    expect(() => hessian((a) => a.sum(), x, strict)).toThrow("hessian: got a derivative by input 0 that is constant");
  });
});

describe("mistakes", () => {
  it("in inputs", () => {
    expect(() => jacobian(alone, [])).toThrow(
      new ArgumentError(
        "jacobian: got no inputs; expected a tensor or an array of tensors. Pass what to differentiate by after the function.",
      ),
    );
    expect(() => jacobian(alone, tensor([1], { dtype: "int32" }))).toThrow(
      new DTypeError(
        "jacobian: got int32 as input 0; expected float32 or float64, which alone have gradients. Cast it with .float(), or let the function hold it.",
      ),
    );
    const wrong = { vectorize: true } as object;
    expect(() => jacobian(alone, x, wrong)).toThrow(ArgumentError);
  });

  it("in what the function gives", () => {
    const later = (async (a: Tensor) => a) as unknown as (a: Tensor) => Tensor;
    expect(() => vjp(later, x, u)).toThrow(
      new ArgumentError(
        "vjp: got a function that gives a promise; expected a tensor or an array of tensors. Return the outputs themselves, without await.",
      ),
    );
    expect(() => jacobian((a) => a.gt(0), x)).toThrow("jacobian: got bool as output 0");
    expect(() => hessian(alone, x)).toThrow(
      new ShapeError(
        "hessian: got an output of shape [2, 2]; expected a single element. Reduce it with .sum() or .mean().",
      ),
    );
    const several = ((a: Tensor) => [a]) as unknown as (a: Tensor) => Tensor;
    expect(() => hessian(several, x)).toThrow("hessian: got a function that gives an array; expected one tensor.");
  });

  it("in v", () => {
    expect(() => vjp(alone, x)).toThrow(
      new ShapeError(
        "vjp: got no v for an output of shape [2, 2]; expected one, as only a single number has 1 for it. Pass v in the shape of each output.",
      ),
    );
    expect(() => jvp(layer, [x, w])).toThrow("jvp: got no v for 2 inputs;");
    expect(() => vjp(alone, x, u)).toThrow(
      new ShapeError("vjp: got v of shape [2, 3] for output 0; expected its shape [2, 2]. Reshape it."),
    );
    expect(() => jvp(layer, [x, w], u)).toThrow(
      new ArgumentError("jvp: got 1 of them as v for 2 inputs; expected a tensor for each. Options come after v."),
    );
    expect(() => vjp(alone, x, y.float())).toThrow(
      new DTypeError('vjp: got v of float32 for output 0; expected its dtype float64. Cast it with .to("float64").'),
    );
  });
});

describe("memory", () => {
  it("all that is made on the way is given back, by what fails too", () => {
    const a = randn([40, 40]);
    const b = randn([40, 40]).requiresGrad_();
    const outside = b.mul(2);
    const before = memoryStats();
    const run = (): void => {
      const [out, back] = vjp((p) => p.matmul(outside).tanh(), a, a);
      const [also, moved] = jvp((p) => p.matmul(outside).tanh(), a, a);
      const J = jacobian((p) => p.matmul(outside).tanh().sum(1), a);
      for (const each of [out, back, also, moved, J]) each.dispose();
      expect(() => vjp((p) => p.matmul(outside).tanh(), a)).toThrow(ShapeError);
    };
    for (let turn = 0; turn < 3; turn++) run();
    noGrad(run);
    const after = memoryStats();
    expect([after.tensors, after.bytes]).toEqual([before.tensors, before.bytes]);
    // What was recorded outside is whole.
    outside.sum().backward();
    expect(b.grad?.sum().itemSync()).toBe(3200);
  });

  it("inputs keep their history and their gradients", () => {
    const a = tensor([1, 2], { requiresGrad: true });
    expect(jacobian((b) => b.mul(b), a.mul(2)).requiresGrad).toBe(false);
    expect(a.grad).toBe(null);
    expect(jacobian((b) => b.mul(b), a, { createGraph: true }).requiresGrad).toBe(true);
  });
});
