import type { Recorders, Recording } from "./recorders.js";

export function indexRecorders({ graph, contents }: Recording): Pick<Recorders, "gather" | "scatterAdd"> {
  return {
    gather(x, axis, index, out) {
      const inputs = [contents.read(x), contents.read(index)];
      contents.write(out, graph.add("GatherElements", inputs, { dtype: x.dtype, shape: index.shape }, { axis }));
    },

    scatterAdd(x, axis, index, out) {
      const inputs = [contents.read(out), contents.read(index), contents.read(x)];
      const made = { dtype: out.dtype, shape: out.shape };
      contents.write(out, graph.add("ScatterElements", inputs, made, { axis, reduction: "add" }));
    },
  };
}
