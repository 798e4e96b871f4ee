import { crc32 } from "../checksums.js";
import type { EncodedImage } from "./entry.js";

/** Kinds of pixel by their number of channels. */
const colourTypes: Readonly<Record<number, number>> = { 1: 0, 3: 2, 4: 6 };

const signature = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);

/**
 * Packs pixels of 8 bits as PNG.
 *
 * @param pixels row by row, all channels of a pixel together: 1 grey, 3 RGB, 4 RGBA
 * @see https://www.w3.org/TR/png-3/
 */
export async function encodePng(
  pixels: Uint8Array,
  width: number,
  height: number,
  channels: number,
): Promise<EncodedImage> {
  const header = new Uint8Array(13);
  const numbers = new DataView(header.buffer);
  numbers.setUint32(0, width);
  numbers.setUint32(4, height);
  header.set([8, colourTypes[channels] ?? 0, 0, 0, 0], 8);
  // Each row begins with the kind of its filter: none.
  const rowLength = width * channels;
  const rows = new Uint8Array(height * (rowLength + 1));
  for (let y = 0; y < height; y++) {
    rows.set(pixels.subarray(y * rowLength, (y + 1) * rowLength), y * (rowLength + 1) + 1);
  }
  const packed = new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate"));
  const data = new Uint8Array(await new Response(packed).arrayBuffer());
  const pieces = [signature, chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", new Uint8Array())];
  return { width, height, channels, png: joined(pieces) };
}

function chunk(kind: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const numbers = new DataView(bytes.buffer);
  numbers.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(kind), 4);
  bytes.set(data, 8);
  numbers.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

/** All pieces in one array. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const piece of pieces) {
    bytes.set(piece, end);
    end += piece.length;
  }
  return bytes;
}
