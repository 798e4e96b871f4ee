import { ArgumentError } from "../../errors.js";
import { withGradMode } from "../../tensor/autograd.js";
import { div, mul } from "../../tensor/ops/arithmetic.js";
import { norm } from "../../tensor/ops/reductions.js";
import { composite } from "../../tensor/scopes.js";
import type { Tensor } from "../../tensor/tensor.js";
import { checkCount } from "../arguments.js";
import { Module } from "../module.js";
import { Parameter } from "../parameter.js";

/**
 * Splits a weight of a layer into its length g and its direction v, which are learnt apart: weight = g · v / |v|. The
 * lengths are those along every axis but `dim`; with `dim` null there is one for the whole weight. Returns the layer.
 *
 * The parameters are called `weight_g` and `weight_v`, as in PyTorch's state dicts; the weight itself is worked out anew
 * whenever it is read. Make the optimizer afterwards.
 *
 * @throws ArgumentError where the layer has no such parameter, or the axis is out of range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.weight_norm.html
 * @see Salimans and Kingma: Weight normalization, 2016, https://arxiv.org/abs/1602.07868, equation 2
 */
export function weightNorm<M extends Module>(module: M, name = "weight", dim: number | null = 0): M {
  const fields = fieldsOf("weightNorm", module);
  const weight = fields[name];
  if (!(weight instanceof Parameter)) {
    throw new ArgumentError(
      `weightNorm: got ${String(module)} and the name ${JSON.stringify(name)}; expected a parameter of that name in the layer. ` +
        `${`${name}_g` in fields ? "It is split already; call removeWeightNorm first." : "Name one of its parameters."}`,
    );
  }
  if (dim !== null) checkCount("weightNorm", "dim", dim, 0);
  if (dim !== null && dim >= weight.ndim) {
    throw new ArgumentError(
      `weightNorm: got dim ${dim} for a weight of ${weight.ndim} axes; expected one below ${weight.ndim}, or null for one length in all. Correct dim.`,
    );
  }
  const { requiresGrad } = weight;
  const length = withGradMode(false, () => composite(() => lengths(weight, dim)));
  const g = new Parameter(length, { requiresGrad });
  length.dispose();
  const v = new Parameter(weight, { requiresGrad });
  Reflect.deleteProperty(fields, name);
  fields[`${name}_g`] = g;
  fields[`${name}_v`] = v;
  Object.defineProperty(module, name, {
    configurable: true,
    enumerable: false,
    get: () => composite(() => scaled(g, v, dim)),
  });
  return module;
}

/**
 * Puts the weight that {@link weightNorm} split together again, as one parameter. Returns the layer.
 *
 * @throws ArgumentError where it was not split.
 */
export function removeWeightNorm<M extends Module>(module: M, name = "weight"): M {
  const fields = fieldsOf("removeWeightNorm", module);
  const [g, v] = [fields[`${name}_g`], fields[`${name}_v`]];
  if (!(g instanceof Parameter) || !(v instanceof Parameter)) {
    throw new ArgumentError(
      `removeWeightNorm: got ${String(module)}, whose ${JSON.stringify(name)} is whole; expected one that weightNorm split. Correct the name.`,
    );
  }
  const weight = withGradMode(false, () => fields[name]) as Tensor;
  const whole = new Parameter(weight, { requiresGrad: v.requiresGrad });
  weight.dispose();
  for (const field of [name, `${name}_g`, `${name}_v`]) Reflect.deleteProperty(fields, field);
  fields[name] = whole;
  return module;
}

function fieldsOf(where: string, module: Module): Record<string, unknown> {
  if (module instanceof Module) return module as unknown as Record<string, unknown>;
  throw new ArgumentError(`${where}: got ${String(module)}; expected a layer. Pass the layer itself.`);
}

/** Lengths along every axis but `dim`, each of extent 1. */
function lengths(v: Tensor, dim: number | null): Tensor {
  if (dim === null) return norm(v);
  return norm(
    v,
    2,
    v.shape.flatMap((_, axis) => (axis === dim ? [] : [axis])),
    { keepdim: true },
  );
}

function scaled(g: Tensor, v: Tensor, dim: number | null): Tensor {
  return mul(v, div(g, lengths(v, dim)));
}
