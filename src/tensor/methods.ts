/** Makes every op a method: `relu(x)` is `x.relu()` too. Importing this file is what attaches them. */
import { backward } from "./backward.js";
import { registerHook, retainGrad } from "./gradHooks.js";
import type { ReduceOptions } from "./ops/broadcast.js";
import type { ValuesAndIndices } from "./ops/extremes.js";
import * as ops from "./ops/index.js";
import { Tensor } from "./tensor.js";

const tape = { backward, registerHook, retainGrad };
const functions = { ...ops, ...tape };

/** The functions of `F` that take a tensor first, as methods. */
type Methods<F> = {
  [Name in keyof F]: F[Name] extends (self: Tensor, ...rest: infer Rest) => infer Result
    ? (...rest: Rest) => Result
    : never;
};

declare module "./tensor.js" {
  interface Tensor extends Methods<typeof ops>, Methods<typeof tape> {
    // Of overloads the mapping sees the last one alone.
    /** See {@link ops.max}: the greatest element, or with an axis the greatest along it and their places. */
    max(): Tensor;
    max(dim: number, options?: ReduceOptions): ValuesAndIndices;
    /** See {@link ops.min}: the smallest element, or with an axis the smallest along it and their places. */
    min(): Tensor;
    min(dim: number, options?: ReduceOptions): ValuesAndIndices;
  }
}

for (const [name, op] of Object.entries(functions)) {
  Object.defineProperty(Tensor.prototype, name, {
    configurable: true,
    writable: true,
    value(this: Tensor, ...rest: unknown[]): unknown {
      return Reflect.apply(op, undefined, [this, ...rest]);
    },
  });
}
