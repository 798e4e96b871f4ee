/** Networks: modules, layers, losses, initialisation. */
export type { RemovableHandle } from "../tensor/gradHooks.js";
export { type InplaceOptions, LeakyReLU, LogSoftmax, ReLU, Sigmoid, Softmax, Softmax2d, Tanh } from "./activation.js";
export { MultiheadAttention, type MultiheadAttentionCall, type MultiheadAttentionOptions } from "./attention.js";
export { BatchNorm1d, BatchNorm2d, type BatchNormLayerOptions } from "./batchNorm.js";
export { Bilinear } from "./bilinear.js";
export { CELU, GLU, SELU, Softmin, Softsign } from "./composedActivation.js";
export { Conv2d, type Conv2dLayerOptions, ConvTranspose2d, type ConvTranspose2dLayerOptions } from "./convolution.js";
export {
  Conv1d,
  type Conv1dLayerOptions,
  ConvTranspose1d,
  type ConvTranspose1dLayerOptions,
} from "./convolution1d.js";
export type { PaddingMode } from "./convolutionBase.js";
export { Dropout, Dropout2d } from "./dropout.js";
export { Embedding, type EmbeddingLayerOptions } from "./embedding.js";
export type { Held } from "./fields.js";
export { Fold, Unfold } from "./fold.js";
export * as functional from "./functional.js";
export { GroupNorm, type GroupNormOptions, LayerNorm, type LayerNormOptions } from "./groupNorm.js";
export { Hardsigmoid, Hardswish, Hardtanh, PReLU, type PReLUOptions, ReLU6 } from "./hardActivation.js";
export type { BackwardHook, ForwardHook, ForwardPreHook } from "./hooks.js";
export * as init from "./init.js";
export { InstanceNorm1d, InstanceNorm2d, type InstanceNormLayerOptions } from "./instanceNorm.js";
export { LazyConv2d, LazyLinear } from "./lazy.js";
export { GaussianNLLLoss, MultiLabelSoftMarginLoss, PoissonNLLLoss, SoftMarginLoss } from "./likelihoodLoss.js";
export { Linear, type LinearOptions } from "./linear.js";
export { BCEWithLogitsLoss, CrossEntropyLoss, L1Loss, MSELoss, NLLLoss } from "./loss.js";
export { CosineEmbeddingLoss, HingeEmbeddingLoss, MarginRankingLoss, TripletMarginLoss } from "./marginLoss.js";
export { type Layer, Module } from "./module.js";
export { ModuleDict, ModuleList } from "./moduleList.js";
export {
  CircularPad1d,
  CircularPad2d,
  ConstantPad1d,
  ConstantPad2d,
  type Padding1d,
  type Padding2d,
  ReflectionPad1d,
  ReflectionPad2d,
  ReplicationPad1d,
  ReplicationPad2d,
  ZeroPad1d,
  ZeroPad2d,
} from "./padding.js";
export { Buffer, type BufferOptions, Parameter, type ParameterOptions } from "./parameter.js";
export { AdaptiveAvgPool2d, AvgPool2d, MaxPool2d, type MaxPool2dLayerOptions } from "./pooling.js";
export {
  AdaptiveAvgPool1d,
  AdaptiveMaxPool1d,
  type AdaptiveMaxPool1dLayerOptions,
  AvgPool1d,
  MaxPool1d,
} from "./pooling1d.js";
export { BCELoss, HuberLoss, type HuberLossLayerOptions, KLDivLoss, SmoothL1Loss } from "./regressionLoss.js";
export {
  AdaptiveMaxPool2d,
  type AdaptiveMaxPool2dLayerOptions,
  ChannelShuffle,
  MaxUnpool2d,
  type MaxUnpool2dLayerOptions,
  PixelShuffle,
  PixelUnshuffle,
  Upsample,
} from "./resampling.js";
export { Sequential } from "./sequential.js";
export { Flatten, Identity, Unflatten } from "./shape.js";
export { Hardshrink, Softshrink, Tanhshrink, Threshold } from "./shrinkActivation.js";
export { CosineSimilarity, type CosineSimilarityOptions, LocalResponseNorm } from "./similarity.js";
export { ELU, GELU, LogSigmoid, Mish, SiLU, Softplus } from "./smoothActivation.js";
export type { LoadResult, LoadStateDictOptions, StateDict } from "./stateDict.js";
export { type Summary, type SummaryRow, summary } from "./summary.js";
export {
  TransformerEncoder,
  type TransformerEncoderCall,
  TransformerEncoderLayer,
  type TransformerEncoderLayerCall,
  type TransformerEncoderLayerOptions,
  type TransformerEncoderOptions,
} from "./transformer.js";
export * as utils from "./utils/index.js";
