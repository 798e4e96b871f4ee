/**
 * Who owns memory, and when it is given back. Storage is counted by its handles; scopes and spent groups let go of
 * handles at known points; a finalizer catches what nobody let go of.
 *
 * @module
 */
import { OutOfMemoryError } from "../errors.js";
import { bytesPerElement } from "../kernels/dtype.js";
import type { Aside, DeviceBuffer, DType, KernelSet, TypedArray } from "../kernels/kernelSet.js";
import type { Device } from "./device.js";

/** Tensors up to this size stay readable for ever: they move to ordinary JavaScript memory instead of being given back. */
export const SMALL_BYTES = 4096;

/** What the library holds right now; see {@link memoryStats}. */
export interface MemoryStats {
  /** Storages alive on devices. Views share the storage of their base. */
  readonly tensors: number;
  /** Bytes of those storages. */
  readonly bytes: number;
  /** Most bytes since the start, or since {@link resetPeakMemory}. */
  readonly peakBytes: number;
}

let liveCount = 0;
let liveBytes = 0;
let peakBytes = 0;

/** How many tensors are alive on devices, and how many bytes they take up. Small tensors that moved to JavaScript's own memory are not in it. */
export function memoryStats(): MemoryStats {
  return { tensors: liveCount, bytes: liveBytes, peakBytes };
}

/** Starts the measurement of {@link MemoryStats.peakBytes} anew. */
export function resetPeakMemory(): void {
  peakBytes = liveBytes;
}

/** A buffer on the books, or room for one. */
class Account {
  private kernels: KernelSet | null = null;
  buffer: DeviceBuffer | null = null;
  /** The op that asked for the buffer. */
  madeBy = "";

  /** @param place where it is in {@link accounts} */
  constructor(public place: number) {}

  enter(kernels: KernelSet, buffer: DeviceBuffer, madeBy: string): void {
    this.kernels = kernels;
    this.buffer = buffer;
    this.madeBy = madeBy;
    liveCount++;
    liveBytes += buffer.byteLength;
    if (liveBytes > peakBytes) peakBytes = liveBytes;
  }

  free(): void {
    const { kernels, buffer } = this;
    if (kernels === null || buffer === null) return;
    this.kernels = null;
    this.buffer = null;
    liveCount--;
    liveBytes -= buffer.byteLength;
    kernels.free(buffer);
  }
}

/** What a storage alone holds: when it dies with a storage that nobody released, its account is freed by the finalizer. */
class Lease {
  constructor(readonly account: Account) {}
}

/** Every account whose lease is alive: looked through only when there is no room left. */
const accounts: Account[] = [];
/** Leases of released storages. Taking one of these spares a registration, which costs more than the rest of an allocation. */
const spareLeases: Lease[] = [];

const finalizer = new FinalizationRegistry<Account>((account) => {
  account.free();
  const last = accounts.pop();
  if (last === undefined || last === account) return;
  accounts[account.place] = last;
  last.place = account.place;
});

function newLease(): Lease {
  const account = new Account(accounts.length);
  const lease = new Lease(account);
  accounts.push(account);
  finalizer.register(lease, account);
  return lease;
}

function allocate(kernels: KernelSet, dtype: DType, length: number, madeBy: string): DeviceBuffer {
  try {
    return kernels.alloc(dtype, length);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new OutOfMemoryError(
      `${madeBy}: got a request for ${length * bytesPerElement(dtype)} bytes with ${liveBytes} bytes in ${liveCount} tensors alive${largestHolders()}; ` +
        `expected room for it. Make batches smaller, or run under noGrad what needs no gradient.`,
    );
  }
}

/** How many ops an error for want of memory names. */
const NAMED_HOLDERS = 3;

/** The ops whose results take up the most, with their bytes. */
function largestHolders(): string {
  const holders = new Map<string, { tensors: number; bytes: number }>();
  for (const { madeBy, buffer } of accounts) {
    if (buffer === null) continue;
    const holder = holders.get(madeBy) ?? { tensors: 0, bytes: 0 };
    holder.tensors++;
    holder.bytes += buffer.byteLength;
    holders.set(madeBy, holder);
  }
  const largest = [...holders].sort(([, a], [, b]) => b.bytes - a.bytes).slice(0, NAMED_HOLDERS);
  if (largest.length === 0) return "";
  return ` (most of them made by ${largest.map(([op, { tensors, bytes }]) => `${op}: ${bytes} bytes in ${tensors}`).join(", ")})`;
}

let storageCount = 0;

/** How many storages there were so far, which is the id of the next one. */
export function storagesMade(): number {
  return storageCount;
}

/** Memory for elements of one dtype, on a device or (small, and let go of) in JavaScript's own memory. */
export class Storage {
  /** Grows from each storage to the next. */
  readonly id = storageCount++;
  /** Grows with each in-place change, so that the tape sees that a saved tensor is no longer what it was. */
  version = 0;
  /** Grows with each in-place change that was recorded, so that older views of it are found out. */
  rewrites = 0;
  private references = 1;
  private parked = 0;
  private lease: Lease | null = null;
  private deviceBuffer: DeviceBuffer | null = null;
  private host: TypedArray | null = null;
  /** The elements on their way from a device that cannot be read at once. */
  private aside: Aside | null = null;

  private constructor(
    readonly device: Device,
    readonly kernels: KernelSet,
    readonly dtype: DType,
    readonly length: number,
    private readonly madeBy: string,
  ) {}

  /** Uninitialised memory on the device. `madeBy` is the op that asks for it. */
  static onDevice(device: Device, kernels: KernelSet, dtype: DType, length: number, madeBy: string): Storage {
    const storage = new Storage(device, kernels, dtype, length, madeBy);
    storage.settle();
    return storage;
  }

  /** Memory that belongs to the JavaScript collector until a kernel asks for it. */
  static onHost(device: Device, kernels: KernelSet, dtype: DType, data: TypedArray, madeBy: string): Storage {
    const storage = new Storage(device, kernels, dtype, data.length, madeBy);
    storage.host = data;
    return storage;
  }

  get byteLength(): number {
    return this.length * bytesPerElement(this.dtype);
  }

  get isReleased(): boolean {
    return this.references === 0;
  }

  /** How many handles and saved tensors share this memory. */
  get shareCount(): number {
    return this.references;
  }

  /** The device memory; what had moved to JavaScript's memory moves back. */
  get buffer(): DeviceBuffer {
    return this.deviceBuffer ?? this.settle();
  }

  retain(): this {
    this.references++;
    return this;
  }

  release(): void {
    this.references--;
    if (this.references > 0) {
      this.moveWhenParked();
      return;
    }
    this.leave();
    this.host = null;
    this.aside = null;
  }

  /** Says of one reference that it is there for reading alone. Once all are, the elements move to JavaScript's memory. */
  park(): void {
    this.parked++;
    this.moveWhenParked();
  }

  /** Takes back one {@link park}. */
  unpark(): void {
    this.parked--;
  }

  /** The elements, while they are in JavaScript's memory. */
  get hostData(): TypedArray | null {
    return this.host;
  }

  /** Moves the elements to JavaScript's memory and frees the device's: at once, or when they arrive. */
  moveToHost(): void {
    const { deviceBuffer, kernels, dtype, length } = this;
    if (deviceBuffer === null) return;
    if (kernels.readSync !== null) this.host = kernels.readSync(deviceBuffer, dtype, 0, length);
    else if (kernels.setAside !== undefined) this.awaitAside(kernels.setAside(deviceBuffer, dtype, length));
    else return;
    this.leave();
  }

  private awaitAside(aside: Aside): void {
    this.aside = aside;
    aside.data.then(
      (data) => {
        if (this.aside !== aside) return;
        this.aside = null;
        this.host = data;
      },
      // The device is gone: whoever reads the elements will be told.
      () => undefined,
    );
  }

  private moveWhenParked(): void {
    if (this.parked > 0 && this.parked >= this.references) this.moveToHost();
  }

  private settle(): DeviceBuffer {
    const { kernels, dtype, madeBy } = this;
    const buffer = allocate(kernels, dtype, this.length, madeBy);
    const lease = spareLeases.pop() ?? newLease();
    lease.account.enter(kernels, buffer, madeBy);
    this.lease = lease;
    this.deviceBuffer = buffer;
    if (this.host !== null) kernels.write(buffer, dtype, 0, this.host);
    this.aside?.restore(buffer);
    this.host = null;
    this.aside = null;
    return buffer;
  }

  private leave(): void {
    if (this.lease === null) return;
    this.lease.account.free();
    spareLeases.push(this.lease);
    this.lease = null;
    this.deviceBuffer = null;
  }
}

/** A handle that a scope or a spent group can let go of. */
export interface Releasable {
  /** Lets go of the memory at once, unless the handle is kept. */
  discard(): void;
  /** Lets go of the memory at the point that `when` describes, unless the handle is kept. Small tensors stay readable. */
  giveBack(when: string): void;
}

let scope: Releasable[] | null = null;

/** Puts a new handle into the scope that is open, if one is. */
export function track(handle: Releasable): void {
  scope?.push(handle);
}

/**
 * Runs `fn`, then lets go of all handles made meanwhile except those that `survivors` finds in its result, which pass to
 * the scope around. After an exception nothing survives.
 */
export function runScope<T>(
  fn: () => T,
  survivors: (result: T) => readonly Releasable[] | ReadonlySet<Releasable>,
  letGo: (handle: Releasable) => void,
): T {
  const outer = scope;
  const inner: Releasable[] = [];
  let surviving: readonly Releasable[] | ReadonlySet<Releasable> = [];
  scope = inner;
  try {
    const result = fn();
    surviving = survivors(result);
    return result;
  } finally {
    scope = outer;
    for (const handle of inner) {
      if ("has" in surviving ? surviving.has(handle) : surviving.includes(handle)) outer?.push(handle);
      else letGo(handle);
    }
  }
}

/** Handles that a finished backward pass went through: readable until the group is given back. */
export class SpentGroup {
  private handles: readonly Releasable[];

  constructor(handles: readonly Releasable[]) {
    this.handles = handles;
  }

  giveBack(when: string): void {
    const { handles } = this;
    this.handles = [];
    for (const handle of handles) handle.giveBack(when);
  }
}
