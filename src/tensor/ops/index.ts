/**
 * All ops that take a tensor first: as functions here, as methods through methods.ts. Every file listed here exports
 * nothing else.
 *
 * @module
 */
export * from "./activations.js";
export * from "./arithmetic.js";
export { expand, sum } from "./broadcast.js";
export * from "./cast.js";
export * from "./compare.js";
export { clone, contiguous, detach, flatten, permute, reshape, squeeze, transpose, unsqueeze, view } from "./layout.js";
export { where } from "./where.js";
