/** Tools for networks. */
export { type ClipGradNormOptions, clipGradNorm_, clipGradValue_ } from "./clipGrad.js";
export { convToLinear } from "./convToLinear.js";
export { fuseConvBnEval, fuseLinearBnEval } from "./fusion.js";
export { parametersToVector, vectorToParameters } from "./parameterVector.js";
export { removeWeightNorm, weightNorm } from "./weightNorm.js";
