import { ArgumentError, DataFormatError } from "../errors.js";
import { checkOptions } from "../nn/arguments.js";
import type { StateDict } from "../nn/stateDict.js";
import { type Device, getDefaultDevice } from "../tensor/device.js";
import { looksLikeSafetensors, readHeader, readSafetensors } from "./safetensors/read.js";
import { type LoadSource, type Source, withSource } from "./source.js";
import { looksLikePickle, looksLikeZip, readTorch } from "./torch/read.js";

/** Settings of {@link load}. */
export interface LoadOptions {
  /** Where the tensors shall live. Default: the default device. */
  readonly device?: Device;
  /**
   * For a file of torch.save that holds more than one state dict: the key that leads to it, or the keys from the outermost
   * dictionary inwards.
   */
  readonly key?: string | readonly string[];
}

/**
 * Reads tensors by name from a safetensors file, or from one that `torch.save` made of a state dict: `model.loadStateDict(await
 * load(path))`. Which of the two it is, its first bytes tell.
 *
 * In Node a text is a path, unless it begins with http:, https:, data: or file:. In browsers a text is an address. Names are
 * those in the file. float16 and bfloat16 become float32; whole numbers of other widths become int32. Tensors that
 * share memory in a file of `torch.save` share it here. A large file is read in small pieces, so that it takes little more
 * memory than its tensors do.
 *
 * Nothing in a file is ever executed: of a pickle's instructions and names only those are known that a dictionary of
 * tensors needs.
 *
 * @throws DataFormatError where the file is damaged, or holds anything but tensors.
 * @throws DTypeError where int32 does not hold a number, or there is no dtype for the elements.
 * @throws FileError where it cannot be read.
 * @see https://huggingface.co/docs/safetensors and https://docs.pytorch.org/docs/stable/generated/torch.load.html
 */
export async function load(source: LoadSource, options: LoadOptions = {}): Promise<StateDict> {
  checkOptions("load", options, ["device", "key"]);
  const { device = getDefaultDevice(), key = [] } = options;
  const path = typeof key === "string" ? [key] : key;
  if (!Array.isArray(path) || !path.every((part) => typeof part === "string")) {
    throw new ArgumentError(`load: got key ${JSON.stringify(key)}; expected a text or a list of texts. Correct it.`);
  }
  return withSource("load", source, async (opened) => {
    const start = await firstBytes(opened);
    if (looksLikeZip(start)) return readTorch(opened, device, path);
    checkSafetensors(opened, start);
    if (path.length > 0) {
      throw new ArgumentError(
        `load: got key ${JSON.stringify(key)} for ${opened.name}; expected none, because safetensors hold no dictionaries of dictionaries. Leave it out.`,
      );
    }
    return readSafetensors(opened, device);
  });
}

/**
 * The texts that a safetensors file holds beside its tensors, none of which is read.
 *
 * @throws DataFormatError, FileError as {@link load}.
 */
export async function loadMetadata(source: LoadSource): Promise<Record<string, string>> {
  return withSource("loadMetadata", source, async (opened) => {
    checkSafetensors(opened, await firstBytes(opened));
    return { ...(await readHeader(opened)).metadata };
  });
}

/** What tells the formats apart. */
export async function firstBytes(source: Source): Promise<Uint8Array> {
  const start = new Uint8Array(Math.min(9, source.size));
  await source.read(0, start);
  return start;
}

/** @throws DataFormatError where the first bytes are not those of safetensors. */
export function checkSafetensors({ name, size }: Source, start: Uint8Array): void {
  if (looksLikeSafetensors(start)) return;
  if (looksLikePickle(start)) {
    throw new DataFormatError(
      `load: got a bare pickle in ${name}, as torch.save wrote before PyTorch 1.6; expected a zip archive. ` +
        "Load it in Python and save it with torch.save again.",
    );
  }
  const hex = [...start].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  throw new DataFormatError(
    `load: got ${size} bytes that begin with ${hex || "nothing"} in ${name}; expected safetensors, or a zip archive of torch.save. Choose another file.`,
  );
}
