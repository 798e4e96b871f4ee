/** Products of a vector and the derivatives of a function, which are never made whole. */
import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import { grad } from "./backward.js";
import {
  checkVaries,
  type DerivativeOptions,
  differentiate,
  finished,
  type Run,
  type SameForm,
  type TensorOrTensors,
  zeroOrRefuse,
} from "./differentiate.js";
import { viewLike, zerosFor } from "./ops/layout.js";
import { formatShape, sameShape } from "./shape.js";
import { Tensor } from "./tensor.js";

/**
 * The outputs of `func`, and vᵀ·J: the gradient of Σ v·output for each input, in the inputs' shapes and form.
 *
 * @param inputs one tensor, or an array whose tensors are the arguments of `func`
 * @param v a tensor for each output, in its shape; may be left out for a single number, where it is 1
 * @throws ArgumentError where there are no inputs, `func` gives something else than tensors, or not as many `v` as outputs.
 * @throws ShapeError where `v` is missing or misshapen.
 * @throws DTypeError where an input or an output is not floating, or `v` is of another dtype.
 * @throws AutogradError where an output does not depend on an input, with `strict`; else the derivative is zeros.
 * @see https://pytorch.org/docs/stable/generated/torch.autograd.functional.vjp.html
 */
export function vjp<I extends TensorOrTensors, O extends TensorOrTensors>(
  func: (...inputs: Tensor[]) => O,
  inputs: I,
  v: TensorOrTensors | null = null,
  options: DerivativeOptions = {},
): [outputs: SameForm<O>, vjp: SameForm<I>] {
  const watched = new FormOf(func);
  const [outputs, products] = differentiate("vjp", watched.call, inputs, options, (run) => {
    const vectors = checkedVectors("vjp", v, run.outputs, "output");
    const live = run.outputs.flatMap((output, index) => {
      const given = vectors[index];
      return output.requiresGrad ? [{ output, vector: given ?? null }] : [];
    });
    checkLive("vjp", run);
    const found =
      live.length === 0
        ? []
        : grad(
            live.map(({ output }) => output),
            run.inputs,
            {
              gradOutputs: live.map(({ vector }) => vector),
              createGraph: run.createGraph,
              retainGraph: true,
              allowUnused: true,
            },
          );
    const results = run.inputs.map((x, index) =>
      productOf("vjp", run, found[index] ?? null, x, `input ${index}`, index),
    );
    return [run.outputs.map((output) => finished(run, output)), results] as const;
  });
  return [watched.like(outputs), likeGiven(inputs, products)] as [SameForm<O>, SameForm<I>];
}

/**
 * The outputs of `func`, and J·v: how each output changes as the inputs move along `v`, in the outputs' shapes and form. Worked
 * out by two walks back: vᵀ·J is linear in v, and its derivative by that is J.
 *
 * @param inputs one tensor, or an array whose tensors are the arguments of `func`
 * @param v a tensor for each input, in its shape; may be left out for a single number, where it is 1
 * @throws ArgumentError, ShapeError, DTypeError, AutogradError as {@link vjp}, with inputs in the place of outputs.
 * @see https://pytorch.org/docs/stable/generated/torch.autograd.functional.jvp.html
 */
export function jvp<I extends TensorOrTensors, O extends TensorOrTensors>(
  func: (...inputs: Tensor[]) => O,
  inputs: I,
  v: TensorOrTensors | null = null,
  options: DerivativeOptions = {},
): [outputs: SameForm<O>, jvp: SameForm<O>] {
  const watched = new FormOf(func);
  const [outputs, products] = differentiate("jvp", watched.call, inputs, options, (run) => {
    const vectors = checkedVectors("jvp", v, run.inputs, "input");
    checkLive("jvp", run);
    const results = run.outputs.map((output, index) => {
      const moved = output.requiresGrad ? alongInputs(run, output, vectors) : null;
      return productOf("jvp", run, moved, output, `output ${index}`, index);
    });
    return [run.outputs.map((output) => finished(run, output)), results] as const;
  });
  return [watched.like(outputs), watched.like(products)] as [SameForm<O>, SameForm<O>];
}

/** J·v for one output, or null where it depends on nothing. */
function alongInputs(run: Run, output: Tensor, vectors: readonly (Tensor | null)[]): Tensor | null {
  const { inputs, createGraph } = run;
  // Any vector serves: only the derivative by it is of interest. A view, for its gradient is to reach the vector itself.
  const weights = zerosFor(output, output.shape, "jvp").requiresGrad_();
  const back = grad(output, inputs, {
    gradOutputs: viewLike(weights),
    createGraph: true,
    retainGraph: true,
    allowUnused: true,
  });
  const live = back.flatMap((g, index) => {
    const given = vectors[index];
    return g?.requiresGrad === true ? [{ g, vector: given ?? null }] : [];
  });
  if (live.length === 0) return null;
  const [moved = null] = grad(
    live.map(({ g }) => g),
    weights,
    { gradOutputs: live.map(({ vector }) => vector), createGraph, allowUnused: true },
  );
  return moved;
}

function productOf(where: string, run: Run, found: Tensor | null, like: Tensor, what: string, index: number): Tensor {
  if (found === null) {
    const lack = where === "vjp" ? `${what}, on which no output depends` : `${what}, which depends on no input`;
    return zeroOrRefuse(where, run, like, like.shape, lack);
  }
  checkVaries(where, run, found, index);
  return finished(run, found);
}

/** @throws AutogradError for an output without history, with `strict`. */
function checkLive(where: string, run: Run): void {
  if (!run.strict) return;
  const constant = run.outputs.findIndex((output) => !output.requiresGrad);
  const output = run.outputs[constant];
  if (output !== undefined) {
    zeroOrRefuse(where, run, output, output.shape, `output ${constant}, which depends on no input`);
  }
}

function checkedVectors(
  where: string,
  v: TensorOrTensors | null,
  partners: readonly Tensor[],
  what: "input" | "output",
): readonly (Tensor | null)[] {
  const [first] = partners;
  if (v === null) {
    if (partners.length === 1 && first?.numel() === 1) return [null];
    throw new ShapeError(
      `${where}: got no v for ${partners.length === 1 ? `an ${what} of shape ${formatShape(first?.shape ?? [])}` : `${partners.length} ${what}s`}; ` +
        `expected one, as only a single number has 1 for it. Pass v in the shape of each ${what}.`,
    );
  }
  const vectors = v instanceof Tensor ? [v] : v;
  if (
    !Array.isArray(vectors) ||
    vectors.length !== partners.length ||
    !vectors.every((each) => each instanceof Tensor)
  ) {
    const got = Array.isArray(vectors) ? `${vectors.length} of them` : String(vectors);
    throw new ArgumentError(
      `${where}: got ${got} as v for ${partners.length} ${what}s; expected a tensor for each. Options come after v.`,
    );
  }
  partners.forEach((partner, index) => {
    const vector = vectors[index] as Tensor;
    if (!sameShape(vector.shape, partner.shape)) {
      throw new ShapeError(
        `${where}: got v of shape ${formatShape(vector.shape)} for ${what} ${index}; expected its shape ${formatShape(partner.shape)}. Reshape it.`,
      );
    }
    if (vector.dtype !== partner.dtype) {
      throw new DTypeError(
        `${where}: got v of ${vector.dtype} for ${what} ${index}; expected its dtype ${partner.dtype}. Cast it with .to("${partner.dtype}").`,
      );
    }
  });
  return vectors;
}

/** Remembers whether a function gave one tensor or an array. */
class FormOf {
  private one = false;

  constructor(private readonly func: (...inputs: Tensor[]) => TensorOrTensors) {}

  readonly call = (...inputs: Tensor[]): TensorOrTensors => {
    const result = this.func(...inputs);
    this.one = result instanceof Tensor;
    return result;
  };

  like(list: readonly Tensor[]): TensorOrTensors {
    return this.one ? (list[0] as Tensor) : list;
  }
}

function likeGiven(given: TensorOrTensors, list: readonly Tensor[]): TensorOrTensors {
  return given instanceof Tensor ? (list[0] as Tensor) : list;
}
