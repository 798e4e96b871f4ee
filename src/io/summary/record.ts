import { crc32c } from "../checksums.js";

/**
 * A record as event files have them: its length in 8 bytes, a sum over those, its bytes, a sum over these. Numbers begin
 * with their lowest byte.
 *
 * @see https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
 */
export function recordOf(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 16);
  const numbers = new DataView(bytes.buffer);
  numbers.setBigUint64(0, BigInt(data.length), true);
  numbers.setUint32(8, maskedSum(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  numbers.setUint32(12 + data.length, maskedSum(data), true);
  return bytes;
}

/** The sum, turned and moved: a sum over bytes with sums in them would tell less. */
function maskedSum(bytes: Uint8Array): number {
  const sum = crc32c(bytes);
  return (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;
}
