/** Activation functions, elementwise. Forms with a trailing underscore work in place. */
import { record } from "../autograd.js";
import { composite } from "../scopes.js";
import type { Tensor } from "../tensor.js";
import { activationSpec, fusedGrad } from "./activationSpec.js";
import { add, mul } from "./arithmetic.js";
import { gt } from "./compare.js";
import { applyUnary, changeUnary, type UnarySpec } from "./elementwise.js";
import { applyRelu, changeRelu } from "./rectifier.js";
import { where } from "./where.js";

const tanhSpec: UnarySpec = { name: "tanh", op: "tanh", wholeNumbers: false, saves: "output", grad: tanhGrad };
const sigmoidSpec: UnarySpec = {
  name: "sigmoid",
  op: "sigmoid",
  wholeNumbers: false,
  saves: "output",
  grad: sigmoidGrad,
};

function leakyReluSpec(negativeSlope: number): UnarySpec {
  const grad = (g: Tensor, x: Tensor): Tensor => where(gt(x, 0), g, mul(g, negativeSlope));
  return activationSpec("leakyRelu", "leakyRelu", grad, { alpha: negativeSlope });
}

/** The hyperbolic tangent. @see https://pytorch.org/docs/stable/generated/torch.tanh.html */
export function tanh(x: Tensor): Tensor {
  return applyUnary(tanhSpec, x);
}

/** x = tanh x, in place. */
export function tanh_(x: Tensor): Tensor {
  return changeUnary(tanhSpec, x);
}

/** 1 / (1 + e⁻ˣ). @see https://pytorch.org/docs/stable/generated/torch.sigmoid.html */
export function sigmoid(x: Tensor): Tensor {
  return applyUnary(sigmoidSpec, x);
}

/** x = sigmoid(x), in place. */
export function sigmoid_(x: Tensor): Tensor {
  return changeUnary(sigmoidSpec, x);
}

/** max(x, 0). Its gradient at 0 is 0. @see https://pytorch.org/docs/stable/generated/torch.nn.functional.relu.html */
export function relu(x: Tensor): Tensor {
  return applyRelu(x);
}

/** x = max(x, 0), in place. */
export function relu_(x: Tensor): Tensor {
  return changeRelu(x);
}

/**
 * x where x > 0, else negativeSlope·x.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.leaky_relu.html
 */
export function leakyRelu(x: Tensor, negativeSlope = 0.01): Tensor {
  return applyUnary(leakyReluSpec(negativeSlope), x);
}

/** x = leakyRelu(x), in place. */
export function leakyRelu_(x: Tensor, negativeSlope = 0.01): Tensor {
  return changeUnary(leakyReluSpec(negativeSlope), x);
}

/** `spend` says that the rule which calls needs `g` for nothing else. */
function tanhGrad(g: Tensor, y: Tensor, spend = true): Tensor {
  return record("tanhGrad", fusedGrad("tanhGrad", g, y, spend), [g, y], [g, y], (gg, g, y) => [
    () => tanhGrad(gg, y, false),
    () => composite(() => mul(mul(mul(gg, g), y), -2)),
  ]);
}

function sigmoidGrad(g: Tensor, y: Tensor, spend = true): Tensor {
  return record("sigmoidGrad", fusedGrad("sigmoidGrad", g, y, spend), [g, y], [g, y], (gg, g, y) => [
    () => sigmoidGrad(gg, y, false),
    () => composite(() => mul(mul(gg, g), add(mul(y, -2), 1))),
  ]);
}
