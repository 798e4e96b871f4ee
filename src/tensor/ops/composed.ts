/** How an elementwise op that is made of other ops is run, and put on the tape as one. */
import { isFloating } from "../../kernels/dtype.js";
import { isGradEnabled, record, withGradMode } from "../autograd.js";
import { composite } from "../scopes.js";
import { commonKernels, Tensor } from "../tensor.js";
import { add, add_, mul, mul_ } from "./arithmetic.js";
import { to } from "./cast.js";
import { contiguous, viewOf } from "./layout.js";

/** Elements of a stretch, such that it and what is made of it on the way stay in a cache. */
const STRETCH = 2 ** 15;

/** An elementwise function with its derivative, both in ops. */
export interface ComposedSpec {
  readonly name: string;
  /** Runs without recording, so that in-place ops may spare memory; whatever it makes on its way is given back. */
  readonly forward: (x: Tensor) => Tensor;
  /** What the derivative is worked out from. */
  readonly saves: "input" | "output";
  /** The derivative times g; see {@link mulInto}. */
  readonly grad: (g: Tensor, saved: Tensor) => Tensor;
}

/** y = f(x). Whole numbers and bools become float32. */
export function applyComposed({ name, forward, saves, grad }: ComposedSpec, x: Tensor): Tensor {
  commonKernels(name, x);
  if (!isFloating(x.dtype)) return composite(() => forward(to(x, "float32")));
  const out = withGradMode(false, () => inStretches(name, [x], ([x]) => forward(x)));
  return record(name, out, [x], [saves === "input" ? x : out], (g, saved) => [
    () =>
      isGradEnabled()
        ? composite(() => grad(g, saved))
        : inStretches(`${name}Grad`, [g, saved], ([g, saved]) => grad(g, saved)),
  ]);
}

/** a·b, into `a` itself where nothing is recorded: for what a derivative made and holds alone. */
export function mulInto(a: Tensor, b: Tensor | number): Tensor {
  return isGradEnabled() ? mul(a, b) : mul_(a, b);
}

/** As {@link mulInto}, a + b. */
export function addInto(a: Tensor, b: Tensor | number): Tensor {
  return isGradEnabled() ? add(a, b) : add_(a, b);
}

/**
 * f of tensors of one shape, off the tape. On the CPU large ones go through it stretch by stretch: what f makes on its way
 * then never leaves the cache, which costs more than all of its arithmetic.
 */
function inStretches<const T extends readonly [Tensor, ...Tensor[]]>(
  name: string,
  inputs: T,
  f: (inputs: T) => Tensor,
): Tensor {
  const [first] = inputs;
  const count = first.numel();
  if (first.device !== "cpu" || count < 2 * STRETCH) return composite(() => f(inputs));
  return composite(() => {
    const dense = inputs.map(contiguous);
    const out = Tensor.allocate(first.shape, first.dtype, first.device, name);
    for (let start = 0; start < count; start += STRETCH) {
      const length = Math.min(STRETCH, count - start);
      const part = (of: Tensor): Tensor => viewOf(of, [length], [1], of.offset + start, name);
      const target = part(out);
      // The stretches are as many as the inputs, and in their order.
      const result = composite(() => f(dense.map(part) as readonly Tensor[] as T));
      first.kernels.copy(result, target);
      result.dispose();
      target.dispose();
    }
    return out;
  });
}
