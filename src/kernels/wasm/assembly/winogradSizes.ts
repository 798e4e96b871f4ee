/**
 * Sizes of the Winograd convolution that both sides know.
 *
 * @module
 */

/** Products of one tile: 6x6 input places make 4x4 output places of a 3x3 filter. */
export const POINTS = 36;
/** Output places of a tile, in each direction. */
export const TILE = 4;
/** Tiles side by side that are transformed at once: what they write stays in the first-level cache. */
export const STRIP_TILES = 8;
/** Blocks of tiles whose share of the filters' gradient is summed in one go. */
export const SUMMED_BLOCKS = 8;
/** Bytes of one channel's row of a strip, of all four channels' rows, and of the six rows. */
export const STRIP_CHANNEL = 160;
export const STRIP_ROW = 640;
export const STRIP_BYTES = 3840;
/** A row of zeros, as long as a strip's, and a transformed output tile between its two directions. */
export const ZERO_ROW_BYTES = 192;
export const HALF_TILE_BYTES = 384;
/** What is kept for each channel from strip to strip of the input's gradient: two places of six rows. */
export const SCATTER_OVER = 48;
/** What a thread needs beside its blocks of tiles. */
export const WORKBENCH_BYTES = STRIP_BYTES + ZERO_ROW_BYTES + HALF_TILE_BYTES;
