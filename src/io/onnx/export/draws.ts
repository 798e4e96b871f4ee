/** Random numbers that are drawn during a trace: they become operators that draw anew, and the generators stay where they were. */
import { ArgumentError } from "../../../errors.js";
import type { TypedArray } from "../../../kernels/kernelSet.js";
import { Generator, type GeneratorState } from "../../../tensor/random.js";
import type { Shape } from "../../../tensor/shape.js";
import type { Lazy } from "./contents.js";
import type { ElementType, Graph, Value } from "./graph.js";
import { withProperties } from "./interpose.js";

/** How the numbers in an array were drawn. */
type Draw =
  | { readonly kind: "uniform"; readonly low: number; readonly high: number }
  | { readonly kind: "normal"; readonly mean: number; readonly std: number }
  | { readonly kind: "bernoulli"; readonly chance: number }
  | { readonly kind: "whole"; readonly by: string };

/** The draws of one trace. */
export class Draws {
  private readonly drawn = new WeakMap<ArrayBufferLike, Draw>();

  /** Runs `fn` with an eye on all generators, and sets them back to where they were. */
  watch<R>(fn: () => R): R {
    const states = new Map<Generator, GeneratorState>();
    const note = (generator: Generator, out: ArrayBufferView, draw: Draw): void => {
      this.drawn.set(out.buffer, draw);
      if (!states.has(generator)) states.set(generator, generator.getState());
    };
    const { fillUniform, fillNormal, fillBernoulli, fillRandint, permutation } = Generator.prototype;
    const watched: Partial<Record<keyof Generator, unknown>> = {
      fillUniform(this: Generator, out: Float32Array, low: number, high: number) {
        note(this, out, { kind: "uniform", low, high });
        fillUniform.call(this, out, low, high);
      },
      fillNormal(this: Generator, out: Float32Array, mean: number, std: number) {
        note(this, out, { kind: "normal", mean, std });
        fillNormal.call(this, out, mean, std);
      },
      fillBernoulli(this: Generator, out: Float32Array, p: number) {
        note(this, out, { kind: "bernoulli", chance: p });
        fillBernoulli.call(this, out, p);
      },
      fillRandint(this: Generator, out: Int32Array, low: number, high: number) {
        note(this, out, { kind: "whole", by: "randint" });
        fillRandint.call(this, out, low, high);
      },
      permutation(this: Generator, count: number) {
        if (!states.has(this)) states.set(this, this.getState());
        const order = permutation.call(this, count);
        this_.drawn.set(order.buffer, { kind: "whole", by: "randperm" });
        return order;
      },
    };
    const this_ = this;
    try {
      return withProperties(Generator.prototype, watched, fn);
    } finally {
      for (const [generator, state] of states) generator.setState(state);
    }
  }

  /** What stands in the graph for an array that was drawn at random; null for any other. */
  lazyOf(graph: Graph, dtype: ElementType, data: TypedArray): Lazy | null {
    const draw = this.drawn.get(data.buffer);
    if (draw === undefined) return null;
    if (draw.kind === "whole") {
      throw new ArgumentError(
        `exportOnnx: got ${draw.by} inside the traced function; expected random numbers that ONNX can draw: uniform, normal or Bernoulli. ` +
          `Pass the numbers as an input.`,
      );
    }
    const scale = draw.kind === "bernoulli" ? greatest(data) || 1 : 1;
    const made = (shape: Shape): Value => {
      const float = dtype === "float64" ? dtype : "float32";
      const like = graph.expand(graph.number(float, 0), shape);
      if (draw.kind === "normal") {
        return graph.unary("RandomNormalLike", like, { mean: { float: draw.mean }, scale: { float: draw.std } });
      }
      const [low, high] = draw.kind === "uniform" ? [draw.low, draw.high] : [0, 1];
      const even = graph.unary("RandomUniformLike", like, { low: { float: low }, high: { float: high } });
      if (draw.kind === "uniform") return even;
      const chosen = graph.cast(graph.binary("Less", even, graph.number(float, draw.chance), "bool"), dtype);
      return scale === 1 ? chosen : graph.withNumber("Mul", chosen, scale);
    };
    // A Bernoulli draw that was not scaled is no dropout mask: no chance fits a scale of 0.
    const isMask = draw.kind === "bernoulli" && scale !== 1;
    return { chance: isMask ? draw.chance : 0, scale: isMask ? scale : 0, make: made };
  }
}

function greatest(data: TypedArray): number {
  let most = 0;
  for (const value of data) if (value > most) most = value;
  return most;
}
