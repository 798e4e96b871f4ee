/** How an elementwise op that is made of other ops is run, and put on the tape as one. */
import { isFloating } from "../../kernels/dtype.js";
import { record, withGradMode } from "../autograd.js";
import { composite } from "../scopes.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { to } from "./cast.js";

/** An elementwise function with its derivative, both in ops. */
export interface ComposedSpec {
  readonly name: string;
  /** Runs without recording, so that in-place ops may spare memory; whatever it makes on its way is given back. */
  readonly forward: (x: Tensor) => Tensor;
  /** What the derivative is worked out from. */
  readonly saves: "input" | "output";
  readonly grad: (g: Tensor, saved: Tensor) => Tensor;
}

/** y = f(x). Whole numbers and bools become float32. */
export function applyComposed({ name, forward, saves, grad }: ComposedSpec, x: Tensor): Tensor {
  commonKernels(name, x);
  if (!isFloating(x.dtype)) return composite(() => forward(to(x, "float32")));
  const out = withGradMode(false, () => composite(() => forward(x)));
  return record(name, out, [x], [saves === "input" ? x : out], (g, saved) => [() => composite(() => grad(g, saved))]);
}
