/** gradcheck and gradgradcheck: what they accept, and above all what they find. */
import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  AutogradError,
  autograd,
  noGrad,
  ShapeError,
  type Tensor,
  type TensorOptions,
  tensor,
} from "../../src/index.js";
import { record } from "../../src/tensor/autograd.js";

const { gradcheck, gradgradcheck } = autograd;
const double: TensorOptions = { dtype: "float64", requiresGrad: true };
const input = (...values: number[]): Tensor => tensor(values, double);

/** x² with a backward rule of one's own. */
const squareWith = (x: Tensor, rule: (g: Tensor, x: Tensor) => Tensor): Tensor => {
  const out = noGrad(() => x.square());
  return record("mySquare", out, [x], [x], (g, x) => [() => rule(g, x)]);
};

describe("gradcheck", () => {
  test("accepts right gradients of several inputs and outputs", () => {
    const [a, b] = [input(0.5, -1, 2), input(1.5, 0.3, -0.7)];
    expect(gradcheck((a, b) => [a.mul(b).exp(), a.div(b).sum(), b.narrow(0, 1, 2)], [a, b])).toBe(true);
    expect(gradcheck((a) => a.view([3, 1]).matmul(a.view([1, 3])), [a])).toBe(true);
    expect(gradcheck((a) => squareWith(a, (g, x) => g.mul(x).mul(2)), [a])).toBe(true);
  });

  test("finds a wrong factor, and says where", () => {
    const wrong = (x: Tensor) => squareWith(x, (g, x) => g.mul(x).mul(2.01));
    expect(() => gradcheck(wrong, [input(1, 2)])).toThrow(AutogradError);
    expect(() => gradcheck((y, x) => y.add(wrong(x)), [input(1, 2), input(0, 2)])).toThrow(
      /^gradcheck: got 4\.02 for the derivative of element 1 of output 0 by element 1 of input 1 \(shape \[2\]\); expected 3\.99\d+|4\.00\d+ from finite differences\. Mend the backward rule, or stay away from kinks and ties\.$/,
    );
  });

  test("finds a gradient that is missing for one input, or goes to the wrong element", () => {
    const [a, b] = [input(1, 2), input(3, 4)];
    expect(() => gradcheck((a, b) => a.mul(b.detach()), [a, b])).toThrow(AutogradError);
    expect(() => gradcheck((a) => squareWith(a, (g, x) => g.mul(x).mul(2).flip([0])), [a])).toThrow(AutogradError);
  });

  test("finds an op that was not recorded at all", () => {
    expect(() => gradcheck((x) => x.detach().square(), [input(1, 2)])).toThrow(
      "gradcheck: got a function of which no output requires grad; expected at least one that does. " +
        "Compute it with recorded operations, outside noGrad and without detach.",
    );
    expect(() => noGrad(() => gradcheck((x) => x.square(), [input(1, 2)]))).toThrow(AutogradError);
  });

  test("looks at every output, and passes by those of whole numbers", () => {
    const fn = (x: Tensor) => [x.mul(3), x.argmax(), squareWith(x, (g) => g)];
    expect(() => gradcheck(fn, [input(1, 2)])).toThrow("of output 2 by element 0 of input 0");
    expect(gradcheck((x) => [x.argmax(), x.mul(3)], [input(1, 2)])).toBe(true);
  });

  test("gives tolerances and step to the user", () => {
    const wrong = (x: Tensor) => squareWith(x, (g, x) => g.mul(x).mul(2.01));
    expect(gradcheck(wrong, [input(1, 2)], { rtol: 0.1 })).toBe(true);
    expect(gradcheck(wrong, [input(1, 2)], { rtol: 0, atol: 0.1 })).toBe(true);
    expect(() => gradcheck((x) => x.square(), [input(1)], { rtol: 0, atol: 1e-12, eps: 1e-2 })).not.toThrow();
    expect(() => gradcheck((x) => x.pow(3), [input(1)], { rtol: 0, atol: 1e-6, eps: 1e-2 })).toThrow(AutogradError);
  });

  test("leaves its inputs as they were, also where it fails", () => {
    const x = input(0.1, 0.2, 0.7);
    gradcheck((x) => x.exp(), [x]);
    expect(() => gradcheck((x) => squareWith(x, (g) => g), [x])).toThrow();
    let calls = 0;
    const fails = (x: Tensor) => (++calls > 2 ? x.view([7]) : x.exp());
    expect(() => gradcheck(fails, [x])).toThrow(ShapeError);
    expect(x.toArraySync()).toEqual([0.1, 0.2, 0.7]);
    expect(x.grad).toBeNull();
  });

  test("refuses inputs that it cannot check", () => {
    expect(() => gradcheck((x) => x, [tensor([1], { dtype: "float64" })])).toThrow(
      "gradcheck: got no input that requires grad; expected at least one. Pass { requiresGrad: true } when making it.",
    );
    expect(() => gradcheck((x) => x.exp(), [tensor([1], { requiresGrad: true })])).toThrow(
      "gradcheck: got an input of float32 made by tensor; expected dense float64 leaves, since finite differences drown in float32's rounding. " +
        'Make it with { dtype: "float64", requiresGrad: true }, and derive other layouts inside the function.',
    );
    expect(() => gradcheck((x) => x.exp(), [input(1).mul(2)])).toThrow(ArgumentError);
    const plain = tensor([2], { dtype: "float32" });
    expect(gradcheck((x, y) => x.mul(y), [input(1), plain])).toBe(true); // asks for no gradient
  });
});

describe("gradgradcheck", () => {
  test("accepts right second derivatives, also where they are 0", () => {
    expect(gradgradcheck((a, b) => a.mul(b).exp(), [input(0.5, -1), input(1.5, 0.3)])).toBe(true);
    expect(gradgradcheck((a) => a.mul(3), [input(0.5, -1)])).toBe(true);
    expect(gradgradcheck((a) => [a.argmax(), a.pow(3)], [input(0.5, -1)])).toBe(true);
  });

  test("finds a gradient that is right and not differentiable", () => {
    const fn = (x: Tensor) => squareWith(x, (g, x) => g.mul(x.detach()).mul(2));
    expect(gradcheck(fn, [input(1, 2)])).toBe(true);
    expect(() => gradgradcheck(fn, [input(1, 2)])).toThrow(AutogradError);
  });

  test("finds a gradient that does not hand on the output's gradient", () => {
    const fn = (x: Tensor) => squareWith(x, (g, x) => g.detach().mul(x).mul(2));
    expect(gradcheck(fn, [input(1, 2)])).toBe(true);
    expect(() => gradgradcheck(fn, [input(1, 2)])).toThrow(AutogradError);
  });

  test("refuses what gradcheck refuses, in its own name", () => {
    expect(() => gradgradcheck((x) => x, [tensor([1])])).toThrow("gradgradcheck: got no input that requires grad");
    expect(() => gradgradcheck((x) => x.detach(), [input(1)])).toThrow(AutogradError);
  });
});
