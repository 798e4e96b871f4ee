/**
 * Models as ONNX files, and ONNX files as models.
 *
 * @module
 */
export { type ExportOnnxOptions, exportOnnx } from "./exportOnnx.js";
