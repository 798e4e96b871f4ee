/**
 * ReLU, by itself and in the kernels of its neighbours, which saves passes over memory: who will overwrite an op's output by its
 * ReLU asks for that ahead, and the op's kernel stores max(y, 0) at once. On the way back the op behind it works out a gradient
 * that is 0 already where the output was not positive. The tape has all of these ops all the same.
 *
 * @module
 */
import { type GradNode, isGradEnabled, record } from "../autograd.js";
import type { Storage } from "../memory.js";
import type { Tensor } from "../tensor.js";
import { fusedGrad } from "./activationSpec.js";
import { applyUnary, changeUnary, type UnarySpec } from "./elementwise.js";

const reluSpec: UnarySpec = { name: "relu", op: "relu", wholeNumbers: true, saves: "output", grad: reluGrad };

/** The ReLUs on the tape. */
const rectifiers = new WeakSet<GradNode>();

/** Gradients, by their memory, that are 0 already wherever this output of a ReLU is. */
const gated = new WeakMap<Storage, { readonly version: number; readonly output: Storage }>();

export function applyRelu(x: Tensor): Tensor {
  const y = applyUnary(reluSpec, x);
  if (y.node !== null) rectifiers.add(y.node);
  return y;
}

/** In place. With `isDone` x holds its ReLU already, and it is only put on the tape. */
export function changeRelu(x: Tensor, isDone = false): Tensor {
  const { node } = x;
  changeUnary(reluSpec, x, isDone);
  if (x.node !== null && x.node !== node) rectifiers.add(x.node);
  return x;
}

function reluGrad(g: Tensor, y: Tensor): Tensor {
  const out = !isGradEnabled() && isGated(g, y) ? g.alias() : fusedGrad("reluGrad", g, y, true);
  return record("reluGrad", out, [g], [y], (gg, y) => [() => reluGrad(gg, y)]);
}

/**
 * The tensor itself where it is what a ReLU gave, for a kernel that works out its gradient: as the gate, behind which nothing
 * is left for the ReLU to do. That goes with {@link noteGated}.
 */
export function gateOf(x: Tensor, unseen: boolean): Tensor | null {
  return unseen && x.node !== null && rectifiers.has(x.node) ? x : null;
}

/** Notes that a gradient came through the gate. */
export function noteGated(g: Tensor, gate: Tensor | null): void {
  if (gate !== null) gated.set(g.storage, { version: g.storage.version, output: gate.storage });
}

/** Whether nothing was added to the gradient since it came through this gate. It is asked once. */
function isGated({ storage }: Tensor, y: Tensor): boolean {
  const note = gated.get(storage);
  gated.delete(storage);
  return note !== undefined && note.version === storage.version && note.output === y.storage;
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
