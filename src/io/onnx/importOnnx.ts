import { ArgumentError } from "../../errors.js";
import type { OnnxModule } from "./onnxModule.js";

/**
 * Reads an ONNX file (opsets 9 to 24) into a module that can be run, trained and exported again. It is in evaluation
 * mode and then computes what the file says; `train()` lets dropouts drop, and batch norms take the batch's statistics.
 *
 * Weights are parameters, and running statistics buffers, under their names in the file, with signs that are no letters,
 * digits, dots or underlines replaced by underlines. Of int64, which there is not, shapes and axes stay plain numbers, and other
 * arrays become int32. Nothing in a file is ever executed.
 *
 * @throws DataFormatError where the file is damaged, or has operators that this library has not: the text names them.
 * @throws ArgumentError where something is no bytes.
 * @see https://onnx.ai/onnx/operators/
 */
export async function importOnnx(source: Uint8Array | ArrayBuffer | Blob): Promise<OnnxModule> {
  const bytes = await bytesOf(source);
  const [{ decodeModel }, { graphOf }, { OnnxModule }] = await Promise.all([
    import("./proto/decode.js"),
    import("./import/graph.js"),
    import("./onnxModule.js"),
  ]);
  const module = new OnnxModule(graphOf(decodeModel(bytes)));
  module.eval();
  return module;
}

async function bytesOf(source: unknown): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (source instanceof Blob) return new Uint8Array(await source.arrayBuffer());
  throw new ArgumentError(
    `importOnnx: got ${typeof source}; expected the bytes of a file: a Uint8Array, an ArrayBuffer or a Blob. In Node, read them with fs.readFile.`,
  );
}
