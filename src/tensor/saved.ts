/** How tensors are kept for the backward pass. */
import { AutogradError } from "../errors.js";
import type { GradNode } from "./autograd.js";
import type { Storage } from "./memory.js";
import { formatShape, type Shape } from "./shape.js";
import { Tensor } from "./tensor.js";

/** A tensor as a backward rule will need it. */
export interface Saved {
  unpack(): Tensor;
  release(): void;
}

/** Decides how tensors are saved while it is in force; null leaves it to the one around, and at last has their memory held. */
export type Saver = (tensor: Tensor, usedBy: string) => Saved | null;

let saver: Saver | null = null;

/** Runs `fn` with tensors being saved by `inner`, and switches back whatever happens. */
export function withSaver<T>(inner: Saver, fn: () => T): T {
  const outer = saver;
  saver = (tensor, usedBy) => inner(tensor, usedBy) ?? outer?.(tensor, usedBy) ?? null;
  try {
    return fn();
  } finally {
    saver = outer;
  }
}

/** Saves a tensor for a backward rule. */
export function save(tensor: Tensor, usedBy: string): Saved {
  return saver?.(tensor, usedBy) ?? new SavedTensor(tensor, usedBy);
}

const walkEnds = new Set<() => void>();

/** Has `fn` called once, when the walk back that is going on ends. */
export function atWalkEnd(fn: () => void): void {
  walkEnds.add(fn);
}

/** Calls what waits for the end of a walk. */
export function endWalk(): void {
  for (const fn of walkEnds) fn();
  walkEnds.clear();
}

/** A saved tensor whose memory is held until the graph is consumed. */
export class SavedTensor implements Saved {
  private readonly storage: Storage;
  private readonly version: number;
  private readonly shape: Shape;
  private readonly strides: readonly number[];
  private readonly offset: number;
  private readonly node: GradNode | null;

  constructor(
    private readonly tensor: Tensor,
    private readonly usedBy: string,
  ) {
    this.storage = tensor.storage.retain();
    this.version = this.storage.version;
    this.shape = tensor.shape;
    this.strides = tensor.strides;
    this.offset = tensor.offset;
    this.node = tensor.node;
  }

  /** The tensor itself while it is what it was, else another handle to the same elements. */
  unpack(): Tensor {
    const { tensor, storage, version } = this;
    if (storage.version !== version) {
      throw new AutogradError(
        `backward of ${this.usedBy}: got a saved tensor of shape ${formatShape(this.shape)} at version ${storage.version}; ` +
          `expected version ${version}, as the forward pass left it. An in-place op changed it: use the form without underscore, or .clone() it first.`,
      );
    }
    if (!tensor.isReleased && tensor.storage === storage && tensor.node === this.node) return tensor;
    const twin = new Tensor(storage.retain(), this.shape, this.strides, this.offset, tensor.madeBy);
    twin.node = this.node;
    return twin;
  }

  release(): void {
    this.storage.release();
  }
}
