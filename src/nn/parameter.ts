import { commonKernels, Tensor } from "../tensor/tensor.js";

/** Settings of a {@link Parameter}. */
export interface ParameterOptions {
  /** Whether gradients are collected for it. Default true. */
  readonly requiresGrad?: boolean;
}

/**
 * A tensor that a {@link Module} learns: a leaf that requires grad, found by `parameters()` wherever it lies in a
 * module's fields, and never given back by scopes.
 *
 * It shares the memory of the tensor that it is made from, and has no part in its history.
 *
 * @throws DTypeError where gradients are asked of whole numbers.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.parameter.Parameter.html
 */
export class Parameter extends Tensor {
  /** @internal Keeps the type apart from that of other tensors. */
  readonly role = "parameter";

  constructor(data: Tensor, { requiresGrad = true }: ParameterOptions = {}) {
    commonKernels("Parameter", data);
    super(data.storage.retain(), data.shape, data.strides, data.offset, "Parameter");
    this.keep().requiresGrad_(requiresGrad);
  }

  override toString(): string {
    return `Parameter containing:\n${super.toString()}`;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** Settings of a {@link Buffer}. */
export interface BufferOptions {
  /** Whether it is part of the state dict. Default true. */
  readonly persistent?: boolean;
}

/**
 * A tensor that belongs to a {@link Module} without being learnt: running statistics, a mask, class weights. It moves
 * with `module.to(…)`, is saved in the state dict, and is never given back by scopes.
 *
 * It shares the memory of the tensor that it is made from.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.parameter.Buffer.html
 */
export class Buffer extends Tensor {
  /** @internal Keeps the type apart from that of other tensors. */
  readonly role = "buffer";
  readonly persistent: boolean;

  constructor(data: Tensor, { persistent = true }: BufferOptions = {}) {
    commonKernels("Buffer", data);
    super(data.storage.retain(), data.shape, data.strides, data.offset, "Buffer");
    this.persistent = persistent;
    this.keep();
  }

  override toString(): string {
    return `Buffer containing:\n${super.toString()}`;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}
