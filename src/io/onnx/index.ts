/**
 * Models as ONNX files, and ONNX files as models.
 *
 * @module
 */
export { type ExportOnnxOptions, exportOnnx, type Traceable } from "./exportOnnx.js";
export { importOnnx } from "./importOnnx.js";
export type { OnnxModule } from "./onnxModule.js";
