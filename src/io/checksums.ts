/** Cyclic sums of 32 bits, by which files tell that they were damaged. */

/** Works out a sum over bytes that may come in pieces; `before` is the sum of what came before. */
export type Checksum = (bytes: Uint8Array, before?: number) => number;

/**
 * CRC-32, as ZIP, gzip and PNG have it.
 *
 * @see https://www.rfc-editor.org/rfc/rfc1952#section-8
 */
export const crc32 = /* @__PURE__ */ checksum(0xedb88320);

/**
 * CRC-32C (Castagnoli), as TensorBoard's event files have it.
 *
 * @see https://www.rfc-editor.org/rfc/rfc3720#appendix-B.4
 */
export const crc32c = /* @__PURE__ */ checksum(0x82f63b78);

/** @param polynomial with its bits in reverse order, as the sums have theirs */
function checksum(polynomial: number): Checksum {
  // Tables for four bytes at a time: table k tells what a byte does to the sum k bytes later.
  const first = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let sum = byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ polynomial : sum >>> 1;
    first[byte] = sum;
  }
  const later = (table: Int32Array): Int32Array =>
    table.map((before) => (before >>> 8) ^ (first[before & 255] as number));
  const second = later(first);
  const third = later(second);
  const fourth = later(third);
  return (bytes, before = 0) => {
    let sum = ~before;
    let i = 0;
    for (; i + 4 <= bytes.length; i += 4) {
      sum ^=
        (bytes[i] as number) |
        ((bytes[i + 1] as number) << 8) |
        ((bytes[i + 2] as number) << 16) |
        ((bytes[i + 3] as number) << 24);
      sum =
        (fourth[sum & 255] as number) ^
        (third[(sum >>> 8) & 255] as number) ^
        (second[(sum >>> 16) & 255] as number) ^
        (first[sum >>> 24] as number);
    }
    for (; i < bytes.length; i++) sum = (sum >>> 8) ^ (first[(sum ^ (bytes[i] as number)) & 255] as number);
    return ~sum >>> 0;
  };
}
