/**
 * Saving, loading, and going on where training stopped.
 *
 * @module
 */
export {
  type CheckpointContents,
  type CheckpointValues,
  checkpointToBlob,
  type LoadCheckpointOptions,
  loadCheckpoint,
  type Stateful,
  saveCheckpoint,
} from "./checkpoint.js";
export { FileError } from "./fileError.js";
export { type DrawGraphOptions, drawGraph, type GraphDrawing } from "./graph/drawGraph.js";
export { type LoadOptions, load, loadMetadata } from "./load.js";
export { type ExportOnnxOptions, exportOnnx, importOnnx, type OnnxModule, type Traceable } from "./onnx/index.js";
export { type SaveOptions, save, saveToBlob } from "./save.js";
export type { LoadSource } from "./source.js";
export type { LogFormat } from "./summary/logFiles.js";
export {
  type EntryOptions,
  type HistogramOptions,
  type ImageOptions,
  type ImagesOptions,
  SummaryWriter,
  type SummaryWriterOptions,
} from "./summary/summaryWriter.js";
