import { ArgumentError } from "../errors.js";
import { changeRelu, withReluAhead } from "../tensor/ops/rectifier.js";
import type { Tensor } from "../tensor/tensor.js";
import { ReLU } from "./activation.js";
import { inLayer } from "./errorPlace.js";
import { type Held, isPlain } from "./fields.js";
import { type Layer, Module } from "./module.js";

/**
 * Layers one after another, each fed with the output of the one before: `new Sequential(a, b, c)`, whose paths are
 * numbers, or `new Sequential({ conv: a, relu: b })`, whose paths are names. A `ReLU` overwrites what the layer before
 * made where nobody else can hold that, which saves its memory and half the way there.
 *
 * @throws ArgumentError where a layer is no module, or a name is a number or has a dot in it.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Sequential.html
 */
export class Sequential extends Module implements Iterable<Layer> {
  readonly #layers: readonly Held<Layer>[];

  constructor(...layers: readonly Layer[]);
  constructor(layers: { readonly [name: string]: Layer });
  constructor(...layers: readonly (Layer | { readonly [name: string]: Layer })[]) {
    super();
    const [first] = layers;
    const isNamed = layers.length === 1 && isPlain(first);
    this.#layers = Object.entries((isNamed ? first : layers) as { readonly [name: string]: Layer });
    for (const [name, layer] of this.#layers) {
      if (!(layer instanceof Module)) {
        throw new ArgumentError(
          `Sequential: got ${describeValue(layer)} as layer ${name}; expected a module. Pass the layers one by one; wrap functions in a Module of your own.`,
        );
      }
      // Numbers would be sorted before all other names, whatever the order they are written in.
      if (isNamed && (name === "" || name.includes(".") || /^\d+$/.test(name))) {
        throw new ArgumentError(
          `Sequential: got the name ${JSON.stringify(name)}; expected names without dots that are no numbers. Rename the layer.`,
        );
      }
    }
  }

  /** Number of layers. */
  get length(): number {
    return this.#layers.length;
  }

  /**
   * The layer at a place that may count from the end.
   *
   * @throws ArgumentError where there is none.
   */
  at(index: number): Layer {
    const held = Number.isInteger(index) ? this.#layers.at(index) : undefined;
    if (held === undefined) {
      throw new ArgumentError(
        `Sequential: got index ${String(index)}; expected a whole number from ${-this.length} to ${this.length - 1} for ${this.length} layers. ` +
          `Choose one in that range.`,
      );
    }
    return held[1];
  }

  *[Symbol.iterator](): Iterator<Layer> {
    for (const [, layer] of this.#layers) yield layer;
  }

  forward(x: Tensor): Tensor {
    const layers = [...this];
    let out = x;
    for (let layer = layers.shift(); layer !== undefined; layer = layers.shift()) {
      const next = layers[0];
      if (next !== undefined && isPlainly(next, ReLU) && makesOutput(layer)) {
        out = rectified(layer, next, out);
        layers.shift();
      } else {
        out = layer.forward(out);
      }
    }
    return out;
  }

  protected override *fields(): Generator<Held<object>> {
    yield* this.#layers;
    yield* super.fields();
  }
}

/** Whether a layer is of this class itself and has no hook, so that it does what the class says and nobody looks on. */
function isPlainly(layer: Layer, Class: object): boolean {
  return layer.constructor === Class && !Object.hasOwn(layer, "forward");
}

/** Whether a layer gives a tensor that nobody else holds: neither the tape, nor somebody who was shown it. */
function makesOutput(layer: Layer): boolean {
  const { constructor: kind } = layer;
  return Object.hasOwn(kind, "makesOutput") && isPlainly(layer, kind);
}

/** What a layer makes, overwritten by its ReLU. */
function rectified(layer: Layer, relu: Layer, x: Tensor): Tensor {
  const { output, hasRelu } = withReluAhead(() => layer.forward(x));
  // A view of what the tape has is not to be overwritten. ReLU of a ReLU is the same again.
  if (output.storage.shareCount > 1) return relu.forward(output);
  return inLayer(relu, () => changeRelu(output, hasRelu));
}

function describeValue(value: unknown): string {
  return Array.isArray(value) ? "an array" : String(value);
}
