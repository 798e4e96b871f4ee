/**
 * The heap of the WASM kernel set: blocks in one memory that grows on demand. Free blocks are kept in lists by size, two
 * levels deep (powers of two, cut into eighths), so that finding one takes constant time; neighbours that are both free
 * are joined.
 *
 * @see Masmano et al., TLSF: a new dynamic memory allocator for real-time systems (2004)
 * @module
 */
import { TapegradError } from "../../errors.js";
import type { DeviceBuffer, DType, TypedArray } from "../kernelSet.js";

/** Blocks begin and end on these bytes: a cache line, so that no two threads write to one. */
const ALIGNMENT = 64;
const PAGE = 65536;
const STEPS = 8;

/** A piece of the heap. While it is in use it is the buffer that the tensors above hold. */
export class Block implements DeviceBuffer {
  /** Bytes that were asked for. */
  byteLength = 0;
  dtype: DType = "float32";
  /** The typed array over it that the reference loops use, made when first asked for. */
  view: TypedArray | null = null;
  free = true;
  /** Neighbours in memory. */
  before: Block | null = null;
  after: Block | null = null;
  /** Neighbours in the list of free blocks of its size. */
  previous: Block | null = null;
  next: Block | null = null;

  /** Address of the first element: that of the block, or further in where the block has guard zones. */
  pointer: number;

  constructor(
    /** Address of the first byte. */
    readonly address: number,
    /** Bytes that it covers. */
    public size: number,
  ) {
    this.pointer = address;
  }
}

/** What the heap needs of a WebAssembly.Memory. */
export interface Growable {
  readonly buffer: ArrayBufferLike;
  grow(pages: number): number;
}

export class Heap {
  private readonly lists: (Block | null)[] = [];
  /** A bit for each level that has a free block, and for each level a bit for each of its lists that has one. */
  private levels = 0;
  private readonly steps: number[] = Array.from({ length: 32 }, () => 0);
  private last: Block | null = null;
  private end: number;
  private used = 0;

  /**
   * @param base first byte that the heap may use
   * @param onGrow called after the memory grew: typed arrays over it are out of date
   */
  constructor(
    private readonly memory: Growable,
    base: number,
    private readonly onGrow: () => void,
  ) {
    this.end = roundUp(base, ALIGNMENT);
  }

  /** Bytes in use, and bytes that the memory has. */
  get stats(): { readonly used: number; readonly size: number } {
    return { used: this.used, size: this.memory.buffer.byteLength };
  }

  /**
   * A block of `bytes` bytes, uninitialised.
   *
   * @throws RangeError where the memory cannot grow that far.
   */
  alloc(bytes: number): Block {
    const size = Math.max(roundUp(bytes, ALIGNMENT), ALIGNMENT);
    const block = this.takeFree(size) ?? this.extend(size);
    block.free = false;
    block.byteLength = bytes;
    block.view = null;
    block.pointer = block.address;
    this.split(block, size);
    this.used += block.size;
    return block;
  }

  free(block: Block): void {
    if (block.free) {
      throw new TapegradError(
        `wasm: got a block of ${block.byteLength} bytes that was freed before; expected one in use. This is a bug in the library: please report it.`,
      );
    }
    this.used -= block.size;
    let joined = block;
    const { before, after } = block;
    if (after?.free === true) {
      this.unlist(after);
      this.swallow(joined, after);
    }
    // The block itself may be held by someone who must not find it in use again: it dies here.
    block.free = true;
    if (before?.free === true) {
      this.unlist(before);
      this.swallow(before, joined);
      joined = before;
    } else {
      joined = this.replace(block);
    }
    this.list(joined);
  }

  private takeFree(size: number): Block | null {
    const block = this.lists[this.firstFilled(listFor(size, true))] ?? null;
    if (block !== null) this.unlist(block);
    return block;
  }

  /** The first list from number `index` on that has a block, or one that there is not. */
  private firstFilled(index: number): number {
    let level = Math.floor(index / STEPS);
    let filled = (this.steps[level] ?? 0) & (-1 << (index % STEPS));
    if (filled === 0) {
      const higher = this.levels & (-2 << level);
      if (higher === 0) return -1;
      level = lowestBit(higher);
      filled = this.steps[level] ?? 0;
    }
    return level * STEPS + lowestBit(filled);
  }

  /** Grows the memory by what is missing behind the last block. */
  private extend(size: number): Block {
    const tail = this.last?.free === true ? this.last : null;
    const start = tail?.address ?? this.end;
    const missing = start + size - this.memory.buffer.byteLength;
    if (missing > 0) {
      this.memory.grow(Math.ceil(missing / PAGE));
      this.onGrow();
    }
    const room = this.memory.buffer.byteLength - start;
    const block = new Block(start, room);
    this.end = start + room;
    if (tail !== null) {
      this.unlist(tail);
      block.before = tail.before;
    } else {
      block.before = this.last;
    }
    if (block.before !== null) block.before.after = block;
    this.last = block;
    return block;
  }

  /** Gives what a block has beyond `size` back to the lists. */
  private split(block: Block, size: number): void {
    if (block.size - size < ALIGNMENT) return;
    const rest = new Block(block.address + size, block.size - size);
    block.size = size;
    rest.before = block;
    rest.after = block.after;
    if (rest.after !== null) rest.after.before = rest;
    else this.last = rest;
    block.after = rest;
    this.list(rest);
  }

  private swallow(block: Block, after: Block): void {
    block.size += after.size;
    block.after = after.after;
    if (block.after !== null) block.after.before = block;
    else this.last = block;
  }

  /** A new block in the place of a freed one. */
  private replace(block: Block): Block {
    const fresh = new Block(block.address, block.size);
    fresh.before = block.before;
    fresh.after = block.after;
    if (fresh.before !== null) fresh.before.after = fresh;
    if (fresh.after !== null) fresh.after.before = fresh;
    else this.last = fresh;
    return fresh;
  }

  private list(block: Block): void {
    const index = listFor(block.size, false);
    while (this.lists.length <= index) this.lists.push(null);
    const head = this.lists[index] ?? null;
    block.free = true;
    block.previous = null;
    block.next = head;
    if (head !== null) head.previous = block;
    else this.mark(index, true);
    this.lists[index] = block;
  }

  private unlist(block: Block): void {
    if (block.previous !== null) {
      block.previous.next = block.next;
    } else {
      const index = listFor(block.size, false);
      this.lists[index] = block.next;
      if (block.next === null) this.mark(index, false);
    }
    if (block.next !== null) block.next.previous = block.previous;
    block.previous = null;
    block.next = null;
  }

  /** Notes whether a list has blocks. */
  private mark(index: number, filled: boolean): void {
    const level = Math.floor(index / STEPS);
    const bit = 1 << (index % STEPS);
    const steps = this.steps[level] ?? 0;
    const now = filled ? steps | bit : steps & ~bit;
    this.steps[level] = now;
    if (now === 0) this.levels &= ~(1 << level);
    else this.levels |= 1 << level;
  }
}

/** The number of the lowest bit that is set. */
function lowestBit(bits: number): number {
  return highestBit(bits & -bits);
}

/** The list that a block of `size` belongs into; or, for a search, the first list whose every block is large enough. */
function listFor(size: number, search: boolean): number {
  const units = size / ALIGNMENT;
  if (units < STEPS) return units;
  const step = 1 << (highestBit(units) - 3);
  const wanted = search ? units + step - 1 : units;
  const level = highestBit(wanted);
  return (level - 3) * STEPS + (wanted >>> (level - 3));
}

function highestBit(bits: number): number {
  return 31 - Math.clz32(bits);
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
