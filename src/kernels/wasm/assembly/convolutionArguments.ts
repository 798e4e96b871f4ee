/**
 * Places of a convolution's arguments, which both sides know.
 *
 * @module
 */

export const BATCH = 6;
export const CHANNELS = 7;
export const IN_HEIGHT = 8;
export const IN_WIDTH = 9;
export const OUT_HEIGHT = 10;
export const OUT_WIDTH = 11;
export const KERNEL_HEIGHT = 12;
export const KERNEL_WIDTH = 13;
export const STRIDE_HEIGHT = 14;
export const STRIDE_WIDTH = 15;
export const PAD_TOP = 16;
export const PAD_LEFT = 17;
export const DILATION_HEIGHT = 18;
export const DILATION_WIDTH = 19;
export const OUT_CHANNELS = 20;
export const GROUPS = 21;
/** The columns' road: output rows done at a time, and what the work is cut into beyond that. */
export const ROWS_AT_ONCE = 22;
export const SPLIT = 23;

// --- the direct road ----------------------------------------------------------------------------------------------------

/** What is filtered: an image (or the output gradient), in planes for each group. */
export const SOURCE = 0;
export const WEIGHT = 1;
export const BIAS = 2;
/** What is written: `TARGET_PLANES` planes for each group; or the partial sums of a weight gradient. */
export const TARGET = 3;
export const SCRATCH = 4;
export const SCRATCH_BYTES = 5;
export const GRADIENT = 24;
export const SOURCE_PLANES = 25;
export const SOURCE_HEIGHT = 26;
export const SOURCE_WIDTH = 27;
export const TARGET_PLANES = 28;
/** Bytes from plane to plane of what tiles write to, and from row to row of a phase in the target. */
export const TARGET_PLANE = 29;
export const TARGET_ROW = 30;
/** Rows of places in a block, blocks, and source rows from one row of places to the next. */
export const BLOCK_ROWS = 32;
export const ROW_BLOCKS = 33;
export const SOURCE_ROW_STEP = 34;
/**
 * The copy with padding: its rows (0: there is no copy), where it begins in the source, its columns, the parts that each
 * row's columns are sorted into, steps in the source from row to row and from column to column of a part, and bytes.
 */
export const COPY_ROWS = 35;
export const COPY_FIRST_ROW = 36;
export const COPY_FIRST_COLUMN = 37;
export const COPY_COLUMNS = 38;
export const COPY_STEP = 39;
export const COPY_ROW = 40;
export const COPY_PLANE = 41;
/** Blocks of filters: how many, the filters of the large ones, and how many of these; the others have one filter less. */
export const BLOCKS = 42;
export const BLOCK_FILTERS = 43;
export const LARGE_BLOCKS = 44;
/**
 * Phases of PHASE_WORDS words: taps, their number, packed weights, vectors, vectors in a row, rows, lanes, places of the
 * weights, and the taps of each row.
 */
export const PHASE_WORDS = 9;
export const PHASES = 45;
export const PHASE_COUNT = 46;
/** Bytes from filter to filter and from group to group in the weight. */
export const FILTER_STEP = 47;
export const WEIGHT_GROUP = 48;
/** The weight gradient: taps, and the vectors of some images' rows: whole ones, and those at the ends of rows under a mask. */
export const TAPS = 49;
export const TAP_COUNT = 50;
export const WHOLE_VECTORS = 51;
export const WHOLE_PER_ROW = 52;
export const REST_VECTORS = 53;
export const REST_PER_ROW = 54;
export const REST_MASK = 55;
export const IMAGES_AT_ONCE = 56;
/** Bytes of a thread's sums and of its records of the output gradient. */
export const SUMS_BYTES = 57;
export const RECORDS_BYTES = 58;
export const COPY_ROW_STEP = 59;
export const COPY_PARTS = 60;
/** Where offsets of tables, and of packed weights, count from. */
export const TABLES = 61;
export const PACKED = 62;
/**
 * Of a stride across, each phase is put together by itself, row by row beside the others, before they are joined: phases
 * (1: they are written to the target at once), bytes of a row of one, and of a whole plane of the target.
 */
export const PARTS = 63;
export const PART_BYTES = 64;
export const JOINED_PLANE = 65;
/** Sums of the output gradient, in float64, for each part and output channel (0: none are wanted). */
export const BIAS_SUMS = 66;
/** Whether ReLU follows (1), and the output of the ReLU whose gradient follows (0: none), on the target while that is near. */
export const RELU = 67;
export const GATE = 68;

// --- the road with samples in the lanes ---------------------------------------------------------------------------------

/** The source, spread out: where it begins in a thread's memory, its bytes, its first number in it, and its steps. */
export const LANES_SOURCE = 80;
export const LANES_SOURCE_BYTES = 81;
export const LANES_FIRST = 82;
export const LANES_PLANE = 83;
export const LANES_ROW = 84;
/** Offsets of a row's columns in the source and in the results; for the weight gradient, of all places in the source. */
export const LANES_COLUMNS = 85;
/**
 * The tiles of a row, sixteen bytes each, for large blocks of filters and for the others: their packed weights, the number of
 * their taps, and the table of each row's taps.
 */
export const LANES_TILES = 86;
export const LANES_SMALL_TILES = 87;

/** Memory of a thread for tiles: offsets of one that is not whole, and results. */
export const SPARE_BYTES = 128 + 16 * 12;

/** Elements of a weight gradient in one unit of the adding up of parts. */
export const ADD_BLOCK = 256;
