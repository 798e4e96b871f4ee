/** Activation functions made of straight lines, elementwise. Where two meet, the gradient is PyTorch's. */
import { ArgumentError, ShapeError } from "../../errors.js";
import { checkFloating } from "../dtype.js";
import { composite } from "../scopes.js";
import { formatShape } from "../shape.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { activationSpec } from "./activationSpec.js";
import { add, mul } from "./arithmetic.js";
import { gt, le, lt } from "./compare.js";
import { applyUnary, changeUnary, type UnarySpec } from "./elementwise.js";
import { view } from "./layout.js";
import { checkOneDtype } from "./operands.js";
import { where } from "./where.js";

const hardswishSpec = activationSpec("hardswish", "hardswish", (g, x) =>
  where(le(x, -3), 0, where(lt(x, 3), mul(add(mul(x, 1 / 3), 0.5), g), g)),
);
const hardsigmoidSpec = activationSpec("hardsigmoid", "hardsigmoid", (g, x) =>
  where(gt(x, -3), where(lt(x, 3), mul(g, 1 / 6), 0), 0),
);

/**
 * x held within [minVal, maxVal]. Its gradient on the bounds is 0, as beyond them.
 *
 * @throws ArgumentError where minVal is above maxVal.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.hardtanh.html
 */
export function hardtanh(x: Tensor, minVal = -1, maxVal = 1): Tensor {
  return applyUnary(held("hardtanh", x, minVal, maxVal), x);
}

/** x = hardtanh(x), in place. @throws ArgumentError where minVal is above maxVal. */
export function hardtanh_(x: Tensor, minVal = -1, maxVal = 1): Tensor {
  return changeUnary(held("hardtanh", x, minVal, maxVal), x);
}

/** min(max(x, 0), 6). @see https://pytorch.org/docs/stable/generated/torch.nn.functional.relu6.html */
export function relu6(x: Tensor): Tensor {
  return applyUnary(held("relu6", x, 0, 6), x);
}

function held(name: string, x: Tensor, low: number, high: number): UnarySpec {
  if (!(low <= high)) {
    throw new ArgumentError(
      `hardtanh: got the bounds ${low} and ${high}; expected two numbers, the lower one first. Swap them.`,
    );
  }
  // The output lies between the bounds where the input does, and it is what the next layer keeps anyway.
  const grad = (g: Tensor, y: Tensor): Tensor => where(gt(y, low), where(lt(y, high), g, 0), 0);
  const wholeNumbers = Number.isInteger(low) && Number.isInteger(high);
  const settings = { alpha: low, beta: high, wholeNumbers, saves: "output" } as const;
  const spec = activationSpec(name, "hardtanh", grad, settings);
  return x.dtype === "int32" ? { ...spec, op: "clamp" } : spec;
}

/**
 * x·min(max(x + 3, 0), 6) / 6: a silu made of straight lines and a parabola.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.hardswish.html
 * @see A. Howard et al.: Searching for MobileNetV3, https://arxiv.org/abs/1905.02244
 */
export function hardswish(x: Tensor): Tensor {
  return applyUnary(hardswishSpec, x);
}

/**
 * min(max(x + 3, 0), 6) / 6: a sigmoid made of straight lines.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.hardsigmoid.html
 */
export function hardsigmoid(x: Tensor): Tensor {
  return applyUnary(hardsigmoidSpec, x);
}

/**
 * x where x > 0, else weight·x, with a weight that is learned: one for all, or one for each channel of x [N, C, …].
 *
 * @throws ShapeError where the weight is neither of one element nor [C].
 * @throws DTypeError for whole numbers, or where dtypes differ.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.prelu.html
 * @see K. He et al.: Delving Deep into Rectifiers, https://arxiv.org/abs/1502.01852
 */
export function prelu(x: Tensor, weight: Tensor): Tensor {
  commonKernels("prelu", x, weight);
  checkFloating("prelu", x.dtype);
  checkOneDtype("prelu", x, weight);
  const channels = x.ndim < 2 ? 1 : x.shape[1];
  if (weight.ndim > 1 || (weight.numel() !== 1 && weight.numel() !== channels)) {
    throw new ShapeError(
      `prelu: got a weight of shape ${formatShape(weight.shape)} for an input of shape ${formatShape(x.shape)}; ` +
        `expected [1]${x.ndim < 2 ? "" : ` or [${channels}], one for each channel`}. Correct the weight.`,
    );
  }
  return composite(() => {
    const slope =
      weight.numel() === 1 ? view(weight, []) : view(weight, [weight.numel(), ...x.shape.slice(2).map(() => 1)]);
    return where(gt(x, 0), x, mul(x, slope));
  });
}
