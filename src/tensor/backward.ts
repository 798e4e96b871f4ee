/** The walk back over the tape. */
import { ArgumentError, AutogradError, ShapeError } from "../errors.js";
import { checkGiven, checkPropagated, isAnomalyEnabled } from "./anomaly.js";
import { withCasting } from "./autocast.js";
import {
  checkView,
  consumedError,
  type Edge,
  type GradNode,
  type GradThunk,
  JointNode,
  PortNode,
  resetForwardCount,
  withGradMode,
} from "./autograd.js";
import { checkFloating } from "./dtype.js";
import { leavesOf, nodesBehind, nodesBetween, type Place, placeOf } from "./graph.js";
import { runScope, SpentGroup } from "./memory.js";
import { add, add_ } from "./ops/arithmetic.js";
import { to } from "./ops/cast.js";
import { clone, viewLike, zerosFor } from "./ops/layout.js";
import { endWalk } from "./saved.js";
import { formatShape, sameShape } from "./shape.js";
import { commonKernels, Tensor } from "./tensor.js";

/** Settings of {@link backward}. */
export interface BackwardOptions {
  /** Whether the graph stays whole for another pass. Default: `createGraph`. */
  readonly retainGraph?: boolean;
  /** Whether the pass itself is recorded, so that gradients have gradients. Default false. */
  readonly createGraph?: boolean;
}

/** Settings of {@link grad}. */
export interface GradOptions extends BackwardOptions {
  /** Gradients of the outputs, one each; ones for a scalar by default. */
  readonly gradOutputs?: Tensor | readonly (Tensor | null)[] | null;
  /** Whether an input that the outputs do not depend on gets null instead of an error. Default false. */
  readonly allowUnused?: boolean;
}

/**
 * Works out the gradient of `output` for every leaf that it was made from, and adds it to their `.grad`. Consumes the
 * graph: its intermediates stay readable until the next `zeroGrad()` or `backward()` that touches one of the same leaves.
 *
 * @param gradient gradient of the output itself, in its shape; may be left out for a scalar, where it is 1
 * @throws AutogradError where nothing was recorded, or the graph was consumed before.
 * @throws ShapeError where `gradient` is missing or misshapen.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.backward.html
 */
export function backward(output: Tensor, gradient?: Tensor | null, options: BackwardOptions = {}): void {
  const root = checkedRoot("backward", output, gradient ?? null);
  walkBack([root], null, options);
}

/**
 * The gradients of `outputs` for `inputs`, in the shapes of the inputs. No `.grad` is touched. An output that comes
 * twice counts twice.
 *
 * @throws AutogradError where an input takes no part in the outputs, unless `allowUnused`.
 * @throws ArgumentError where there are no outputs, no inputs, or not as many `gradOutputs` as outputs.
 * @see https://pytorch.org/docs/stable/generated/torch.autograd.grad.html
 */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: GradOptions = {},
): (Tensor | null)[] {
  const tops = outputs instanceof Tensor ? [outputs] : outputs;
  const targets = inputs instanceof Tensor ? [inputs] : inputs;
  const given = options.gradOutputs instanceof Tensor ? [options.gradOutputs] : (options.gradOutputs ?? []);
  if (tops.length === 0 || targets.length === 0) {
    throw new ArgumentError(
      `grad: got ${tops.length} outputs and ${targets.length} inputs; expected at least one of each. Name what to differentiate, and by what.`,
    );
  }
  if (given.length > 0 && given.length !== tops.length) {
    throw new ArgumentError(
      `grad: got ${given.length} gradOutputs for ${tops.length} outputs; expected one for each. Pass null for a scalar whose gradient is 1.`,
    );
  }
  const roots = tops.map((output, index) => checkedRoot("grad", output, given[index] ?? null));
  for (const target of targets) {
    commonKernels("grad", target);
    checkRecorded("grad", target);
  }
  const found = walkBack(roots, targets, options);
  return targets.map((target) => found.get(placeOf(target)) ?? null);
}

/** Where a walk begins. */
interface Root {
  readonly output: Tensor;
  /** Null for a scalar whose gradient is 1. */
  readonly gradient: Tensor | null;
}

function walkBack(roots: readonly Root[], targets: readonly Tensor[] | null, options: GradOptions): Map<Place, Tensor> {
  const createGraph = options.createGraph === true;
  const retainGraph = options.retainGraph ?? createGraph;
  const goals = new Set<Place>(targets?.map(placeOf));
  const places = roots.map(({ output }) => placeOf(output));
  const nodes = targets === null ? nodesBehind(places) : nodesBetween(places, goals);
  for (const node of nodes) if (node.isConsumed) throw consumedError(node);
  const leaves = leavesOf(nodes);
  const active = new Set<Place>(nodes);
  const pending = new Map<Place, Tensor>();
  const found = new Map<Place, Tensor>();
  const checkUnused = (isMissing: (place: Place) => boolean): void => {
    if (options.allowUnused === true) return;
    for (const target of targets ?? []) if (isMissing(placeOf(target))) throw unusedError(target);
  };
  if (targets !== null) {
    const reached = new Set<Edge>(places);
    for (const node of nodes) for (const edge of node.edges) reached.add(edge);
    checkUnused((place) => !reached.has(place));
  }

  // What an op leaves behind on its way is nobody's: only gradients under way and results survive a step.
  let survivors: Tensor[] = [];
  const run = (work: () => void): void => {
    survivors = [];
    runScope(
      work,
      () => survivors,
      (handle) => handle.discard(),
    );
  };
  const deliver = (place: Place, g: Tensor): void => {
    const before = pending.get(place);
    const total = before === undefined ? passOn(g) : add(before, g);
    pending.set(place, total);
    survivors.push(total);
    before?.dispose();
  };
  const find = (place: Place, g: Tensor): void => {
    const result = g.alias();
    found.set(place, result);
    survivors.push(result);
  };
  const begin = (): void => {
    for (const { output, gradient } of roots) {
      if (gradient !== null) checkGiven("backward", gradient);
      deliver(placeOf(output), gradient === null ? one(output) : to(gradient, output.dtype));
    }
    // Only now: a gradient that was passed in may be spent itself.
    for (const leaf of leaves) releaseSpent(leaf, "at the backward pass after the one that consumed it");
    resetForwardCount();
  };
  const hooked = (place: Place, before: Tensor): Tensor => {
    const { gradHooks } = place;
    if (gradHooks === null) return before;
    const after = gradHooks.run(before);
    const g = after === before ? before : passOn(after);
    if (g !== before) {
      checkGiven("registerHook", g);
      pending.set(place, g);
      survivors.push(g);
      before.dispose();
    }
    for (const retainer of gradHooks.retainers) accumulate(retainer, g, createGraph);
    return g;
  };
  const spread = (node: GradNode, thunks: readonly GradThunk[]): void => {
    const wanted = node.edges.map((edge) => edge !== null && (targets === null || active.has(edge) || goals.has(edge)));
    node.edges.forEach((edge, index) => {
      const thunk = thunks[index] ?? null;
      if (edge === null || !wanted[index] || thunk === null) return;
      const unseen = !(edge instanceof Tensor) && edge.gradHooks === null && !goals.has(edge) && !createGraph;
      const g = thunk(unseen && !isAnomalyEnabled(), wanted);
      checkPropagated(node, index, g);
      deliver(edge, g);
    });
  };
  const step = (node: GradNode): void => {
    if (node instanceof JointNode) {
      stepJoint(node);
      return;
    }
    const before = pending.get(node);
    if (before === undefined) return;
    const g = hooked(node, before);
    if (goals.has(node)) find(node, g);
    // What arrives at a port stays until the op that all of its outputs lead to has it, too.
    if (node instanceof PortNode) return;
    spread(node, node.gradThunks(g));
    pending.delete(node);
    g.dispose();
  };
  const stepJoint = (node: JointNode): void => {
    const arrived = node.ports.map((port) => pending.get(port) ?? null);
    if (arrived.some((g) => g !== null)) spread(node, node.jointThunks(arrived));
    for (const port of node.ports) pending.delete(port);
    for (const g of arrived) g?.dispose();
  };
  const settle = (): void => {
    for (const [place, before] of pending) {
      const isFrozen = place instanceof Tensor && !place.requiresGrad;
      const g = isFrozen ? before : hooked(place, before);
      if (goals.has(place)) find(place, g);
      else if (targets === null && place instanceof Tensor && place.requiresGrad) accumulate(place, g, createGraph);
      g.dispose();
    }
    pending.clear();
    checkUnused((place) => !found.has(place));
  };
  try {
    const walk = (): void => {
      run(begin);
      for (const node of nodes) {
        run(() => step(node));
        if (!retainGraph) node.consume();
      }
      run(settle);
    };
    withCasting(false, () => withGradMode(createGraph, walk));
  } catch (error) {
    for (const g of [...pending.values(), ...found.values()]) g.dispose();
    throw error;
  } finally {
    endWalk();
  }
  if (!retainGraph) {
    // Outputs beside the one that the walk came from have lost their history, too.
    const group = new SpentGroup([...nodes, ...nodes.flatMap(portsOf)].map((node) => node.output));
    for (const leaf of leaves) leaf.spent = group;
  }
  return found;
}

function portsOf(node: GradNode): readonly GradNode[] {
  return node instanceof JointNode ? node.ports : [];
}

/** A handle of the walk's own, which it may let go of. A leaf is passed on as a view, so that gradients still reach it. */
function passOn(g: Tensor): Tensor {
  return g.isLeaf && g.requiresGrad ? viewLike(g) : g.alias();
}

/** Forgets the gradients of leaves, and gives back what the backward passes that made them left behind. */
export function zeroGrad(leaves: Iterable<Tensor>): void {
  for (const leaf of leaves) {
    leaf.clearGrad("by zeroGrad()");
    releaseSpent(leaf, "by zeroGrad()");
  }
}

/** Gives back the intermediates of the last backward pass that reached this leaf. */
export function releaseSpent(leaf: Tensor, when: string): void {
  leaf.spent?.giveBack(when);
  leaf.spent = null;
}

/** Adds to a leaf's `.grad`. Its gradient never shares storage with anything else. */
function accumulate(leaf: Tensor, g: Tensor, createGraph: boolean): void {
  if (leaf.grad === null) {
    const alone = g.storage.shareCount === 1 && g.isContiguous() && g.storage.length === g.numel();
    leaf.grad = alone && !createGraph ? g.alias() : clone(g);
  } else if (createGraph) {
    leaf.grad = add(leaf.grad, g);
  } else {
    add_(leaf.grad, g);
  }
}

/** Checks what a walk is to begin with, before any memory is touched. */
function checkedRoot(where: string, output: Tensor, gradient: Tensor | null): Root {
  commonKernels(where, output);
  checkFloating(where, output.dtype);
  checkRecorded(where, output);
  if (gradient === null) {
    if (output.numel() === 1) return { output, gradient };
    throw new ShapeError(
      `${where}: got an output of shape ${formatShape(output.shape)} without a gradient for it; expected a scalar, or a gradient of that shape. ` +
        `Reduce the output with .sum() or .mean(), or pass the gradient.`,
    );
  }
  if (!(gradient instanceof Tensor)) {
    throw new ArgumentError(
      `${where}: got ${typeof gradient === "object" ? "an object" : String(gradient)} as the output's gradient; expected a tensor or null. ` +
        `Options come after it: backward(null, { retainGraph: true }).`,
    );
  }
  commonKernels(where, output, gradient);
  if (!sameShape(gradient.shape, output.shape)) {
    throw new ShapeError(
      `${where}: got an output gradient of shape ${formatShape(gradient.shape)}; expected the output's shape ${formatShape(output.shape)}. Reshape it.`,
    );
  }
  return { output, gradient };
}

function checkRecorded(where: string, tensor: Tensor): void {
  if (!tensor.requiresGrad) {
    throw new AutogradError(
      `${where}: got a tensor of shape ${formatShape(tensor.shape)} made by ${tensor.madeBy} that requires no grad and has no history; ` +
        `expected one made from a tensor with requiresGrad. Set { requiresGrad: true } on what you differentiate by, and compute outside noGrad.`,
    );
  }
  checkView(where, tensor);
}

function unusedError(target: Tensor): AutogradError {
  return new AutogradError(
    `grad: got an input of shape ${formatShape(target.shape)} that the outputs were not made from; expected inputs that take part in them. ` +
      `Leave it out, or pass { allowUnused: true } to get null for it.`,
  );
}

/** The gradient of a scalar output by itself. */
function one(output: Tensor): Tensor {
  const result = zerosFor(output, output.shape, "backward");
  result.kernels.fill(result, 1);
  return result;
}
