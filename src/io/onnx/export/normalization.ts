import type { Dense } from "../../../kernels/kernelSet.js";
import { at } from "../../../tensor/shape.js";
import type { Value } from "./graph.js";
import type { Recorders, Recording } from "./recorders.js";

type Normalization = "softmax" | "softmaxGrad" | "channelStats" | "batchNorm" | "batchNormGrad";

export function normalizationRecorders({ graph, contents }: Recording): Pick<Recorders, Normalization> {
  const sumLast = (x: Value): Value => graph.reduce("ReduceSum", x, [x.shape.length - 1]);

  /** One number per channel, in the shape in which it meets planes. */
  const perChannel = (x: Value, planes: Value): Value =>
    graph.reshape(x, [at(planes.shape, 1), ...planes.shape.slice(2).map(() => 1)]);

  const vector = (x: Dense | null, like: Dense, value: number): Value =>
    x === null ? graph.expand(graph.number(like.dtype, value), like.shape) : contents.read(x);

  const others = (x: Value): number[] => x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));

  return {
    softmax(x, out, logarithm) {
      const axis = x.shape.length - 1;
      contents.write(out, graph.unary(logarithm ? "LogSoftmax" : "Softmax", contents.read(x), { axis }));
    },

    softmaxGrad(outGrad, y, xGrad, logarithm) {
      const [g, output] = [contents.read(outGrad), contents.read(y)];
      if (logarithm) {
        const shares = graph.binary("Mul", graph.unary("Exp", output), sumLast(g));
        contents.write(xGrad, graph.binary("Sub", g, shares));
      } else {
        const total = sumLast(graph.binary("Mul", g, output));
        contents.write(xGrad, graph.binary("Mul", output, graph.binary("Sub", g, total)));
      }
    },

    channelStats(x, mean, variance) {
      const planes = contents.readPlanes(x);
      const axes = others(planes);
      const center = graph.reduce("ReduceMean", planes, axes);
      const away = graph.binary("Sub", planes, center);
      contents.write(mean, graph.reshape(center, mean.shape));
      contents.write(variance, graph.reduce("ReduceMean", graph.binary("Mul", away, away), axes, false));
    },

    // In training too the statistics come in as inputs: with training_mode ONNX Runtime (1.30) normalises by the wrong ones
    // unless somebody reads the running statistics that the operator then gives.
    batchNorm(x, mean, variance, weight, bias, eps, out) {
      const planes = contents.readPlanes(x);
      const inputs = [
        planes,
        vector(weight, mean, 1),
        vector(bias, mean, 0),
        contents.read(mean),
        contents.read(variance),
      ];
      contents.writeWhole(out, graph.like(planes, "BatchNormalization", inputs, { epsilon: { float: eps } }));
    },

    batchNormGrad(outGrad, x, mean, variance, weight, eps, training, xGrad, weightGrad, biasGrad) {
      const planes = contents.readPlanes(x);
      const g = graph.reshape(contents.read(outGrad), planes.shape);
      const axes = others(planes);
      const spread = graph.unary("Sqrt", graph.withNumber("Add", contents.read(variance), eps));
      const inverse = perChannel(graph.unary("Reciprocal", spread), planes);
      const away = graph.binary("Sub", planes, perChannel(contents.read(mean), planes));
      const normalized = graph.binary("Mul", away, inverse);
      const along = graph.binary("Mul", g, normalized);
      contents.write(weightGrad, graph.reduce("ReduceSum", along, axes, false));
      contents.write(biasGrad, graph.reduce("ReduceSum", g, axes, false));
      const scale = weight === null ? inverse : graph.binary("Mul", inverse, perChannel(contents.read(weight), planes));
      let centered = g;
      if (training) {
        const through = graph.binary("Mul", normalized, graph.reduce("ReduceMean", along, axes));
        centered = graph.binary("Sub", graph.binary("Sub", g, graph.reduce("ReduceMean", g, axes)), through);
      }
      contents.writeWhole(xGrad, graph.binary("Mul", centered, scale));
    },
  };
}
