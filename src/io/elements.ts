/** Elements of tensors on their way from and to files, a piece at a time: a large tensor is never in memory twice. */
import type { Device } from "../tensor/device.js";
import { bytesPerElement, type TypedArray } from "../tensor/dtype.js";
import { elementCount, isDense, type Shape } from "../tensor/shape.js";
import { Tensor } from "../tensor/tensor.js";
import { type ElementType, halvesOf } from "./elementTypes.js";
import type { Source } from "./source.js";

/** Bytes in one piece: a multiple of every element's. */
const PIECE_BYTES = 2 ** 20;

/**
 * A tensor with the elements that lie in `source` from `position` on, in row-major order.
 *
 * @param where names the tensor, for messages
 * @param onPiece is shown the bytes as they come
 */
export async function readTensor(
  source: Source,
  position: number,
  type: ElementType,
  shape: Shape,
  device: Device,
  where: string,
  onPiece: (bytes: Uint8Array) => void = () => undefined,
): Promise<Tensor> {
  const out = Tensor.allocate(shape, type.dtype, device, "load");
  try {
    const total = elementCount(shape) * type.bytes;
    let buffer = new ArrayBuffer(Math.min(total, PIECE_BYTES));
    const scratch = new ArrayBuffer((buffer.byteLength / type.bytes) * bytesPerElement(type.dtype));
    for (let done = 0; done < total; done += buffer.byteLength) {
      if (total - done < buffer.byteLength) buffer = new ArrayBuffer(total - done);
      const bytes = new Uint8Array(buffer);
      await source.read(position + done, bytes);
      onPiece(bytes);
      out.kernels.write(out.buffer, out.dtype, done / type.bytes, type.decode(buffer, scratch, where));
    }
    return out;
  } catch (error) {
    out.dispose();
    throw error;
  }
}

/** The bytes of a tensor's elements in row-major order, a piece at a time. */
export async function* bytesOf(tensor: Tensor): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const count = tensor.numel();
  const step = PIECE_BYTES / bytesPerElement(tensor.dtype);
  if (count <= step || !isDense(tensor.shape, tensor.strides)) {
    yield asBytes(tensor, await tensor.data());
    return;
  }
  for (let done = 0; done < count; done += step) {
    const { kernels, buffer } = tensor;
    const length = Math.min(step, count - done);
    yield asBytes(tensor, await kernels.read(buffer, tensor.dtype, tensor.offset + done, length));
  }
}

function asBytes({ dtype }: Tensor, values: TypedArray): Uint8Array<ArrayBuffer> {
  const elements = dtype === "float16" ? halvesOf(values) : values;
  return new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
}
