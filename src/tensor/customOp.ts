/** Ops of the user's, with a gradient of his. */
import { ArgumentError, AutogradError, DeviceError, DTypeError, ShapeError } from "../errors.js";
import { isFloating } from "../kernels/dtype.js";
import { type GradThunk, isRecording, record, recordJoint, withGradMode } from "./autograd.js";
import { zeros } from "./create.js";
import { runScope, storagesMade } from "./memory.js";
import { viewOf } from "./ops/layout.js";
import { formatShape, sameShape } from "./shape.js";
import { commonKernels, Tensor } from "./tensor.js";

/** What an op gives: a tensor, or several. */
export type CustomOpResult = Tensor | readonly [Tensor, ...Tensor[]];

/** A gradient for each output. */
export type OutputGrads<R extends CustomOpResult> = R extends Tensor
  ? [grad: Tensor]
  : { -readonly [Place in keyof R]: Tensor };

/** What `backward` has besides what `setupContext` gave. */
export interface BackwardContext {
  /** For each argument, whether a gradient is asked for: what is not need not be computed. */
  readonly needsInputGrad: readonly boolean[];
}

/** Says how an op is computed and differentiated; see {@link customOp}. */
export interface CustomOpDefinition<A extends readonly unknown[], R extends CustomOpResult, C extends object> {
  /** For messages, pictures and `toString`. */
  readonly name: string;
  /** Computes the op. Nothing in it is recorded. */
  forward(...inputs: A): R;
  /**
   * What `backward` needs, in a plain object: tensors and arrays of tensors in it are saved for the backward pass, all
   * else is passed on as it is. Runs after `forward`, and only where a gradient may be asked for.
   */
  setupContext?(inputs: A, output: R): C;
  /**
   * From the gradients of the outputs, zeros where none arrived, one for each argument of `forward`: null for what is no
   * tensor or needs none. Written in ops it can be differentiated again.
   */
  backward(context: C & BackwardContext, ...grads: OutputGrads<R>): Tensor | readonly (Tensor | null)[];
}

/**
 * An op whose gradient is given, not derived: torch.autograd.Function in one object. Returns a function that takes the
 * arguments of `forward`; gradients flow to those that are tensors. Check it with `gradcheck` and `gradgradcheck`.
 *
 * @throws ArgumentError where a part of the definition is missing, or `forward` gives anything but tensors.
 * @throws AutogradError where `forward` changes an argument in place, or an array of tensors that want gradients is an argument.
 * @throws ShapeError, DTypeError or DeviceError in the backward pass, where a gradient is not like its tensor.
 * @see https://pytorch.org/docs/stable/notes/extending.html
 */
export function customOp<A extends readonly unknown[], R extends CustomOpResult, C extends object>(
  definition: CustomOpDefinition<A, R, C>,
): (...inputs: A) => R {
  const { name } = definition;
  if (typeof name !== "string" || name === "") {
    throw new ArgumentError(`customOp: got the name ${JSON.stringify(name)}; expected what the op is called. Name it.`);
  }
  for (const part of ["forward", "backward"] as const) {
    if (typeof definition[part] === "function") continue;
    throw new ArgumentError(
      `customOp ${name}: got ${String(definition[part])} as ${part}; expected a function. Give both forward and backward.`,
    );
  }
  return (...inputs: A): R => apply(definition, inputs);
}

type Outputs = readonly [Tensor, ...Tensor[]];

/** What a gradient has in common with its tensor. */
type Kind = Pick<Tensor, "shape" | "dtype" | "device">;

function kindOf({ shape, dtype, device }: Tensor): Kind {
  return { shape, dtype, device };
}

function apply<A extends readonly unknown[], R extends CustomOpResult, C extends object>(
  definition: CustomOpDefinition<A, R, C>,
  inputs: A,
): R {
  const { name } = definition;
  const tensors = inputs.filter((input) => input instanceof Tensor);
  if (tensors.length > 0) commonKernels(name, ...tensors);
  if (isRecording(tensors)) checkLists(name, inputs);
  return runScope(
    () => {
      const result = withGradMode(false, () => forwardUnchanged(definition, inputs, tensors));
      if (isRecording(tensors)) recordCustom(definition, inputs, tensors, result);
      return result;
    },
    (result) => listOf(result),
    (handle) => handle.discard(),
  );
}

function listOf(result: CustomOpResult): Outputs {
  return result instanceof Tensor ? [result] : result;
}

/** Runs `forward`, and gives its outputs as handles of their own. */
function forwardUnchanged<A extends readonly unknown[], R extends CustomOpResult, C extends object>(
  definition: CustomOpDefinition<A, R, C>,
  inputs: A,
  tensors: readonly Tensor[],
): R {
  const { name } = definition;
  const before = tensors.map((tensor) => tensor.storage.version);
  const firstStorage = storagesMade();
  const raw: unknown = definition.forward(...inputs);
  tensors.forEach((tensor, index) => {
    if (tensor.storage.version === before[index]) return;
    throw new AutogradError(
      `${name}: got a forward that changes argument ${inputs.indexOf(tensor)} in place; expected one that leaves its arguments alone. Use the forms without underscore.`,
    );
  });
  const list: readonly unknown[] = Array.isArray(raw) ? raw : [raw];
  if (list.length === 0 || !list.every((each) => each instanceof Tensor)) {
    throw new ArgumentError(
      `${name}: got ${list.length === 0 ? "an empty array" : describe(list.find((each) => !(each instanceof Tensor)))} from forward; ` +
        "expected a tensor or an array of tensors. Return the outputs, without await.",
    );
  }
  const outputs = list.map((each) => ownHandle(name, each, firstStorage));
  return (Array.isArray(raw) ? outputs : outputs[0]) as R;
}

/** A new handle, for what `forward` gave may be an argument or a tensor of the user's that must not get a history. */
function ownHandle(name: string, x: Tensor, firstStorage: number): Tensor {
  if (x.storage.id < firstStorage) return viewOf(x, x.shape, x.strides, x.offset, name);
  return new Tensor(x.storage.retain(), x.shape, x.strides, x.offset, name);
}

function checkLists(name: string, inputs: readonly unknown[]): void {
  inputs.forEach((input, index) => {
    if (!Array.isArray(input) || !input.some((each) => each instanceof Tensor && each.requiresGrad)) return;
    throw new AutogradError(
      `${name}: got an array as argument ${index} with tensors that require grad; expected them as arguments of their own, to which alone gradients flow. ` +
        "Spread the array: op(...tensors).",
    );
  });
}

function recordCustom<A extends readonly unknown[], R extends CustomOpResult, C extends object>(
  definition: CustomOpDefinition<A, R, C>,
  inputs: A,
  tensors: readonly Tensor[],
  result: R,
): void {
  const { name } = definition;
  const context: unknown = withGradMode(false, () => definition.setupContext?.(inputs, result) ?? {});
  if (typeof context !== "object" || context === null || Array.isArray(context) || context instanceof Tensor) {
    throw new ArgumentError(
      `${name}: got ${describe(context)} from setupContext; expected a plain object. Give what backward needs by name: ({ x }).`,
    );
  }
  const { saved, unpack } = pack(context);
  const needsInputGrad = inputs.map((input) => input instanceof Tensor && input.requiresGrad);
  // Not the tensors themselves: only what is saved shall stay alive.
  const kinds = inputs.map((input) => (input instanceof Tensor ? kindOf(input) : describe(input)));
  const like = listOf(result).map(kindOf);
  const thunks = (outGrads: readonly (Tensor | null)[], unpacked: readonly Tensor[]): readonly GradThunk[] => {
    const grads = like.map(({ shape, dtype, device }, index) => outGrads[index] ?? zeros(shape, { dtype, device }));
    const versions = grads.map((grad) => grad.storage.version);
    // What was packed comes back in the same places, which its type cannot say.
    const given = definition.backward(
      { ...unpack(unpacked), needsInputGrad } as unknown as C & BackwardContext,
      ...(grads as unknown as OutputGrads<R>),
    );
    if (grads.some((grad, index) => grad.storage.version !== versions[index])) {
      throw new AutogradError(
        `backward of ${name}: got a backward that changes the gradient of an output in place; expected one that leaves it alone, for others have it too. Use the forms without underscore.`,
      );
    }
    return checkedGrads(name, given, kinds);
  };
  const differentiable = listOf(result).filter((output) => isFloating(output.dtype));
  const [first, ...others] = differentiable;
  if (first === undefined) return;
  if (listOf(result).length === 1) {
    record(name, first, tensors, saved, (g, ...unpacked) => thunks([g], unpacked));
    return;
  }
  const places = listOf(result).map((output) => differentiable.indexOf(output));
  recordJoint(name, [first, ...others], tensors, saved, (outGrads, ...unpacked) =>
    thunks(
      places.map((place) => outGrads[place] ?? null),
      unpacked,
    ),
  );
}

/** Takes the tensors out of a context, and says how to put others in their places. */
function pack(context: object): { saved: Tensor[]; unpack: (tensors: readonly Tensor[]) => object } {
  const saved: Tensor[] = [];
  const placed = Object.entries(context).map(
    ([key, value]): readonly [string, (tensors: readonly Tensor[]) => unknown] => {
      const start = saved.length;
      if (value instanceof Tensor) {
        saved.push(value);
        return [key, (tensors) => tensors[start]];
      }
      if (Array.isArray(value) && value.length > 0 && value.every((each) => each instanceof Tensor)) {
        saved.push(...value);
        return [key, (tensors) => tensors.slice(start, start + value.length)];
      }
      return [key, () => value];
    },
  );
  return { saved, unpack: (tensors) => Object.fromEntries(placed.map(([key, value]) => [key, value(tensors)])) };
}

function checkedGrads(name: string, given: unknown, inputs: readonly (Kind | string)[]): readonly GradThunk[] {
  const where = `backward of ${name}`;
  const grads: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (grads.length !== inputs.length) {
    throw new ArgumentError(
      `${where}: got ${grads.length} gradients; expected ${inputs.length}, one for each argument of forward. Return null for those that have none.`,
    );
  }
  for (const [index, grad] of grads.entries()) checkGrad(`${where}, gradient ${index}`, grad, inputs[index]);
  return grads
    .filter((_, index) => typeof inputs[index] === "object")
    .map((grad) => (grad instanceof Tensor ? () => grad : null));
}

function checkGrad(where: string, grad: unknown, input: Kind | string | undefined): void {
  if (grad === null || grad === undefined) return;
  if (!(grad instanceof Tensor)) {
    throw new ArgumentError(
      `${where}: got ${describe(grad)}; expected a tensor or null. Return tensors, without await.`,
    );
  }
  if (typeof input !== "object") {
    throw new ArgumentError(
      `${where}: got a tensor for an argument that is ${input}; expected null. Only tensors have gradients.`,
    );
  }
  if (!sameShape(grad.shape, input.shape)) {
    throw new ShapeError(
      `${where}: got shape ${formatShape(grad.shape)}; expected the argument's shape ${formatShape(input.shape)}. Sum over what was broadcast, or reshape.`,
    );
  }
  if (grad.dtype !== input.dtype || grad.device !== input.device) {
    throw new (grad.dtype === input.dtype ? DeviceError : DTypeError)(
      `${where}: got ${grad.dtype} on "${grad.device}"; expected the argument's ${input.dtype} on "${input.device}". Convert it with .to(…).`,
    );
  }
}

function describe(value: unknown): string {
  if (value instanceof Tensor) return "a tensor";
  if (value instanceof Promise) {
    // The promise is nobody's now: its failure must not surface beside the error that names it.
    value.catch(() => undefined);
    return "a promise";
  }
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
