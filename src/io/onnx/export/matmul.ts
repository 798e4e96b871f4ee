import type { Strided } from "../../../kernels/kernelSet.js";
import { at } from "../../../tensor/shape.js";
import { viewing } from "./contents.js";
import { broadcast, type Value } from "./graph.js";
import type { Recorders, Recording } from "./recorders.js";

export function matmulRecorders({ graph, contents }: Recording): Pick<Recorders, "matmul"> {
  /** A matrix for Gemm, which transposes by itself. */
  function matrix(x: Strided): { value: Value; transposed: number } {
    if (!isTransposed(x)) return { value: contents.read(x), transposed: 0 };
    const [shape, strides] = [x.shape.toReversed(), x.strides.toReversed()];
    return { value: contents.read(viewing(x, { shape, strides, offset: x.offset })), transposed: 1 };
  }

  return {
    matmul(a, b, bias, out) {
      const { dtype } = out;
      const isFloat = dtype === "float32" || dtype === "float64";
      if (out.shape.length === 2 && isFloat && (bias !== null || isTransposed(a) || isTransposed(b))) {
        const [left, right] = [matrix(a), matrix(b)];
        const inputs = [left.value, right.value, ...(bias === null ? [] : [contents.readToBroadcast(bias)])];
        const attributes = { transA: left.transposed, transB: right.transposed };
        contents.write(out, graph.add("Gemm", inputs, { dtype, shape: out.shape }, attributes));
        return;
      }
      const [left, right] = [batched(a), batched(b)];
      const batch = broadcast(left.shape.slice(0, -2), right.shape.slice(0, -2));
      const shape = [...batch, at(out.shape, out.shape.length - 2), at(out.shape, out.shape.length - 1)];
      const product = graph.add("MatMul", [left, right], { dtype, shape });
      const sum = bias === null ? product : graph.binary("Add", product, contents.readToBroadcast(bias));
      contents.write(out, graph.expand(sum, out.shape));
    },
  };

  /** A stack of matrices; one for all stays one. */
  function batched(x: Strided): Value {
    const lead = x.shape.length - 2;
    const isOne = x.shape.slice(0, lead).every((extent, axis) => extent === 1 || x.strides[axis] === 0);
    if (!isOne) return contents.read(x);
    return contents.read(viewing(x, { shape: x.shape.slice(lead), strides: x.strides.slice(lead), offset: x.offset }));
  }
}

/** Whether the columns of a matrix are what lies together in memory. */
function isTransposed({ shape, strides }: Strided): boolean {
  return strides[0] === 1 && at(strides, 1) > 1 && at(shape, 0) > 1;
}
