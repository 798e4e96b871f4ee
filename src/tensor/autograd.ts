/**
 * The tape: which op made which tensor, from what, and how its gradient runs back. Ops call {@link record}; the walk
 * back is in backward.ts.
 *
 * @module
 */
import { AutogradError } from "../errors.js";
import { GradHooks } from "./gradHooks.js";
import { opWatch } from "./opWatch.js";
import { type Saved, save } from "./saved.js";
import { formatShape } from "./shape.js";
import type { Tensor } from "./tensor.js";
import { type Trace, traceHere } from "./trace.js";

let gradEnabled = true;

/** Whether operations are being recorded. */
export function isGradEnabled(): boolean {
  return gradEnabled;
}

/** Runs `fn` with recording switched on or off, and switches back whatever happens. */
export function withGradMode<T>(enabled: boolean, fn: () => T): T {
  const before = gradEnabled;
  gradEnabled = enabled;
  try {
    return fn();
  } finally {
    gradEnabled = before;
  }
}

/**
 * The gradient for one input of an op, worked out only when that input wants one; null where there is none. `unseen` says that
 * nobody but the op which made the input will see it, so that it may be worked out up to what that op will make of it; `wanted` says
 * of each input whether it wants its gradient, for those that are worked out together.
 */
export type GradThunk = ((unseen: boolean, wanted: readonly boolean[]) => Tensor) | null;

/** From the output's gradient and the saved tensors, a thunk for each input. It calls ops, so that it can be differentiated again. */
export type BackwardRule<S extends readonly Tensor[]> = (outGrad: Tensor, ...saved: S) => readonly GradThunk[];

/** Where a gradient flows next: the op that made the input, the leaf itself, or nowhere. */
export type Edge = GradNode | Tensor | null;

let nextId = 0;

/** How many ops were recorded so far, which is the id of the next one. */
export function recordedCount(): number {
  return nextId;
}

/** One recorded op. Its inputs always have smaller ids, so that descending ids are an order for the walk back. */
export class GradNode {
  readonly id = nextId++;
  /** What is done with the gradient of the output before it goes on. */
  gradHooks: GradHooks | null = null;
  /** Where the forward pass ran, if that was noted. */
  readonly trace: Trace | null;
  protected inputEdges: readonly Edge[];
  protected saved: readonly Saved[] | null;

  /** Puts itself behind `output`, which may be among `saved`. */
  constructor(
    /** The op's name. */
    readonly name: string,
    /** The handle that the op gave out. */
    readonly output: Tensor,
    inputs: readonly Tensor[],
    saved: readonly Tensor[],
    private rule: BackwardRule<readonly Tensor[]> | null,
  ) {
    this.trace = traceHere(name);
    this.inputEdges = inputs.map((input) => (input.requiresGrad ? (input.node ?? input) : null));
    // Hooks stay with the values that an in-place op replaces; `.grad` is that of what the handle has now.
    if (output.node?.gradHooks?.retainers.delete(output) === true) {
      this.gradHooks = new GradHooks();
      this.gradHooks.retainers.add(output);
    }
    output.node = this;
    this.saved = this.held(saved);
  }

  protected held(saved: readonly Tensor[]): Saved[] {
    return saved.map((tensor) => save(tensor, this.name));
  }

  get edges(): readonly Edge[] {
    return this.inputEdges;
  }

  /** Whether a backward pass went through and let go of what was saved. */
  get isConsumed(): boolean {
    return this.rule === null;
  }

  /** @throws AutogradError where the graph was consumed, or a saved tensor was changed in place. */
  gradThunks(outGrad: Tensor): readonly GradThunk[] {
    if (this.rule === null) throw consumedError(this);
    return this.rule(outGrad, ...this.unpacked());
  }

  protected unpacked(): Tensor[] {
    if (this.saved === null) throw consumedError(this);
    return this.saved.map((entry) => entry.unpack());
  }

  /** Lets go of all that was saved, and of the graph before. */
  consume(): void {
    for (const entry of this.saved ?? []) entry.release();
    this.saved = null;
    this.rule = null;
    this.inputEdges = [];
  }
}

/** One of several outputs of an op. What arrives here waits for what arrives at the others. */
export class PortNode extends GradNode {
  constructor(name: string, output: Tensor, joint: GradNode) {
    super(name, output, [], [], () => []);
    this.inputEdges = [joint];
  }
}

/** From the gradients of all outputs of an op, null where none arrived, a thunk for each input. */
export type JointRule = (outGrads: readonly (Tensor | null)[], ...saved: Tensor[]) => readonly GradThunk[];

/** An op with several outputs, whose gradients its rule wants together. It is older than its ports, and so comes after them. */
export class JointNode extends GradNode {
  readonly ports: readonly PortNode[];

  constructor(
    name: string,
    outputs: readonly [Tensor, ...Tensor[]],
    inputs: readonly Tensor[],
    saved: readonly Tensor[],
    private readonly jointRule: JointRule,
  ) {
    super(name, outputs[0], inputs, [], () => []);
    this.ports = outputs.map((output) => new PortNode(name, output, this));
    // Only now: an output that is saved shall lead to its port.
    this.saved = this.held(saved);
  }

  /** @throws AutogradError as {@link gradThunks}. */
  jointThunks(outGrads: readonly (Tensor | null)[]): readonly GradThunk[] {
    return this.jointRule(outGrads, ...this.unpacked());
  }
}

export function consumedError(node: GradNode): AutogradError {
  return new AutogradError(
    `backward: got a graph that a backward pass has already gone through (at ${node.name}); expected one that is still whole. ` +
      `Pass { retainGraph: true } to the first pass, or .detach() what you carry over.`,
  );
}

/** Whether an op on these inputs would be put on the tape now. */
export function isRecording(inputs: readonly Tensor[]): boolean {
  return gradEnabled && inputs.some((input) => input.requiresGrad);
}

/**
 * Puts an op on the tape, if recording is on and an input wants a gradient. Returns `output`.
 *
 * @param inputs the tensors that gradients may flow to, in the order of the rule's thunks
 * @param saved the tensors that the rule needs; their memory is held until the graph is consumed
 * @throws AutogradError where an input is a view of a tensor that a recorded in-place op has changed since
 */
export function record<const S extends readonly Tensor[]>(
  name: string,
  output: Tensor,
  inputs: readonly Tensor[],
  saved: S,
  rule: BackwardRule<S>,
): Tensor {
  opWatch.ended?.(name, output);
  if (startRecord(name, inputs)) {
    // The saved tensors come back in the order in which they went in, which the type of the rule cannot say.
    new GradNode(name, output, inputs, saved, rule as unknown as BackwardRule<readonly Tensor[]>);
  }
  return output;
}

/** {@link record} for an op with several outputs: they all lead to one rule. */
export function recordJoint(
  name: string,
  outputs: readonly [Tensor, ...Tensor[]],
  inputs: readonly Tensor[],
  saved: readonly Tensor[],
  rule: JointRule,
): void {
  opWatch.ended?.(name, outputs[0]);
  if (startRecord(name, inputs)) new JointNode(name, outputs, inputs, saved, rule);
}

function startRecord(name: string, inputs: readonly Tensor[]): boolean {
  if (!gradEnabled) return false;
  for (const input of inputs) checkView(name, input);
  if (!isRecording(inputs)) return false;
  for (const input of inputs) if (input.isLeaf && input.requiresGrad) countForward(input);
  return true;
}

/**
 * Checks that an in-place op may change `target` now. Call it before any memory is touched.
 *
 * @throws AutogradError for a leaf that requires grad, and for a view of what others hold too, while the op would be recorded
 */
export function checkInPlace(name: string, target: Tensor, inputs: readonly Tensor[]): void {
  if (!isRecording(inputs)) return;
  if (target.isLeaf && target.requiresGrad) {
    throw new AutogradError(
      `${name}: got a leaf that requires grad; expected a tensor whose old values no gradient needs. ` +
        `Change it inside noGrad(() => …), or use the form without underscore.`,
    );
  }
  // A view that alone holds its storage (a sum without its reduced axes, say) is as good as a base.
  if (target.viewVersion !== null && target.storage.shareCount > 1) {
    throw new AutogradError(
      `${name}: got a view of shape ${formatShape(target.shape)} made by ${target.madeBy} while recording; expected a tensor with storage of its own. ` +
        `Use the form without underscore, or .clone() the view first.`,
    );
  }
}

/** Notes an in-place change of `target`, and puts it on the tape as {@link record} does. */
export function recordInPlace<const S extends readonly Tensor[]>(
  name: string,
  target: Tensor,
  inputs: readonly Tensor[],
  saved: S,
  rule: BackwardRule<S>,
): Tensor {
  const recording = isRecording(inputs);
  target.storage.version++;
  record(name, target, inputs, saved, rule);
  if (recording) target.storage.rewrites++;
  if (target.viewVersion !== null) target.viewVersion = target.storage.rewrites;
  return target;
}

/** @throws AutogradError where `input` is a view of a tensor that a recorded in-place op has changed since. */
export function checkView(name: string, input: Tensor): void {
  if (input.viewVersion !== null && input.viewVersion !== input.storage.rewrites) {
    throw new AutogradError(
      `${name}: got a view of shape ${formatShape(input.shape)} made by ${input.madeBy} before an in-place op changed its base; ` +
        `expected a view taken afterwards. Take the view again.`,
    );
  }
}

/** Uses of one leaf without any backward pass after which it looks as if `noGrad` was forgotten. */
const PILE_WARNING = 2000;
let forwardUses = new WeakMap<Tensor, number>();
let warnedOfPile = false;

function countForward(leaf: Tensor): void {
  if (warnedOfPile) return;
  const uses = (forwardUses.get(leaf) ?? 0) + 1;
  forwardUses.set(leaf, uses);
  if (uses < PILE_WARNING) return;
  warnedOfPile = true;
  console.warn(
    `tapegrad: a parameter of shape ${formatShape(leaf.shape)} went through ${uses} recorded operations without a backward pass; ` +
      `expected backward() to consume them. Wrap evaluation in noGrad(() => …).`,
  );
}

/** Starts the count of unconsumed forward passes anew; a backward pass calls it. */
export function resetForwardCount(): void {
  forwardUses = new WeakMap();
}
