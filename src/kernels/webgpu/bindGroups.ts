/** Bind groups: which memories a launch reads and writes. They are dear to make, so they are kept. */
import type { GpuMemory } from "./bufferPool.js";
import { type Kernel, UNIFORM_BYTES } from "./kernel.js";

/** Groups that are made until all are forgotten: those of memories that are gone would pile up. */
const MOST = 8192;

/** Where memories lead that begin alike: looked up one by one, which takes less than to make one name of all. */
interface Branch {
  group: GPUBindGroup | null;
  next: Map<GpuMemory, Branch> | null;
}

export class BindGroups {
  private readonly roots = new Map<GPUBindGroupLayout, Branch>();
  private made = 0;

  constructor(
    private readonly device: GPUDevice,
    private readonly uniformBuffer: GPUBuffer,
  ) {}

  /** Drops the groups that begin with a memory, before it is destroyed. */
  forget(memory: GpuMemory): void {
    for (const { next } of this.roots.values()) next?.delete(memory);
  }

  /** The group that gives a kernel these memories. */
  of(kernel: Kernel, memories: readonly GpuMemory[]): GPUBindGroup {
    if (this.made === MOST) {
      this.roots.clear();
      this.made = 0;
    }
    let branch = this.roots.get(kernel.groupLayout);
    if (branch === undefined) {
      branch = { group: null, next: null };
      this.roots.set(kernel.groupLayout, branch);
    }
    for (const memory of memories) {
      branch.next ??= new Map();
      let next = branch.next.get(memory);
      if (next === undefined) {
        next = { group: null, next: null };
        branch.next.set(memory, next);
      }
      branch = next;
    }
    branch.group ??= this.make(kernel, memories);
    return branch.group;
  }

  private make(kernel: Kernel, memories: readonly GpuMemory[]): GPUBindGroup {
    this.made++;
    return this.device.createBindGroup({
      layout: kernel.groupLayout,
      entries: [
        ...memories.map(({ buffer }, binding) => ({ binding, resource: { buffer } })),
        { binding: memories.length, resource: { buffer: this.uniformBuffer, size: UNIFORM_BYTES } },
      ],
    });
  }
}
