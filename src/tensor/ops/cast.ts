import { ArgumentError, DeviceError } from "../../errors.js";
import { isFloating } from "../../kernels/dtype.js";
import type { DType, TypedArray } from "../../kernels/kernelSet.js";
import { isRecording, record } from "../autograd.js";
import { type Device, kernelsFor } from "../device.js";
import type { Shape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";

const dtypes: readonly string[] = ["float16", "float32", "float64", "int32", "bool"] satisfies DType[];
const devices: readonly string[] = ["cpu", "webgpu"] satisfies Device[];

/**
 * The tensor as another dtype or on another device; the very same tensor where it is there already. Floats are cut
 * towards zero on their way to int32, and anything but 0 becomes `true` as bool. Gradients pass through casts between
 * floats, and not from device to device.
 *
 * @throws DeviceError where the device is not present or was not started; where the tensor lies on a GPU, from which
 * {@link cpu} reads; where a gradient would have to find its way back.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.to.html
 */
export function to(x: Tensor, target: DType | Device): Tensor {
  const kernels = commonKernels("to", x);
  if (devices.includes(target)) return toDevice(x, target as Device);
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

/**
 * A copy on the CPU, of any tensor: the asynchronous twin of `.to("cpu")`. It has no history, as that of `detach` has none;
 * a tensor that is on the CPU already comes back as it is.
 *
 * @throws DeviceError (as a rejection) where the device was lost.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.cpu.html
 */
export async function cpu(x: Tensor): Promise<Tensor> {
  commonKernels("cpu", x);
  if (x.device === "cpu") return x;
  const { shape, dtype } = x;
  return made("cpu", shape, dtype, await x.data());
}

function toDevice(x: Tensor, device: Device): Tensor {
  const target = kernelsFor(device);
  if (x.device === device && x.kernels === target) return x;
  if (x.kernels.readSync === null) {
    throw new DeviceError(
      `to: got a tensor on "${x.device}" for "${device}"; expected one on the CPU, which alone can be read without waiting. ` +
        `Use await x.cpu()${device === "cpu" ? "" : `, then .to("${device}")`}.`,
    );
  }
  if (isRecording([x])) {
    throw new DeviceError(
      `to: got a tensor on "${x.device}" that requires grad, for "${device}"; expected one without, because no gradient finds its way ` +
        `back between devices. Move it first: x.detach().to("${device}").requiresGrad_(), or the whole module.`,
    );
  }
  return made(device, x.shape, x.dtype, x.dataSync());
}

function made(device: Device, shape: Shape, dtype: DType, data: TypedArray): Tensor {
  const out = Tensor.allocate(shape, dtype, device, "to");
  out.kernels.write(out.buffer, dtype, 0, data);
  return out;
}

/** The tensor as float32. */
export function float(x: Tensor): Tensor {
  return to(x, "float32");
}

/**
 * The tensor as float16.
 *
 * @throws DTypeError where the device has none: the CPU, and GPUs without the feature shader-f16.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.half.html
 */
export function half(x: Tensor): Tensor {
  return to(x, "float16");
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
