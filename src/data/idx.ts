/**
 * The idx file format as tensors.
 *
 * @see http://yann.lecun.com/exdb/mnist/ (at the end of the page)
 * @module
 */

import { DataFormatError } from "../errors.js";
import { tensor } from "../tensor/create.js";
import { MAX_ELEMENTS } from "../tensor/shape.js";
import { Tensor } from "../tensor/tensor.js";
import { decodeIdx } from "./idxDecode.js";
import { type EncodeIdxOptions, encodeIdxArray } from "./idxEncode.js";
import type { IdxArray } from "./idxFormat.js";

/**
 * Reads an idx file, plain or gzip, into a tensor of the file's shape.
 *
 * `ubyte`, `byte`, `short` and `int` give int32, `float` gives float32 and `double` gives float64. A gzip file is given up
 * as soon as it holds more than its header declares; it must be one gzip member with nothing after it.
 *
 * @throws DataFormatError where the bytes are not a whole idx file and nothing else.
 */
export async function parseIdx(bytes: Uint8Array | ArrayBuffer): Promise<Tensor> {
  const { data, shape } = await decodeIdx(bytes, "parseIdx");
  if (data.length > MAX_ELEMENTS) {
    throw new DataFormatError(
      `parseIdx: got a file of ${data.length} elements; expected at most ${MAX_ELEMENTS}, which a tensor may have. ` +
        "Split the file.",
    );
  }
  return tensor(data, { shape });
}

/**
 * Writes a tensor, or a typed array with its shape, as an idx file.
 *
 * Values written as `float` are rounded to the nearest float32; every other conversion must be exact. Default type: int32
 * gives `int`, float32 `float`, float64 `double`, bool `ubyte`; a typed array gives the type of its elements.
 *
 * @throws DataFormatError where the shape does not fit the format, or a value does not fit the type.
 */
export async function encodeIdx(
  source: Tensor | IdxArray,
  options: EncodeIdxOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const array = source instanceof Tensor ? { data: await source.data(), shape: source.shape } : source;
  return encodeIdxArray(array, options);
}
