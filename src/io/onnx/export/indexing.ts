import type { Strided } from "../../../kernels/kernelSet.js";
import type { Recorders, Recording } from "./recorders.js";

export function indexRecorders({ graph, contents }: Recording): Pick<Recorders, "gather" | "scatter" | "scatterAdd"> {
  return {
    gather(x, axis, index, out) {
      const inputs = [contents.read(x), contents.read(index)];
      contents.write(out, graph.add("GatherElements", inputs, { dtype: x.dtype, shape: index.shape }, { axis }));
    },

    scatter: (x, axis, index, out) => scattered(x, axis, index, out, "none"),
    scatterAdd: (x, axis, index, out) => scattered(x, axis, index, out, "add"),
  };

  function scattered(x: Strided, axis: number, index: Strided, out: Strided, reduction: "none" | "add"): void {
    const inputs = [contents.read(out), contents.read(index), contents.read(x)];
    const made = { dtype: out.dtype, shape: out.shape };
    contents.write(out, graph.add("ScatterElements", inputs, made, { axis, reduction }));
  }
}
