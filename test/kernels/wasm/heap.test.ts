import { describe, expect, test } from "vitest";
import { OutOfMemoryError } from "../../../src/errors.js";
import { empty, memoryStats, ones, zeros } from "../../../src/index.js";
import type { DeviceBuffer, Strided } from "../../../src/kernels/kernelSet.js";
import { type Block, type Growable, Heap } from "../../../src/kernels/wasm/heap.js";
import { createWasmKernels } from "../../../src/kernels/wasm/index.js";
import { registerKernels } from "../../../src/tensor/device.js";

const PAGE = 65536;

/** A memory without bytes: it only counts. */
class CountedMemory implements Growable {
  readonly buffer = { byteLength: 0 } as { byteLength: number } & ArrayBufferLike;

  constructor(private readonly maximum: number) {}

  grow(pages: number): number {
    const before = this.buffer.byteLength;
    if (before + pages * PAGE > this.maximum) throw new RangeError("maximum memory size exceeded");
    Object.assign(this.buffer, { byteLength: before + pages * PAGE });
    return before / PAGE;
  }
}

function newHeap(maximum = 2 ** 32): { heap: Heap; memory: CountedMemory } {
  const memory = new CountedMemory(maximum);
  return { heap: new Heap(memory, 0, () => {}), memory };
}

/** A generator of numbers in [0, 1) that are always the same. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
}

/** Fails where two blocks in use overlap or leave the memory. */
function expectDisjoint(blocks: readonly Block[], size: number): void {
  const sorted = [...blocks].sort((a, b) => a.address - b.address);
  let end = 0;
  for (const block of sorted) {
    if (block.address < end) expect.fail(`the block at ${block.address} begins before ${end}, where the last one ends`);
    if (block.byteLength > block.size) expect.fail(`${block.byteLength} bytes in a block of ${block.size}`);
    end = block.address + block.size;
  }
  expect(end).toBeLessThanOrEqual(size);
}

describe("the heap under load", () => {
  /** What sizes come: from one byte up to `most`, each order of magnitude as often as any other. */
  const mixes: readonly (readonly [string, (random: () => number) => number])[] = [
    ["every order of magnitude up to 4 MiB", (random) => Math.ceil(2 ** (random() * 22))],
    ["evenly up to 1 MiB", (random) => Math.ceil(random() * 2 ** 20)],
    ["a few sizes", (random) => [100, 4096, 100_352, 1_605_632][Math.floor(random() * 4)] ?? 1],
  ];

  test.each(mixes)("100,000 steps, sizes %s: within 1.5 times the live bytes, and no overlap", (_name, sizeOf) => {
    const { heap, memory } = newHeap();
    const random = generator(3);
    const live: Block[] = [];
    let bytes = 0;
    let peak = 0;
    for (let step = 0; step < 100_000; step++) {
      if (live.length < 400 || random() < 0.5) {
        const wanted = sizeOf(random);
        const block = heap.alloc(wanted);
        expect(block.byteLength).toBe(wanted);
        live.push(block);
        bytes += wanted;
        peak = Math.max(peak, bytes);
      }
      while (live.length > 600 || (live.length > 400 && random() < 0.5)) {
        const place = Math.floor(random() * live.length);
        const block = live[place] as Block;
        live[place] = live.at(-1) as Block;
        live.pop();
        heap.free(block);
        bytes -= block.byteLength;
      }
      if (step % 5000 === 0) expectDisjoint(live, memory.buffer.byteLength);
    }
    expectDisjoint(live, memory.buffer.byteLength);
    expect(heap.stats.used).toBe(live.reduce((sum, block) => sum + block.size, 0));
    expect(memory.buffer.byteLength / peak).toBeLessThan(1.5);
  });

  test("a loop that repeats its allocations takes nothing new after its first round", () => {
    const { heap, memory } = newHeap();
    const random = generator(5);
    const sizes = Array.from({ length: 200 }, () => Math.ceil(2 ** (random() * 20)));
    const round = (): void => {
      const blocks = sizes.map((size) => heap.alloc(size));
      for (const block of blocks) heap.free(block);
    };
    round();
    const first = memory.buffer.byteLength;
    for (let i = 0; i < 100; i++) round();
    expect(memory.buffer.byteLength).toBe(first);
    expect(heap.stats.used).toBe(0);
  });

  test("all of it is one block again when all is freed, in any order", () => {
    const { heap, memory } = newHeap();
    const random = generator(7);
    const blocks = Array.from({ length: 1000 }, () => heap.alloc(Math.ceil(random() * 5000)));
    blocks.sort(() => random() - 0.5);
    for (const block of blocks) heap.free(block);
    const whole = memory.buffer.byteLength;
    heap.alloc(whole);
    expect(memory.buffer.byteLength).toBe(whole);
  });
});

describe("the heap at its ends", () => {
  test("blocks are aligned to cache lines, and even an empty one has a place of its own", () => {
    const { heap } = newHeap();
    const blocks = [0, 0, 1, 64, 65].map((size) => heap.alloc(size));
    expect(new Set(blocks.map((block) => block.address)).size).toBe(5);
    for (const block of blocks) expect(block.address % 64).toBe(0);
  });

  test.each([2 ** 32 + 64, 2 ** 38, 2 ** 53])("more than any memory has (%d bytes) is refused", (bytes) => {
    const { heap, memory } = newHeap();
    heap.free(heap.alloc(1 << 20));
    const before = memory.buffer.byteLength;
    expect(() => heap.alloc(bytes)).toThrow(RangeError);
    expect(memory.buffer.byteLength).toBe(before);
    heap.alloc(1 << 20);
    expect(memory.buffer.byteLength).toBe(before);
  });

  test("up to 4 GiB fit; what was refused leaves no trace", () => {
    const { heap, memory } = newHeap();
    const blocks = [1, 2, 3, 4].map(() => heap.alloc(2 ** 30));
    expect(memory.buffer.byteLength).toBe(2 ** 32);
    expect(() => heap.alloc(1)).toThrow(RangeError);
    expect(heap.stats.used).toBe(2 ** 32);
    heap.free(blocks[1] as Block);
    expect(heap.alloc(2 ** 30).address).toBe(2 ** 30);
  });

  test("a block is freed once", () => {
    const { heap } = newHeap();
    const [, block] = [heap.alloc(100), heap.alloc(100), heap.alloc(100)];
    heap.free(block as Block);
    expect(() => heap.free(block as Block)).toThrow(
      "wasm: got a block of 100 bytes that was freed before; expected one in use. This is a bug in the library: please report it.",
    );
  });
});

describe("tensors beyond 4 GiB", () => {
  const quarter = [2 ** 28];

  test("are refused with what is alive, by op and bytes; everything stays usable", () => {
    registerKernels("cpu", createWasmKernels({ threads: 1 }));
    const x = ones([1000]);
    const kept = [empty(quarter), empty(quarter), x.add(1)];
    const wide = empty([2 ** 27]);
    const before = memoryStats();
    expect(() => zeros([2 ** 29])).toThrow(OutOfMemoryError);
    expect(() => zeros([2 ** 29])).toThrow(
      "zeros: got a request for 2147483648 bytes with 2684362560 bytes in 5 tensors alive " +
        "(most of them made by empty: 2684354560 bytes in 3, ones: 4000 bytes in 1, add: 4000 bytes in 1); " +
        "expected room for it. Make batches smaller, or run under noGrad what needs no gradient.",
    );
    expect(memoryStats().bytes).toBe(before.bytes);
    expect(memoryStats().tensors).toBe(before.tensors);
    expect(kept[2]?.sum().itemSync()).toBe(2000);
    wide.dispose();
    expect(ones([1000]).sum().itemSync()).toBe(1000);
  });

  test("kernels that find no room to work in say so, and give back what they took", () => {
    const kernels = createWasmKernels({ threads: 1 });
    const matrix = (rows: number, columns: number, order: "rows" | "columns"): Strided => ({
      buffer: kernels.alloc("float32", rows * columns),
      dtype: "float32",
      shape: [rows, columns],
      strides: order === "rows" ? [columns, 1] : [1, rows],
      offset: 0,
    });
    const [a, b, out] = [matrix(64, 64, "rows"), matrix(64, 64, "columns"), matrix(64, 64, "rows")];
    const blocks: DeviceBuffer[] = [];
    for (const size of [2 ** 28, 2 ** 20, 2 ** 10]) {
      for (;;) {
        try {
          blocks.push(kernels.alloc("float32", size));
        } catch {
          break;
        }
      }
    }
    const { used } = kernels.heap;
    expect(() => kernels.matmul(a, b, null, out)).toThrow(OutOfMemoryError);
    expect(() => kernels.matmul(a, b, null, out)).toThrow(
      /^wasm: got a kernel that works in \d+ bytes with \d+ of 4294967296 bytes in use; expected room for them\. /,
    );
    expect(kernels.heap.used).toBe(used);
    for (const block of blocks) kernels.free(block);
    kernels.matmul(a, b, null, out);
    expect(kernels.heap.used).toBe(3 * 64 * 64 * 4);
  });
});
