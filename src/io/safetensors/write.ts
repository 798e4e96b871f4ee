import { ArgumentError } from "../../errors.js";
import { isPlain } from "../../nn/fields.js";
import { bytesPerElement, type DType } from "../../tensor/dtype.js";
import { Tensor } from "../../tensor/tensor.js";
import { bytesOf } from "../elements.js";
import { type Entry, formatHeader, MAX_HEADER_BYTES, METADATA } from "./layout.js";

const kindOf: Readonly<Record<DType, string>> = {
  float16: "F16",
  float32: "F32",
  float64: "F64",
  int32: "I32",
  bool: "BOOL",
};

/**
 * The bytes of a file with `tensors`. What can be wrong with them is found before the first piece is asked for.
 *
 * @throws ArgumentError where a name cannot be written, an entry is no tensor, or (at the end) a tensor was changed meanwhile.
 * @throws ReleasedTensorError where a tensor was given back.
 */
export function safetensorsBytes(
  where: string,
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  checkTensors(where, tensors);
  checkMetadata(where, metadata);
  const named = Object.entries(tensors);
  // Wide elements first, so that every element lies at a multiple of its size.
  const inOrder = [...named].sort(([, a], [, b]) => bytesPerElement(b.dtype) - bytesPerElement(a.dtype));
  const places = new Map<string, Entry>();
  let end = 0;
  for (const [name, { dtype, shape }] of inOrder) {
    const begin = end;
    end += shape.reduce((product, extent) => product * extent, 1) * bytesPerElement(dtype);
    places.set(name, { name, kind: kindOf[dtype], shape, begin, end });
  }
  const entries = named.map(([name]) => places.get(name)).filter((entry) => entry !== undefined);
  const header = formatHeader({ entries, metadata });
  if (header.length - 8 > MAX_HEADER_BYTES) {
    throw new ArgumentError(
      `${where}: got names and metadata of ${header.length - 8} bytes; expected at most ${MAX_HEADER_BYTES}. Save fewer tensors in one file.`,
    );
  }
  const versions = inOrder.map(([, tensor]) => tensor.storage.version);
  return pieces(where, header, inOrder, versions);
}

async function* pieces(
  where: string,
  header: Uint8Array<ArrayBuffer>,
  tensors: readonly (readonly [string, Tensor])[],
  versions: readonly number[],
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  yield header;
  for (const [, tensor] of tensors) yield* bytesOf(tensor);
  tensors.forEach(([name, tensor], index) => {
    if (tensor.storage.version === versions[index]) return;
    throw new ArgumentError(
      `${where}: got tensor ${JSON.stringify(name)} changed while it was being written; expected it to stay as it is until then. ` +
        `Write await ${where}(…) before training goes on.`,
    );
  });
}

function checkTensors(where: string, tensors: unknown): void {
  if (!isPlain(tensors)) {
    throw new ArgumentError(
      `${where}: got ${tensors instanceof Tensor ? "a tensor" : String(tensors)}; expected an object of tensors by name. Pass model.stateDict().`,
    );
  }
  for (const [name, tensor] of Object.entries(tensors)) {
    if (!(tensor instanceof Tensor)) {
      throw new ArgumentError(
        `${where}: got ${String(tensor)} as ${JSON.stringify(name)}; expected a tensor. Leave it out, or put texts into metadata.`,
      );
    }
    if (name === METADATA || /\p{Surrogate}/u.test(name)) {
      throw new ArgumentError(
        `${where}: got the name ${JSON.stringify(name)}; expected one that safetensors can have. Rename that tensor.`,
      );
    }
  }
}

function checkMetadata(where: string, metadata: unknown): void {
  const entries = isPlain(metadata) ? Object.entries(metadata) : [["it", metadata]];
  for (const [name, text] of entries) {
    if (typeof text === "string" && typeof name === "string" && !/\p{Surrogate}/u.test(name + text)) continue;
    throw new ArgumentError(
      `${where}: got metadata in which ${JSON.stringify(name)} is ${String(text)}; expected texts by name. Write numbers as String(…).`,
    );
  }
}
