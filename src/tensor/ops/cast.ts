import { ArgumentError } from "../../errors.js";
import { isFloating } from "../../kernels/dtype.js";
import type { DType } from "../../kernels/kernelSet.js";
import { record } from "../autograd.js";
import { type Device, kernelsFor } from "../device.js";
import { commonKernels, Tensor } from "../tensor.js";

const dtypes: readonly string[] = ["float32", "float64", "int32", "bool"] satisfies DType[];
const devices: readonly string[] = ["cpu", "webgpu"] satisfies Device[];

/**
 * The tensor as another dtype or on another device; the very same tensor where it is there already. Floats are cut
 * towards zero on their way to int32, and anything but 0 becomes `true` as bool. Gradients pass through casts between floats.
 *
 * @throws DeviceError where the device is not present.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.to.html
 */
export function to(x: Tensor, target: DType | Device): Tensor {
  const kernels = commonKernels("to", x);
  if (devices.includes(target)) {
    // There is one device so far: kernelsFor refuses every other.
    kernelsFor(target as Device);
    return x;
  }
  if (!dtypes.includes(target)) {
    throw new ArgumentError(
      `to: got ${JSON.stringify(target)}; expected one of ${[...dtypes, ...devices].join(", ")}. Name a dtype or a device.`,
    );
  }
  const dtype = target as DType;
  if (x.dtype === dtype) return x;
  const out = Tensor.allocate(x.shape, dtype, x.device, "to");
  kernels.copy(x, out);
  if (!isFloating(dtype)) return out;
  const from = x.dtype;
  return record("to", out, [x], [], (g) => [() => to(g, from)]);
}

/** The tensor as float32. */
export function float(x: Tensor): Tensor {
  return to(x, "float32");
}

/** The tensor as float64, for gradient checks. */
export function double(x: Tensor): Tensor {
  return to(x, "float64");
}

/** The tensor as int32, fractions cut off. */
export function int(x: Tensor): Tensor {
  return to(x, "int32");
}

/** The tensor as bool: `true` where it is not 0. */
export function bool(x: Tensor): Tensor {
  return to(x, "bool");
}
