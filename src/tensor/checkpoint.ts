/** Forward passes that keep nothing but their inputs, and are computed again when their gradients are asked for. */
import { AutogradError } from "../errors.js";
import type { DType } from "../kernels/dtype.js";
import { isAutocasting, withCasting } from "./autocast.js";
import { type GradNode, isGradEnabled, withGradMode } from "./autograd.js";
import { runScope, storagesMade } from "./memory.js";
import { defaultGenerator, type GeneratorState } from "./random.js";
import { atWalkEnd, type Saved, SavedTensor, save, withSaver } from "./saved.js";
import { refusePromise, tensorsIn } from "./scopes.js";
import { formatShape, type Shape, sameShape } from "./shape.js";
import { Tensor } from "./tensor.js";

/**
 * Runs `fn(...inputs)` without keeping what it computes on its way; the backward pass computes that again, segment by segment.
 * Gradients are the same to the bit, also those of parameters that `fn` uses. It takes the time of one more forward pass.
 *
 * The default generator is set back for the second run, so that dropout drops the same elements. Everything else that `fn`
 * does happens twice, too: a batch norm in training counts each batch twice. `fn` must compute the same each time. Where
 * nothing is recorded it just runs.
 *
 * @param fn a synchronous function that gives tensors, alone or in arrays and objects
 * @param inputs its arguments; tensors among them are held for the second run. Give what changes meanwhile as an argument, for
 *   changes of tensors that `fn` finds by itself are not noticed.
 * @throws ArgumentError where `fn` is asynchronous.
 * @throws AutogradError in the backward pass, where the second run saves other tensors than the first, or an input was
 *   changed in place.
 * @see https://pytorch.org/docs/stable/checkpoint.html, the form with `use_reentrant=False`
 * @see Chen et al., Training Deep Nets with Sublinear Memory Cost, https://arxiv.org/abs/1604.06174
 */
export function checkpoint<A extends readonly unknown[], R>(fn: (...inputs: A) => R, ...inputs: A): R {
  if (!isGradEnabled()) return refusePromise("checkpoint", fn(...inputs));
  return new Segment(fn, inputs).run(inputs);
}

/** What a slot turns to when its tensor is not held. */
interface SlotOwner {
  /** The tensor of a slot, computed again. */
  fetch(index: number): Tensor;
  /** Says that a slot is not needed any more. */
  leave(): void;
}

/** One call of {@link checkpoint}. */
class Segment<A extends readonly unknown[], R> implements SlotOwner {
  /** The second run casts as the first one did. */
  private readonly casts = isAutocasting();
  private readonly random: GeneratorState = defaultGenerator.getState();
  private readonly inputs: readonly (() => unknown)[];
  private readonly savedInputs: readonly Saved[];
  private readonly slots: Slot[] = [];
  private live = 0;
  private hasRun = false;
  /** What the second run saved, in the order of the slots, as far as it was not fetched yet. */
  private again: (Slot | null)[] = [];

  constructor(
    private readonly fn: (...inputs: A) => R,
    given: A,
  ) {
    const saved: Saved[] = [];
    this.inputs = given.map((input) => {
      if (!(input instanceof Tensor)) return () => input;
      const entry = save(input, "checkpoint");
      saved.push(entry);
      return () => entry.unpack();
    });
    this.savedInputs = saved;
  }

  run(given: A): R {
    const { slots } = this;
    const saver = ownSaver((tensor, usedBy) => {
      const slot = new Slot(tensor, usedBy, this, slots.length);
      slots.push(slot);
      this.live++;
      return slot;
    });
    try {
      return runScope(
        () => withSaver(saver, () => refusePromise("checkpoint", this.fn(...given))),
        tensorsIn,
        (handle) => handle.giveBack("at the end of checkpoint()"),
      );
    } finally {
      for (const slot of slots) slot.drop();
      this.hasRun = true;
      if (this.live === 0) this.end();
    }
  }

  fetch(index: number): Tensor {
    if ((this.again[index] ?? null) === null) this.runAgain();
    const entry = this.again[index];
    if (entry === undefined || entry === null) throw this.differs(`no tensor ${index}`);
    this.again[index] = null;
    try {
      return entry.unpack();
    } finally {
      entry.release();
    }
  }

  leave(): void {
    this.live--;
    if (this.live === 0 && this.hasRun) this.end();
  }

  differs(got: string): AutogradError {
    return new AutogradError(
      `checkpoint: got ${got} to save when the function ran again; expected the ${this.slots.length} tensors that it saved when it ran first. ` +
        "Let it compute the same each time: no counters, no caches, no generators of its own.",
    );
  }

  private runAgain(): void {
    this.forget();
    const now = defaultGenerator.getState();
    const passing: Saved[] = [];
    const again: Slot[] = [];
    const lastOwner: SlotOwner = {
      fetch: (index) => {
        throw this.differs(`tensor ${index} gone`);
      },
      leave: () => undefined,
    };
    // What is there already is not held by a graph that nobody will walk back over.
    const pass = (tensor: Tensor, usedBy: string): Saved => {
      const entry = new SavedTensor(tensor, usedBy);
      passing.push(entry);
      return entry;
    };
    try {
      runScope(
        () => {
          const inputs = this.inputs.map((input) => input()) as unknown as A;
          const saver = ownSaver((tensor, usedBy) => {
            const slot = new Slot(tensor, usedBy, lastOwner, again.length);
            again.push(slot);
            return slot;
          }, pass);
          defaultGenerator.setState(this.random);
          withCasting(this.casts, () => withGradMode(true, () => withSaver(saver, () => this.fn(...inputs))));
        },
        () => [],
        (handle) => handle.discard(),
      );
      this.check(again);
    } catch (error) {
      for (const slot of again) slot.drop();
      throw error;
    } finally {
      defaultGenerator.setState(now);
      for (const entry of passing) entry.release();
    }
    this.again = again;
    atWalkEnd(() => this.forget());
  }

  private check(again: readonly Slot[]): void {
    if (again.length !== this.slots.length) throw this.differs(`${again.length} tensors`);
    this.slots.forEach((slot, index) => {
      const other = again[index];
      if (other === undefined || (sameShape(slot.shape, other.shape) && slot.dtype === other.dtype)) return;
      throw this.differs(
        `${other.dtype} of shape ${formatShape(other.shape)} for ${slot.dtype} of shape ${formatShape(slot.shape)} of ${slot.usedBy}`,
      );
    });
  }

  private forget(): void {
    for (const slot of this.again) slot?.drop();
    this.again = [];
  }

  private end(): void {
    this.forget();
    for (const entry of this.savedInputs) entry.release();
  }
}

/** The place of a saved tensor in the order in which a segment saves them. Its memory is held until the segment drops it. */
class Slot implements Saved {
  readonly shape: Shape;
  readonly dtype: DType;
  private readonly node: GradNode | null;
  private held: SavedTensor | null;
  private isReleased = false;

  constructor(
    tensor: Tensor,
    readonly usedBy: string,
    private readonly owner: SlotOwner,
    private readonly index: number,
  ) {
    this.shape = tensor.shape;
    this.dtype = tensor.dtype;
    this.node = tensor.node;
    this.held = new SavedTensor(tensor, usedBy);
  }

  /** The elements, from the second run where the first one's are dropped; with the history of the first, which is the tape's. */
  unpack(): Tensor {
    if (this.held !== null) return this.held.unpack();
    const found = this.owner.fetch(this.index);
    const twin = new Tensor(found.storage.retain(), found.shape, found.strides, found.offset, found.madeBy);
    twin.node = this.node;
    return twin;
  }

  release(): void {
    if (this.isReleased) return;
    this.isReleased = true;
    this.drop();
    this.owner.leave();
  }

  drop(): void {
    this.held?.release();
    this.held = null;
  }
}

/** Saves by `own` what is made from now on, except leaves that want gradients, which stay anyway; all else by `other`. */
function ownSaver(
  own: (tensor: Tensor, usedBy: string) => Saved,
  other: ((tensor: Tensor, usedBy: string) => Saved) | null = null,
) {
  const first = storagesMade();
  return (tensor: Tensor, usedBy: string): Saved | null => {
    const isOwn = tensor.storage.id >= first && !(tensor.isLeaf && tensor.requiresGrad);
    return isOwn ? own(tensor, usedBy) : (other?.(tensor, usedBy) ?? null);
  };
}
