import { DTypeError } from "../../errors.js";
import type { Device } from "../../tensor/device.js";
import { checkShape } from "../../tensor/shape.js";
import type { Tensor } from "../../tensor/tensor.js";
import { readTensor } from "../elements.js";
import type { ElementType } from "../elementTypes.js";
import type { Source } from "../source.js";
import { bad, type Entry, type Header, kinds, MAX_HEADER_BYTES, parseHeader } from "./layout.js";

/** Where the header begins. */
const HEADER_START = 8;

/** Whether bytes from a file's beginning, nine or more, may be those of safetensors. */
export function looksLikeSafetensors(start: Uint8Array): boolean {
  return start[HEADER_START] === 0x7b;
}

/** The header, and where the tensors' bytes begin. */
export async function readHeader(source: Source): Promise<Header & { readonly start: number }> {
  const { name, size } = source;
  if (size < HEADER_START) throw bad(name, `${size} bytes`, `${HEADER_START} and a header`);
  const lengthBytes = new Uint8Array(HEADER_START);
  await source.read(0, lengthBytes);
  const length = Number(new DataView(lengthBytes.buffer).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES) throw bad(name, `a header of ${length} bytes`, `at most ${MAX_HEADER_BYTES}`);
  const start = HEADER_START + length;
  if (start > size) throw bad(name, `${size} bytes with a header of ${length}`, `at least ${start}`);
  const header = new Uint8Array(length);
  await source.read(HEADER_START, header);
  return { ...parseHeader(header, size - start, name), start };
}

/** All tensors of a file, in the header's order. */
export async function readSafetensors(source: Source, device: Device): Promise<Record<string, Tensor>> {
  const { entries, start } = await readHeader(source);
  const types = entries.map((entry) => {
    checkShape(`load: tensor ${JSON.stringify(entry.name)}`, entry.shape);
    return [entry, typeOf(entry, source.name)] as const;
  });
  const tensors: [string, Tensor][] = [];
  try {
    for (const [{ name, shape, begin }, type] of types) {
      const where = `tensor ${JSON.stringify(name)} of ${source.name}`;
      tensors.push([name, await readTensor(source, start + begin, type, shape, device, where)]);
    }
  } catch (error) {
    for (const [, tensor] of tensors) tensor.dispose();
    throw error;
  }
  return Object.fromEntries(tensors);
}

function typeOf({ name, kind }: Entry, file: string): ElementType {
  const type: ElementType | undefined = Object.hasOwn(kinds, kind) ? kinds[kind as keyof typeof kinds] : undefined;
  if (type !== undefined) return type;
  throw new DTypeError(
    `load: got tensor ${JSON.stringify(name)} of ${kind} in ${file}; expected one of ${Object.keys(kinds).join(", ")}. ` +
      "Save it as one of these.",
  );
}
