/**
 * The errors of this library. Each message reads `where: got X; expected Y. How to fix it.`
 *
 * @module
 */

/** The base of every error that this library throws on purpose. */
export class TapegradError extends Error {
  override readonly name: string = "TapegradError";
}

/** A shape, an axis or an index does not fit. */
export class ShapeError extends TapegradError {
  override readonly name = "ShapeError";
}

/** A dtype does not fit, or an operation has no meaning for it. */
export class DTypeError extends TapegradError {
  override readonly name = "DTypeError";
}

/** A device is missing, was lost, or does not hold all of the tensors of one operation. */
export class DeviceError extends TapegradError {
  override readonly name = "DeviceError";
}

/** A tensor was used after its memory had been given back. */
export class ReleasedTensorError extends TapegradError {
  override readonly name = "ReleasedTensorError";
}

/** A file or a byte stream is not what its format says. */
export class DataFormatError extends TapegradError {
  override readonly name = "DataFormatError";
}

/** An argument's value is out of its range: a learning rate of NaN, a batch size of 0, a probability of 2. */
export class ArgumentError extends TapegradError {
  override readonly name = "ArgumentError";
}

/** The tape cannot do what was asked: a graph walked twice, a saved tensor changed in place, a gradient of nothing. */
export class AutogradError extends TapegradError {
  override readonly name = "AutogradError";
}

/** A device or the heap has no room left for a new tensor. */
export class OutOfMemoryError extends TapegradError {
  override readonly name = "OutOfMemoryError";
}
