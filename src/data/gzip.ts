/**
 * gzip through the platform's own streams, so that browsers and Node share one road.
 *
 * @module
 */

import { DataFormatError } from "../errors.js";

/** The most bytes that deflate can make out of one byte: a match of 258 bytes coded in 2 bits. */
export const MAX_GZIP_RATIO = 1032;

/** A gzip file is no shorter: 10 bytes of header, 8 of trailer. */
const MIN_GZIP_BYTES = 18;

/** Fed at once, so that what one slice inflates to (16 MiB at worst) bounds what waits in the stream's queue. */
const SLICE_BYTES = 16384;

/** Tells whether the bytes begin with gzip's magic number. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Reads the length that a gzip file's trailer claims for its content, modulo 2³².
 *
 * @throws DataFormatError when the file is shorter than any gzip file.
 * @see RFC 1952, section 2.3.1 (ISIZE).
 */
export function gzipContentLength(bytes: Uint8Array, where: string): number {
  if (bytes.length < MIN_GZIP_BYTES) {
    throw new DataFormatError(
      `${where}: got ${bytes.length} bytes of gzip data; expected at least ${MIN_GZIP_BYTES}. ` +
        "The file is truncated: copy or download it again.",
    );
  }
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(bytes.length - 4, true);
}

/**
 * Inflates gzip data piece by piece; leaving the loop stops the work and frees what was queued.
 *
 * @throws DataFormatError when the data is damaged or cut off.
 */
export async function* inflate(bytes: Uint8Array<ArrayBuffer>, where: string): AsyncGenerator<Uint8Array> {
  let position = 0;
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      controller.enqueue(bytes.subarray(position, position + SLICE_BYTES));
      position += SLICE_BYTES;
      if (position >= bytes.length) controller.close();
    },
  });
  const reader = source.pipeThrough(new DecompressionStream("gzip")).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataFormatError(
      `${where}: got ${bytes.length} bytes of gzip data that do not inflate (${reason}); expected a whole gzip file. ` +
        "The file is damaged or truncated: copy or download it again.",
      { cause: error },
    );
  } finally {
    // A stream that failed rejects its cancellation with the error that was thrown above.
    await reader.cancel().catch(() => undefined);
  }
}

/** Packs bytes as one gzip member. */
export async function deflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}
