/** All ops as functions. */
export * from "../tensor/ops/index.js";
export * from "../tensor/ops/joining.js";
