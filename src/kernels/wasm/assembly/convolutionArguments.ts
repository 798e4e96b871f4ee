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
