import { ArgumentError, AutogradError, DeviceError, DTypeError, ReleasedTensorError, ShapeError } from "../errors.js";
import { bytesPerElement, isFloating } from "../kernels/dtype.js";
import type { DeviceBuffer, DType, KernelSet, TypedArray } from "../kernels/kernelSet.js";
import type { GradNode } from "./autograd.js";
import { breathe } from "./collect.js";
import { type Device, kernelsFor } from "./device.js";
import type { GradHooks } from "./gradHooks.js";
import { type Releasable, SMALL_BYTES, type SpentGroup, Storage, track } from "./memory.js";
import { formatTensor } from "./print.js";
import { denseStrides, elementCount, formatShape, isDense, normalizeAxis, type Shape, sameShape } from "./shape.js";

/** Numbers in nested arrays, as deep as the tensor has axes. */
export type NestedArray<T> = T | NestedArray<T>[];

/**
 * An array of numbers on a device, which remembers how it was computed when a gradient will be asked for.
 *
 * A `Tensor` is a handle: views share the storage of their base. Operations are functions with a tensor as their first
 * argument, and all of them are methods too.
 *
 * @see https://pytorch.org/docs/stable/tensors.html
 */
export class Tensor {
  /** The op that made it, for messages. */
  readonly madeBy: string;
  readonly shape: Shape;
  /** @internal The tape's record of the op that made it; null for leaves and for what needs no gradient. */
  node: GradNode | null = null;
  /** @internal Intermediates of the last backward pass that reached this leaf. */
  spent: SpentGroup | null = null;
  /** @internal Of a tensor that is given back at a known time: the views taken of it, which go with it. */
  lentViews: Releasable[] | null = null;
  /** @internal For a leaf: what is done with its gradient. Other tensors' nodes have theirs. */
  gradHooks: GradHooks | null = null;
  /** @internal For a view: how often recorded in-place ops had changed its storage when it was taken. */
  viewVersion: number | null = null;

  private ownStorage: Storage;
  private ownStrides: readonly number[];
  private ownOffset: number;
  private wantsGrad = false;
  private retains = false;
  private ownGrad: Tensor | null = null;
  private kept = false;
  private isGrad = false;
  private parked = false;
  private releasedWhen: string | null = null;

  /** @internal Takes over one reference to `storage`. Use the factories: `tensor`, `zeros`, `randn`, … */
  constructor(storage: Storage, shape: Shape, strides: readonly number[], offset: number, madeBy: string) {
    this.ownStorage = storage;
    this.shape = shape;
    this.ownStrides = strides;
    this.ownOffset = offset;
    this.madeBy = madeBy;
    track(this);
  }

  /** @internal A new tensor with uninitialised elements in row-major order. */
  static allocate(shape: Shape, dtype: DType, device: Device, madeBy: string): Tensor {
    const kernels = kernelsFor(device);
    if (!kernels.supports(dtype)) {
      throw new DTypeError(
        dtype === "float16"
          ? `${madeBy}: got float16 on "${device}"; expected it on "webgpu", with a GPU that has the feature "shader-f16". Use float32 here.`
          : `${madeBy}: got ${dtype} on "${device}"; expected a dtype that this device has. Use float32, or the device "cpu".`,
      );
    }
    const storage = Storage.onDevice(device, kernels, dtype, elementCount(shape), madeBy);
    return new Tensor(storage, shape, denseStrides(shape), 0, madeBy);
  }

  // --- what it is ---------------------------------------------------------------------------------------------------

  get dtype(): DType {
    return this.ownStorage.dtype;
  }

  get device(): Device {
    return this.ownStorage.device;
  }

  /** Number of axes. */
  get ndim(): number {
    return this.shape.length;
  }

  /** Steps between neighbours along each axis, in elements. */
  get strides(): readonly number[] {
    return this.ownStrides;
  }

  /** Where the first element lies in the storage, in elements. */
  get offset(): number {
    return this.ownOffset;
  }

  /** Number of elements. */
  numel(): number {
    return elementCount(this.shape);
  }

  /** The extent of one axis, which may count from the end. */
  size(axis: number): number {
    return this.shape[normalizeAxis("size", axis, this.ndim)] ?? 1;
  }

  /** Whether its elements lie in row-major order without gaps. */
  isContiguous(): boolean {
    return isDense(this.shape, this.ownStrides);
  }

  // --- gradients ----------------------------------------------------------------------------------------------------

  /** Whether operations on this tensor are recorded, so that a gradient can reach it or what it was made from. */
  get requiresGrad(): boolean {
    return this.wantsGrad || this.node !== null;
  }

  /** Whether it was made by the user and not by a recorded op. Only leaves collect a `.grad`. */
  get isLeaf(): boolean {
    return this.node === null;
  }

  /**
   * Says whether gradients shall be collected for this leaf. Returns the tensor.
   *
   * @throws DTypeError where the dtype has no gradients.
   * @throws AutogradError where the tensor was made by a recorded op.
   */
  requiresGrad_(requiresGrad = true): this {
    if (requiresGrad && !isFloating(this.dtype)) {
      throw new DTypeError(
        `requiresGrad: got a tensor of ${this.dtype}; expected float32 or float64, which alone have gradients. Cast it with .float() first.`,
      );
    }
    if (!requiresGrad && this.node !== null) {
      throw new AutogradError(
        `requiresGrad_: got false for the output of ${this.node.name}; expected a leaf. Use .detach() for a tensor without history.`,
      );
    }
    this.wantsGrad = requiresGrad && this.node === null;
    return this;
  }

  /** The gradient that `backward()` has collected for this leaf, or null. */
  get grad(): Tensor | null {
    return this.ownGrad;
  }

  /** Whether {@link retainGrad} was called on a tensor that is no leaf, so that `.grad` is filled. */
  get retainsGrad(): boolean {
    return this.retains;
  }

  /** @internal */
  set retainsGrad(retains: boolean) {
    this.retains = retains;
  }

  set grad(grad: Tensor | null) {
    if (grad !== null) this.checkGrad(grad);
    if (this.ownGrad !== null) this.ownGrad.isGrad = false;
    if (grad !== null) grad.isGrad = true;
    this.ownGrad = grad;
  }

  private checkGrad(grad: Tensor): void {
    if (!(grad instanceof Tensor)) {
      throw new ArgumentError(`grad: got ${describe(grad)}; expected a tensor or null. Make one with tensor(…).`);
    }
    if (!sameShape(grad.shape, this.shape)) {
      throw new ShapeError(
        `grad: got shape ${formatShape(grad.shape)}; expected the tensor's own shape ${formatShape(this.shape)}. Reshape the gradient.`,
      );
    }
    if (grad.dtype !== this.dtype || grad.device !== this.device) {
      throw new (grad.dtype === this.dtype ? DeviceError : DTypeError)(
        `grad: got ${grad.dtype} on "${grad.device}"; expected the tensor's own ${this.dtype} on "${this.device}". Move the gradient with .to(…).`,
      );
    }
  }

  /** @internal Forgets the gradient and gives its memory back. */
  clearGrad(when: string): void {
    const grad = this.ownGrad;
    this.grad = null;
    grad?.giveBack(when);
  }

  // --- memory -------------------------------------------------------------------------------------------------------

  /**
   * @internal The storage behind the handle.
   * @throws ReleasedTensorError where it was given back.
   */
  get storage(): Storage {
    if (this.releasedWhen !== null) {
      throw new ReleasedTensorError(
        `tensor: got a tensor of shape ${formatShape(this.shape)} made by ${this.madeBy} and given back ${this.releasedWhen}; ` +
          `expected one that is alive. Read it earlier, or hold on to it with .keep() or .clone().`,
      );
    }
    return this.ownStorage;
  }

  /** @internal What the kernels see. */
  get buffer(): DeviceBuffer {
    return this.storage.buffer;
  }

  /** @internal The kernel set that serves this tensor. */
  get kernels(): KernelSet {
    return this.storage.kernels;
  }

  /** Whether its memory was given back. */
  get isReleased(): boolean {
    return this.releasedWhen !== null;
  }

  /** @internal A second handle to the same elements, with the same history. */
  alias(): Tensor {
    const twin = new Tensor(this.storage.retain(), this.shape, this.ownStrides, this.ownOffset, this.madeBy);
    twin.node = this.node;
    twin.viewVersion = this.viewVersion;
    return twin;
  }

  /** @internal Takes over the elements of `other`, of any dtype and device, and lets go of its own. The shapes are equal. */
  become(other: Tensor): void {
    const before = this.storage;
    this.ownStorage = other.storage.retain();
    this.ownStrides = other.strides;
    this.ownOffset = other.offset;
    this.unpark(before);
    before.release();
  }

  /** Exempts this tensor from being given back by scopes, backward passes and loaders. Returns the tensor. */
  keep(): this {
    this.kept = true;
    return this;
  }

  /** Gives the memory back at once. Nobody has to: see the section on memory in the guide. */
  dispose(): void {
    this.letGo("by dispose()");
  }

  [Symbol.dispose](): void {
    this.letGo("at the end of its `using` block");
  }

  /** @internal Lets go at once, unless kept. */
  discard(): void {
    if (!this.kept && !this.isGrad) this.letGo("with the op that it was made in");
  }

  /** @internal Lets go unless kept; a small tensor moves to JavaScript's memory instead and stays readable. */
  giveBack(when: string): void {
    if (this.kept || this.isGrad || this.parked || this.releasedWhen !== null) return;
    const { ownStorage } = this;
    if (this.numel() * bytesPerElement(this.dtype) > SMALL_BYTES) {
      this.letGo(when);
      return;
    }
    if (ownStorage.byteLength > SMALL_BYTES) {
      // A small part of something large, which it shall not keep alive.
      const { device, kernels } = ownStorage;
      if (kernels.readSync === null && kernels.setAside === undefined) return;
      const own = Storage.onDevice(device, kernels, this.dtype, this.numel(), this.madeBy);
      const { buffer, dtype } = own;
      const strides = denseStrides(this.shape);
      kernels.copy(this, { buffer, dtype, shape: this.shape, strides, offset: 0 });
      this.ownStorage = own;
      this.ownStrides = strides;
      this.ownOffset = 0;
      ownStorage.release();
    }
    this.parked = true;
    this.ownStorage.park();
    this.giveBackRetained(when);
  }

  private letGo(when: string): void {
    if (this.releasedWhen !== null) return;
    this.releasedWhen = when;
    this.unpark(this.ownStorage);
    this.ownStorage.release();
    this.giveBackRetained(when);
  }

  /** A retained gradient goes with the tensor that it belongs to: no optimizer knows of it. */
  private giveBackRetained(when: string): void {
    if (!this.retains || this.ownGrad === null) return;
    this.ownGrad.isGrad = false;
    this.ownGrad.giveBack(when);
  }

  private unpark(storage: Storage): void {
    if (this.parked) storage.unpark();
    this.parked = false;
  }

  // --- reading ------------------------------------------------------------------------------------------------------

  /** The elements in row-major order, as a typed array of their own. */
  async data(): Promise<TypedArray> {
    const values =
      this.hostData() ??
      (await this.readDense((kernels, buffer, offset) => kernels.read(buffer, this.dtype, offset, this.numel())));
    // A loop that awaits its losses gives finalizers their turn here.
    await breathe();
    return values;
  }

  /**
   * {@link data} without waiting, on the CPU.
   *
   * @throws DeviceError on a device that can only be read with `await`.
   */
  dataSync(): TypedArray {
    return (
      this.hostData() ??
      this.readDense((kernels, buffer, offset) => {
        if (kernels.readSync === null) {
          throw new DeviceError(
            `dataSync: got a tensor on "${this.device}"; expected one on the CPU, which alone can be read without waiting. ` +
              `Use await data() (await item() for itemSync, await toArray() for toArraySync).`,
          );
        }
        return kernels.readSync(buffer, this.dtype, offset, this.numel());
      })
    );
  }

  /**
   * The only element, as a number (0 or 1 for bool).
   *
   * @throws ShapeError where there is not exactly one.
   */
  async item(): Promise<number> {
    this.checkSingle("item");
    return (await this.data())[0] ?? Number.NaN;
  }

  /** {@link item} without waiting, on the CPU. */
  itemSync(): number {
    this.checkSingle("itemSync");
    return this.dataSync()[0] ?? Number.NaN;
  }

  /** The elements in nested arrays; bools as `true` and `false`. A scalar gives the bare value. */
  async toArray(): Promise<NestedArray<number | boolean>> {
    return nest(await this.data(), this.shape, this.dtype);
  }

  /** {@link toArray} without waiting, on the CPU. */
  toArraySync(): NestedArray<number | boolean> {
    return nest(this.dataSync(), this.shape, this.dtype);
  }

  toString(): string {
    return formatTensor(this);
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return formatTensor(this);
  }

  private checkSingle(where: string): void {
    if (this.numel() !== 1) {
      throw new ShapeError(
        `${where}: got shape ${formatShape(this.shape)} with ${this.numel()} elements; expected exactly one element. Reduce it first, or use data().`,
      );
    }
  }

  /** A copy of what has moved to JavaScript's memory, which need not move back to be read. */
  private hostData(): TypedArray | null {
    const { hostData } = this.storage;
    if (hostData === null || !this.isContiguous()) return null;
    return hostData.slice(this.ownOffset, this.ownOffset + this.numel());
  }

  private readDense<R>(read: (kernels: KernelSet, buffer: DeviceBuffer, offset: number) => R): R {
    const { kernels, buffer } = this.storage;
    if (this.isContiguous()) return read(kernels, buffer, this.ownOffset);
    const dense = kernels.alloc(this.dtype, this.numel());
    try {
      kernels.copy(this, {
        buffer: dense,
        dtype: this.dtype,
        shape: this.shape,
        strides: denseStrides(this.shape),
        offset: 0,
      });
      return read(kernels, dense, 0);
    } finally {
      kernels.free(dense);
    }
  }
}

function nest(data: TypedArray, shape: Shape, dtype: DType): NestedArray<number | boolean> {
  let position = 0;
  const build = (axis: number): NestedArray<number | boolean> => {
    if (axis === shape.length) {
      const value = data[position++] ?? Number.NaN;
      return dtype === "bool" ? value !== 0 : value;
    }
    return Array.from({ length: shape[axis] ?? 0 }, () => build(axis + 1));
  };
  return build(0);
}

/** @internal The kernel set that all of an op's tensors live on.
 *
 * @throws DeviceError where they live on different devices.
 * @throws ArgumentError where an argument is no tensor.
 */
export function commonKernels(where: string, ...tensors: readonly Tensor[]): KernelSet {
  let first: Tensor | undefined;
  for (const tensor of tensors) {
    if (!(tensor instanceof Tensor)) {
      throw new ArgumentError(`${where}: got ${describe(tensor)}; expected a tensor. Make one with tensor(…).`);
    }
    const { device } = tensor.storage;
    first ??= tensor;
    if (device !== first.device) {
      throw new DeviceError(
        `${where}: got tensors on "${first.device}" and "${device}"; expected all on one device. Move one with .to("${first.device}").`,
      );
    }
  }
  if (first === undefined) throw new ArgumentError(`${where}: got no tensors; expected at least one. Pass a tensor.`);
  return first.kernels;
}

function describe(value: unknown): string {
  return value === null || typeof value !== "object" ? String(value) : (value.constructor?.name ?? "an object");
}
