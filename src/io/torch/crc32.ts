/** Tables for four bytes at a time: table k tells what a byte does to the sum k bytes later. */
const tables = Array.from({ length: 4 }, () => new Int32Array(256)) as [Int32Array, Int32Array, Int32Array, Int32Array];
for (let byte = 0; byte < 256; byte++) {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  tables[0][byte] = sum;
}
for (let k = 1; k < 4; k++) {
  const [before, after] = [tables[k - 1], tables[k]] as [Int32Array, Int32Array];
  for (let byte = 0; byte < 256; byte++) {
    const sum = before[byte] as number;
    after[byte] = (sum >>> 8) ^ (tables[0][sum & 255] as number);
  }
}

/**
 * The CRC-32 of bytes that may come in pieces.
 *
 * @param before the sum of what came before
 * @see https://www.rfc-editor.org/rfc/rfc1952#section-8
 */
export function crc32(bytes: Uint8Array, before = 0): number {
  const [first, second, third, fourth] = tables;
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
}
