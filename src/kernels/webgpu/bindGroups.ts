/** Bind groups: which memories a launch reads and writes. They are dear to make, so they are kept as long as their memories. */
import type { GpuMemory } from "./bufferPool.js";
import { type Kernel, UNIFORM_BYTES } from "./kernel.js";

/** Groups that are kept at most. */
const MOST = 8192;

export class BindGroups {
  private readonly groups = new Map<string, GPUBindGroup>();

  constructor(
    private readonly device: GPUDevice,
    private readonly uniformBuffer: GPUBuffer,
  ) {}

  /** Drops the groups that a memory is part of, before it is destroyed. */
  forget(memory: GpuMemory): void {
    for (const key of memory.bindGroups) this.groups.delete(key);
    memory.bindGroups.clear();
  }

  /** The group that gives a kernel these memories. */
  of(kernel: Kernel, memories: readonly GpuMemory[]): GPUBindGroup {
    let key = kernel.access;
    for (const { id } of memories) key += `,${id}`;
    let group = this.groups.get(key);
    if (group === undefined) {
      if (this.groups.size >= MOST) this.forgetOldest();
      group = this.device.createBindGroup({
        layout: kernel.groupLayout,
        entries: [
          ...memories.map(({ buffer }, binding) => ({ binding, resource: { buffer } })),
          { binding: memories.length, resource: { buffer: this.uniformBuffer, size: UNIFORM_BYTES } },
        ],
      });
      this.groups.set(key, group);
      for (const memory of memories) memory.bindGroups.add(key);
    }
    return group;
  }

  private forgetOldest(): void {
    let surplus = MOST / 2;
    for (const key of this.groups.keys()) {
      if (surplus-- === 0) break;
      this.groups.delete(key);
    }
  }
}
