import type { Dense } from "../../../kernels/kernelSet.js";
import { at } from "../../../tensor/shape.js";
import type { Value } from "./graph.js";
import type { Recorders, Recording } from "./recorders.js";

type Normalization =
  | "softmax"
  | "softmaxGrad"
  | "channelStats"
  | "batchNorm"
  | "batchNormGrad"
  | "groupNorm"
  | "groupNormGrad";

export function normalizationRecorders({ graph, contents }: Recording): Pick<Recorders, Normalization> {
  const sumLast = (x: Value): Value => graph.reduce("ReduceSum", x, [x.shape.length - 1]);

  /** One number per channel, in the shape in which it meets planes. */
  const perChannel = (x: Value, planes: Value): Value =>
    graph.reshape(x, [at(planes.shape, 1), ...planes.shape.slice(2).map(() => 1)]);

  const vector = (x: Dense | null, like: Dense, value: number): Value =>
    x === null ? graph.expand(graph.number(like.dtype, value), like.shape) : contents.read(x);

  const others = (x: Value): number[] => x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));

  /** [N, C, L] with the channels of each group on an axis of their own. */
  const groupedShape = ({ shape }: Dense, groups: number): number[] => [
    at(shape, 0),
    groups,
    at(shape, 1) / groups,
    at(shape, 2),
  ];

  /** [C], as it meets that. */
  const perGroup = (x: Dense, groups: number): Value =>
    graph.reshape(contents.read(x), [groups, at(x.shape, 0) / groups, 1]);

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
    batchNorm(x, mean, variance, weight, bias, eps, out, relu = false) {
      const planes = contents.readPlanes(x);
      const inputs = [
        planes,
        vector(weight, mean, 1),
        vector(bias, mean, 0),
        contents.read(mean),
        contents.read(variance),
      ];
      const y = graph.like(planes, "BatchNormalization", inputs, { epsilon: { float: eps } });
      contents.writeWhole(out, relu ? graph.unary("Relu", y) : y);
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

    groupNorm(x, groups, weight, bias, eps, out, mean, variance) {
      const rows = graph.reshape(contents.read(x), groupedShape(x, groups));
      const center = graph.reduce("ReduceMean", rows, [2, 3]);
      const away = graph.binary("Sub", rows, center);
      const spread = graph.reduce("ReduceMean", graph.binary("Mul", away, away), [2, 3]);
      contents.write(mean, graph.reshape(center, mean.shape));
      contents.write(variance, graph.reshape(spread, variance.shape));
      let value = graph.binary("Div", away, graph.unary("Sqrt", graph.withNumber("Add", spread, eps)));
      if (weight !== null) value = graph.binary("Mul", value, perGroup(weight, groups));
      if (bias !== null) value = graph.binary("Add", value, perGroup(bias, groups));
      contents.write(out, graph.reshape(value, out.shape));
    },

    groupNormGrad(outGrad, x, mean, variance, groups, weight, eps, xGrad, weightGrad, biasGrad) {
      const shape = groupedShape(x, groups);
      const [g, rows] = [graph.reshape(contents.read(outGrad), shape), graph.reshape(contents.read(x), shape)];
      const ofRows = [at(shape, 0), groups, 1, 1];
      const spread = graph.unary("Sqrt", graph.withNumber("Add", contents.read(variance), eps));
      const inverse = graph.reshape(graph.unary("Reciprocal", spread), ofRows);
      const away = graph.binary("Sub", rows, graph.reshape(contents.read(mean), ofRows));
      const normalized = graph.binary("Mul", away, inverse);
      const sumOf = (of: Value): Value => graph.reduce("ReduceSum", of, [0, 3], false);
      contents.write(weightGrad, graph.reshape(sumOf(graph.binary("Mul", g, normalized)), weightGrad.shape));
      contents.write(biasGrad, graph.reshape(sumOf(g), biasGrad.shape));
      const slope = weight === null ? g : graph.binary("Mul", g, perGroup(weight, groups));
      const along = graph.reduce("ReduceMean", graph.binary("Mul", slope, normalized), [2, 3]);
      const through = graph.binary(
        "Add",
        graph.reduce("ReduceMean", slope, [2, 3]),
        graph.binary("Mul", normalized, along),
      );
      const value = graph.binary("Mul", graph.binary("Sub", slope, through), inverse);
      contents.write(xGrad, graph.reshape(value, xGrad.shape));
    },
  };
}
