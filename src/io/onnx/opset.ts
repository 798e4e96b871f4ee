/** The version of ONNX's operators that files are written in. ONNX Runtime has it since 1.14. */
export const OPSET = 18;

/** The version of the file format that came with that version of the operators. */
export const IR_VERSION = 8;

/** Where files of this library list the names of their parameters and running statistics. */
export const PARAMETERS = "tapegrad.parameters";
export const STATISTICS = "tapegrad.buffers";
