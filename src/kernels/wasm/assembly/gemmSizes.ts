/**
 * Sizes of the matrix product that both sides know.
 *
 * @module
 */

/** Rows of a tile of the output, and columns: of the plain builds, and of the revectorized one. */
export const TILE_ROWS = 6;
export const TILE_COLUMNS = 8;
export const WIDE_TILE_COLUMNS = 16;

/** Blocks that are packed at a time: DEPTH x BLOCK_COLUMNS of b stay in the second-level cache, a panel of it in the first. */
export const BLOCK_DEPTH = 256;
export const BLOCK_COLUMNS = 512;
export const BLOCK_ROWS = 96;

/** One tile for the edges. */
export const EDGE_BYTES = 384;

/** Bytes of scratch memory that one call of `gemm` needs. Each thread needs its own. */
export const GEMM_SCRATCH_BYTES = EDGE_BYTES + 4 * BLOCK_DEPTH * (BLOCK_ROWS + BLOCK_COLUMNS);
