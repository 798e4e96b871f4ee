/** The walk back over the tape. */
import { AutogradError, ShapeError } from "../errors.js";
import { consumedError, GradNode, resetForwardCount, withGradMode } from "./autograd.js";
import { checkFloating } from "./dtype.js";
import { runScope, SpentGroup } from "./memory.js";
import { add, add_ } from "./ops/arithmetic.js";
import { clone, viewLike, zerosFor } from "./ops/layout.js";
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
  commonKernels("backward", output);
  const seed = seedFor("backward", output, gradient ?? null);
  checkRecorded("backward", output);
  walkBack(new Map([[output, seed]]), null, options);
  if (seed !== gradient) seed.dispose();
}

/**
 * The gradients of `outputs` for `inputs`, in the shapes of the inputs. No `.grad` is touched.
 *
 * @throws AutogradError where an input takes no part in the outputs, unless `allowUnused`.
 * @see https://pytorch.org/docs/stable/generated/torch.autograd.grad.html
 */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: GradOptions = {},
): (Tensor | null)[] {
  const roots = outputs instanceof Tensor ? [outputs] : outputs;
  const targets = inputs instanceof Tensor ? [inputs] : inputs;
  const seeds = options.gradOutputs instanceof Tensor ? [options.gradOutputs] : (options.gradOutputs ?? []);
  commonKernels("grad", ...roots, ...targets);
  const start = new Map<Tensor, Tensor>();
  roots.forEach((root, index) => {
    checkRecorded("grad", root);
    start.set(root, seedFor("grad", root, seeds[index] ?? null));
  });
  for (const target of targets) checkRecorded("grad", target);
  const found = walkBack(start, targets, options);
  return targets.map((target) => {
    const result = found.get(placeOf(target)) ?? null;
    if (result === null && options.allowUnused !== true) {
      throw new AutogradError(
        `grad: got an input of shape ${formatShape(target.shape)} that the outputs were not made from; expected inputs that take part in them. ` +
          `Leave it out, or pass { allowUnused: true } to get null for it.`,
      );
    }
    return result;
  });
}

type Place = GradNode | Tensor;

function walkBack(
  start: Map<Tensor, Tensor>,
  targets: readonly Tensor[] | null,
  options: BackwardOptions,
): Map<Place, Tensor> {
  const createGraph = options.createGraph === true;
  const retainGraph = options.retainGraph ?? createGraph;
  const goals = new Set<Place>(targets?.map(placeOf));
  const nodes = activeNodes(
    [...start.keys()].flatMap((root) => root.node ?? []),
    targets === null ? null : goals,
  );
  for (const node of nodes) if (node.isConsumed) throw consumedError(node);
  const leaves = leavesOf(nodes);
  for (const leaf of leaves) releaseSpent(leaf, "at the backward pass after the one that consumed it");
  resetForwardCount();

  const active = new Set<Place>(nodes);
  const pending = new Map<Place, Tensor>();
  const found = new Map<Place, Tensor>();
  const deliver = (place: Place, g: Tensor): void => {
    const before = pending.get(place);
    pending.set(place, before === undefined ? passOn(g) : add(before, g));
  };
  const step = (node: GradNode): void => {
    const g = pending.get(node);
    if (g === undefined) return;
    pending.delete(node);
    if (goals.has(node)) found.set(node, g.alias());
    const thunks = node.gradThunks(g);
    node.edges.forEach((edge, index) => {
      const wanted = edge !== null && (targets === null || active.has(edge) || goals.has(edge));
      const thunk = thunks[index] ?? null;
      if (wanted && thunk !== null) deliver(edge, thunk());
    });
    g.dispose();
  };
  const settle = (): void => {
    for (const [place, g] of pending) {
      if (goals.has(place)) found.set(place, g.alias());
      else if (targets === null && place instanceof Tensor) accumulate(place, g, createGraph);
      g.dispose();
    }
    pending.clear();
  };
  // What an op leaves behind on its way is nobody's: only gradients under way and results survive a step.
  const run = (work: () => void): void => {
    runScope(
      work,
      () => [...pending.values(), ...found.values()],
      (handle) => handle.discard(),
    );
  };

  withGradMode(createGraph, () => {
    run(() => {
      for (const [root, seed] of start) deliver(placeOf(root), seed);
    });
    for (const node of nodes) {
      run(() => step(node));
      if (!retainGraph) node.consume();
    }
    run(settle);
  });
  if (!retainGraph) {
    const group = new SpentGroup(nodes.map((node) => node.output));
    for (const leaf of leaves) leaf.spent = group;
  }
  return found;
}

/** A handle of the walk's own, which it may let go of. A leaf is passed on as a view, so that gradients still reach it. */
function passOn(g: Tensor): Tensor {
  return g.isLeaf && g.requiresGrad ? viewLike(g) : g.alias();
}

function placeOf(tensor: Tensor): Place {
  return tensor.node ?? tensor;
}

/**
 * All nodes behind the given ones (with goals: those that lie on a way to one), newest first: an order in which every
 * node comes after all that used its output.
 */
function activeNodes(roots: readonly GradNode[], goals: ReadonlySet<Place> | null): GradNode[] {
  const seen = new Set<GradNode>(roots);
  const stack = [...seen];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    for (const edge of node.edges) {
      if (edge instanceof GradNode && !seen.has(edge)) {
        seen.add(edge);
        stack.push(edge);
      }
    }
  }
  const oldestFirst = [...seen].sort((a, b) => a.id - b.id);
  if (goals === null) return oldestFirst.reverse();
  const leading = new Set<Place>();
  for (const node of oldestFirst) {
    if (node.edges.some((edge) => edge !== null && (goals.has(edge) || leading.has(edge)))) leading.add(node);
  }
  return oldestFirst.filter((node) => leading.has(node)).reverse();
}

function leavesOf(nodes: readonly GradNode[]): Set<Tensor> {
  const leaves = new Set<Tensor>();
  for (const node of nodes) {
    for (const edge of node.edges) if (edge instanceof Tensor) leaves.add(edge);
  }
  return leaves;
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

function checkRecorded(where: string, tensor: Tensor): void {
  if (!tensor.requiresGrad) {
    throw new AutogradError(
      `${where}: got a tensor of shape ${formatShape(tensor.shape)} made by ${tensor.madeBy} that requires no grad and has no history; ` +
        `expected one made from a tensor with requiresGrad. Set { requiresGrad: true } on what you differentiate by, and compute outside noGrad.`,
    );
  }
}

function seedFor(where: string, output: Tensor, gradient: Tensor | null): Tensor {
  checkFloating(where, output.dtype);
  if (gradient !== null) {
    if (!sameShape(gradient.shape, output.shape)) {
      throw new ShapeError(
        `${where}: got an output gradient of shape ${formatShape(gradient.shape)}; expected the output's shape ${formatShape(output.shape)}. Reshape it.`,
      );
    }
    return gradient;
  }
  if (output.numel() !== 1) {
    throw new ShapeError(
      `${where}: got an output of shape ${formatShape(output.shape)} without a gradient for it; expected a scalar, or a gradient of that shape. ` +
        `Reduce the output with .sum() or .mean(), or pass the gradient.`,
    );
  }
  const one = zerosFor(output, output.shape, where);
  one.kernels.fill(one, 1);
  return one;
}
