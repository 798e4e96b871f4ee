/**
 * Numbers that both sides know: the AssemblyScript that runs the kernels and the TypeScript that launches them.
 *
 * @module
 */

// --- where things lie in the first page of the memory (byte offsets) --------------------------------------------------

/** Counts the jobs; sleeping workers wait here. */
export const GENERATION = 64;
/** Chunks that are finished. */
export const FINISHED = 192;
/** Workers that are asleep, or about to be. */
export const SLEEPERS = 224;
/** The last crew of which a worker failed. */
export const FAILED = 256;
/** Number of the crew of workers that is employed. Each change of the thread count dismisses one and hires the next. */
export const CREW = 288;
/** The job: kernel, units, units in a chunk. */
export const JOB_KERNEL = 320;
export const JOB_UNITS = 324;
export const JOB_CHUNK = 328;
export const JOB_THREADS = 332;
/** The kernel's arguments, 128 words of 32 bits. */
export const JOB_ARGUMENTS = 384;
/** Sixteen bytes for each array of an optimizer step. */
export const OPTIMIZER_TAIL = 1024;
/**
 * For each thread, in a cache line of its own, the chunks that are meant for it: the crew that they are for (bits 48 to 63),
 * the end (24 to 47) and the first that is left (below). A claim is one atomic step.
 */
export const TICKETS = 4096;
export const TICKET_BYTES = 64;
/** Where the heap begins: what the compiler places lies between, in the second page. */
export const STATIC_BASE = 65536;

// --- kernels ----------------------------------------------------------------------------------------------------------

// Each family has numbers of its own: elementwise, reductions, optimizers, normalisation from 1; matrix products from 20;
// convolutions from 30; Winograd from 50; pools, windows and indexing from 60.

/** Elementwise, one kernel for each count of operands. */
export const UNARY = 1;
export const BINARY = 2;
export const COMPARE = 3;
export const WHERE = 4;
/** Matrix products: packing, the blocks of one, and a batch. */
export const PACK_ROWS = 40;
export const MULTIPLY_BLOCKS = 41;
export const MULTIPLY_BATCH = 42;
/** Reductions: along runs, across rows, and of one long run in two steps. */
export const REDUCE_RUNS = 5;
export const REDUCE_ROWS = 6;
export const REDUCE_BLOCKS = 7;
export const REDUCE_FINISH = 8;
export const ARG_REDUCE = 9;
/** Optimizers. */
export const SGD_STEP = 10;
export const ADAM_STEP = 11;
/** Softmax and its gradient. */
export const SOFTMAX = 12;
export const SOFTMAX_GRAD = 13;
/** Batch normalisation. */
export const CHANNEL_STATS = 14;
export const BATCH_NORM = 15;
export const BATCH_NORM_SUMS = 16;
export const BATCH_NORM_GRAD = 17;
export const BATCH_NORM_WHOLE_GRAD = 80;
/** Convolution with columns, and the sum of partial weight gradients. */
export const COLUMNS_FORWARD = 50;
export const COLUMNS_INPUT_GRAD = 51;
export const COLUMNS_WEIGHT_GRAD = 52;
export const ADD_PARTS = 53;
/** Direct convolution: packed filters, the image or its gradient, the weight gradient, and sums for the bias. */
export const PACK_FILTERS = 54;
export const DIRECT = 55;
export const DIRECT_WEIGHT_GRAD = 56;
export const ADD_BIAS_PARTS = 57;
/** Convolution with samples in the lanes: the image or its gradient, and the weight gradient. */
export const LANES = 58;
export const LANES_WEIGHT_GRAD = 59;
/** Winograd's convolution: the filters' transform, the convolution, and the filters' gradient in two steps. */
export const WINOGRAD_FILTERS = 60;
export const WINOGRAD_FORWARD = 61;
export const WINOGRAD_FILTER_GRAD = 62;
export const WINOGRAD_FILTER_GRAD_SUM = 63;
/** Pooling, windows, indexing. */
export const MAX_POOL = 70;
export const MAX_POOL_GRAD = 71;
export const AVG_POOL = 72;
export const AVG_POOL_GRAD = 73;
export const UNFOLD = 74;
export const FOLD = 75;
export const GATHER = 76;
export const SCATTER_ADD = 77;
/** Copies that convert, and copies that exchange axes. */
export const CAST = 78;
export const TRANSPOSE = 79;
/** Random masks. */
export const BERNOULLI = 81;
/** Normalisation of groups of channels, and its gradient in two steps. */
export const GROUP_NORM = 83;
export const GROUP_NORM_GRAD = 84;
export const GROUP_NORM_FINISH = 85;
export const SCATTER = 89;
/** Bools: how many hold, and functions of them. */
export const COUNT_BOOLS = 87;
export const MAP_BOOLS = 88;
/** The order of rows. */
export const ARG_SORT = 86;
/** Running sums, and how many lines side by side are a unit of them. */
export const CUMSUM = 90;
export const CUMSUM_WIDTH = 16;
/** Most places that are found by keeping the best so far, and not by sorting. */
export const MOST_KEPT = 32;
/** Bytes of scratch memory of a thread that sorts, beside 16 for each element of a row. */
export const SORT_COUNTS = 4096;
/** Gradients of activation functions. */
export const ACTIVATION_GRAD = 82;

/** Words of the state of the Mersenne Twister. */
export const TWISTER_WORDS = 624;

/** Columns in a unit of a transposing copy: a cache line of them. */
export const TRANSPOSE_BLOCK = 16;

/** First argument of a window geometry. */
export const GEOMETRY = 16;

// --- operations of the elementwise kernels ----------------------------------------------------------------------------

export const ABS = 0;
export const CLAMP = 1;
export const COPY = 2;
export const EXP = 3;
export const LEAKY_RELU = 4;
export const LOG = 5;
export const ERF = 6;
export const RELU = 7;
export const SIGMOID = 8;
export const SIGN = 9;
export const SQRT = 10;
export const TANH = 11;
export const CUBE = 12;
export const HALF_POWER = 13;
export const CEIL = 14;
export const COS = 15;
export const EXPM1 = 16;
export const FLOOR = 17;
export const LOG1P = 18;
export const ROUND = 19;
export const RSQRT = 20;
export const SIN = 21;

/** Activation functions, with LEAKY_RELU; the same numbers stand for their gradients. */
export const ELU = 22;
export const GELU = 23;
export const GELU_TANH = 24;
export const HARDSIGMOID = 25;
export const HARDSWISH = 26;
export const HARDTANH = 27;
export const LOG_SIGMOID = 28;
export const MISH = 29;
export const SILU = 30;
export const SOFTPLUS = 31;
export const HUBER = 32;

export const ADD = 0;
export const SUB = 1;
export const MUL = 2;
export const DIV = 3;
export const MAXIMUM = 4;
export const MINIMUM = 5;
export const RELU_GRAD = 6;
export const SIGMOID_GRAD = 7;
export const TANH_GRAD = 8;
export const POW = 9;
export const LOGIT_LOSS = 10;
export const LOGIT_LOSS_GRAD = 11;

export const EQ = 0;
export const NE = 1;
export const LT = 2;
export const LE = 3;
export const GT = 4;
export const GE = 5;

export const BOOL_TO_FLOAT = 0;
export const INT_TO_FLOAT = 1;
export const FLOAT_TO_INT = 2;
export const FLOAT_TO_BOOL = 3;

// --- operations of the reductions -------------------------------------------------------------------------------------

export const SUM = 0;
export const AMAX = 1;
export const AMIN = 2;
export const PROD = 3;
export const SUM_SQUARES = 4;

/** Elements in one block of a long run. */
export const REDUCE_BLOCK = 16384;
/** Outputs side by side in a unit of a reduction across rows. */
export const REDUCE_WIDTH = 32;
