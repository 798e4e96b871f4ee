/** Numbers of the WebGPU standard that its type declarations leave out. */
export const MAP_READ = 0x1;
export const COPY_SRC = 0x4;
export const COPY_DST = 0x8;
export const UNIFORM = 0x40;
export const STORAGE = 0x80;
export const QUERY_RESOLVE = 0x200;

/** Of `mapAsync`. */
export const READ_MODE = 1;

/** Of bind group layouts. */
export const COMPUTE_STAGE = 4;
