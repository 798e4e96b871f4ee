/**
 * All ops that take a tensor first: as functions here, as methods through methods.ts. Every file listed here exports
 * nothing else.
 *
 * @module
 */

export * from "./accumulating.js";
export * from "./activations.js";
export * from "./adaptiveMaxPool.js";
export * from "./adaptivePool1d.js";
export * from "./arithmetic.js";
export * from "./asStrided.js";
export * from "./attention.js";
export * from "./bilinear.js";
export { expand, type ReduceOptions, sum } from "./broadcast.js";
export * from "./cast.js";
export * from "./channelShuffle.js";
export * from "./compare.js";
export * from "./composedActivations.js";
export * from "./conv1d.js";
export * from "./convolution.js";
export { diagonal, trace, tril, triu } from "./diagonals.js";
export * from "./dropout.js";
export * from "./elementary.js";
export * from "./embedding.js";
export * from "./extremes.js";
export * from "./fill.js";
export * from "./gridSample.js";
export * from "./groupNorm.js";
export * from "./hardActivations.js";
export * from "./indexing.js";
export * from "./inPlace.js";
export * from "./interpolate.js";
export * from "./layerNorm.js";
export { clone, contiguous, detach, flatten, permute, reshape, squeeze, transpose, unsqueeze, view } from "./layout.js";
export * from "./lengths.js";
export * from "./likelihoodLosses.js";
export * from "./localResponseNorm.js";
export * from "./logic.js";
export * from "./losses.js";
export * from "./marginLosses.js";
export * from "./masking.js";
export * from "./matmul.js";
export * from "./matrixProducts.js";
export * from "./maxUnpool.js";
export * from "./normalization.js";
export * from "./order.js";
export * from "./pad.js";
export * from "./pixelShuffle.js";
export * from "./pooling.js";
export * from "./pooling1d.js";
export * from "./rearrange.js";
export * from "./reductions.js";
export * from "./regressionLosses.js";
export * from "./repeating.js";
export * from "./shapesOfOthers.js";
export * from "./shrinkActivations.js";
export * from "./slicing.js";
export * from "./smoothActivations.js";
export * from "./softmax.js";
export * from "./splitting.js";
export { where } from "./where.js";
export * from "./windows.js";
