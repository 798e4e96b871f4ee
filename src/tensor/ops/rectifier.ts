/**
 * ReLU, by itself and in the store of the op before it, which saves a pass over memory: who will overwrite an op's output by its
 * ReLU asks for that ahead, and the op's kernel stores max(y, 0) at once. The tape has both ops all the same.
 *
 * @module
 */
import { record } from "../autograd.js";
import type { Tensor } from "../tensor.js";
import { fusedGrad } from "./activationSpec.js";
import { changeUnary, type UnarySpec } from "./elementwise.js";

export const reluSpec: UnarySpec = { name: "relu", op: "relu", wholeNumbers: true, saves: "output", grad: reluGrad };

function reluGrad(g: Tensor, y: Tensor): Tensor {
  return record("reluGrad", fusedGrad("reluGrad", g, y, true), [g], [y], (gg, y) => [() => reluGrad(gg, y)]);
}

let isAsked = false;

/**
 * Runs `fn`, which makes a tensor whose values nobody will want but its ReLU, and tells whether they are those of its ReLU
 * already.
 */
export function withReluAhead(fn: () => Tensor): { output: Tensor; hasRelu: boolean } {
  isAsked = true;
  try {
    const output = fn();
    return { output, hasRelu: !isAsked };
  } finally {
    isAsked = false;
  }
}

/** Whether ReLU is asked for. Who asks applies it: nobody else is told so. */
export function takeRelu(): boolean {
  const taken = isAsked;
  isAsked = false;
  return taken;
}

/** `relu_` of a tensor that has it already: it is put on the tape. */
export function noteRelu(x: Tensor): Tensor {
  return changeUnary(reluSpec, x, true);
}
