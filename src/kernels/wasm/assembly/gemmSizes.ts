/**
 * Sizes of the matrix product that both sides know.
 *
 * @module
 */

/** Rows of a tile of the output, and columns: of the plain builds, and of the revectorized one. */
export const TILE_ROWS = 6;
export const TILE_COLUMNS = 8;
export const WIDE_TILE_COLUMNS = 16;

/**
 * What is multiplied at a time: BLOCK_DEPTH x GROUP_COLUMNS of b (more columns of less depth) and a panel of a stay in the
 * first-level cache, BLOCK_ROWS x BLOCK_DEPTH of a in the second.
 */
export const BLOCK_DEPTH = 512;
export const BLOCK_ROWS = 510;
export const GROUP_COLUMNS = 16;

/**
 * Rows of a that do not lie along the depth are packed from so many columns and so much depth on: before, the packed ones
 * would be used too few times, or a tile's part of a fits into the first-level cache as it is.
 */
export const PACK_FROM_COLUMNS = 48;
export const PACK_FROM_DEPTH = 128;

/** Depth at a time of products by dot products. */
export const DOT_DEPTH = 1024;

/** Room for one tile, for the edges, and for a packed group of columns of b. */
export const EDGE_BYTES = 384;
export const GROUP_BYTES = 4 * BLOCK_DEPTH * GROUP_COLUMNS;

/** Bytes of scratch memory that one call of `gemm` needs. Each thread needs its own. */
export const GEMM_SCRATCH_BYTES = EDGE_BYTES + GROUP_BYTES + 4 * BLOCK_DEPTH * BLOCK_ROWS;
