/**
 * Collating: from a list of samples to one batch.
 *
 * @module
 */
import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import { type FlatData, tensor } from "../tensor/create.js";
import { stack } from "../tensor/ops/joining.js";
import { composite } from "../tensor/scopes.js";
import { formatShape, sameShape } from "../tensor/shape.js";
import { Tensor } from "../tensor/tensor.js";

/** The batch that {@link defaultCollate} makes of samples of type `S`. */
export type Collated<S> = S extends Tensor | FlatData | number | boolean
  ? Tensor
  : S extends string
    ? string[]
    : S extends readonly unknown[]
      ? { -readonly [K in keyof S]: Collated<S[K]> }
      : S extends object
        ? { [K in keyof S]: Collated<S[K]> }
        : unknown;

/**
 * Makes a batch of samples: each tensor gets a new first axis that counts the samples.
 *
 * Tensors are stacked, typed arrays too. Numbers become a tensor of one axis: int32 where all of the batch are whole and
 * fit, as class labels are, else float32. Booleans become a bool tensor, strings an array. In arrays and plain objects
 * each item is collated by itself, so that samples `[image, label]` make a batch `[images, labels]`.
 *
 * @throws ShapeError where samples differ in shape or length.
 * @throws DTypeError where samples differ in kind, or hold something else.
 * @throws ArgumentError where there are no samples.
 * @see https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.default_collate
 */
export function defaultCollate<S>(samples: readonly S[]): Collated<S> {
  return collateSamples("defaultCollate", samples, (position) => position);
}

/** {@link defaultCollate} with names for messages: where it happens, and the number of the sample at a position. */
export function collateSamples<S>(
  where: string,
  samples: readonly S[],
  nameOf: (position: number) => number,
): Collated<S> {
  if (samples.length === 0) {
    throw new ArgumentError(`${where}: got no samples; expected at least one. Skip the empty batch.`);
  }
  return new Collation(where, nameOf).join(samples, "") as Collated<S>;
}

type Kind = "tensor" | "number" | "boolean" | "string" | "array" | "object" | "typed array";

class Collation {
  constructor(
    private readonly where: string,
    private readonly nameOf: (position: number) => number,
  ) {}

  /** `path` tells where in each sample the items lie, as one would write it: `[0].image`. */
  join(items: readonly unknown[], path: string): unknown {
    const [first] = items;
    switch (this.commonKind(items, path)) {
      case "tensor":
        return this.joinTensors(items as Tensor[], path);
      case "typed array":
        return composite(() =>
          this.joinTensors(
            (items as FlatData[]).map((item) => tensor(item)),
            path,
          ),
        );
      case "number":
        return joinNumbers(items as number[]);
      case "boolean":
        return tensor(items as boolean[]);
      case "string":
        return [...items];
      case "array":
        this.checkLengths(items as unknown[][], path);
        return (first as unknown[]).map((_, i) =>
          this.join(
            (items as unknown[][]).map((item) => item[i]),
            `${path}[${i}]`,
          ),
        );
      case "object": {
        const keys = Object.keys(first as object);
        const values = (key: string) => (items as Record<string, unknown>[]).map((item) => item[key]);
        return Object.fromEntries(keys.map((key) => [key, this.join(values(key), `${path}.${key}`)]));
      }
    }
  }

  private commonKind(items: readonly unknown[], path: string): Kind {
    const kinds = items.map(kindOf);
    kinds.forEach((kind, position) => {
      if (kind === null) {
        throw new DTypeError(
          `${this.where}: got ${describe(items[position])} in ${this.place(position, path)}; expected tensors, typed arrays, numbers, ` +
            "booleans, strings, and arrays and plain objects of them. Convert it, or pass collate.",
        );
      }
      if (kind !== kinds[0]) {
        throw new DTypeError(
          `${this.where}: got kind ${kinds[0]} in ${this.place(0, path)} and ${kind} in ${this.place(position, path)}; ` +
            "expected one kind in a batch. Make the samples alike, or pass collate.",
        );
      }
    });
    return kinds[0] as Kind;
  }

  private joinTensors(tensors: readonly Tensor[], path: string): Tensor {
    const shape = tensors[0]?.shape ?? [];
    tensors.forEach((each, position) => {
      if (sameShape(each.shape, shape)) return;
      throw new ShapeError(
        `${this.where}: got shape ${formatShape(shape)} in ${this.place(0, path)} and ${formatShape(each.shape)} in ` +
          `${this.place(position, path)}; expected one shape in a batch. Crop or pad the samples to one shape, or pass collate.`,
      );
    });
    return stack(tensors);
  }

  private checkLengths(arrays: readonly unknown[][], path: string): void {
    const length = arrays[0]?.length;
    arrays.forEach((each, position) => {
      if (each.length === length) return;
      throw new ShapeError(
        `${this.where}: got an array of ${length} in ${this.place(0, path)} and one of ${each.length} in ` +
          `${this.place(position, path)}; expected one length in a batch. Make the samples alike, or pass collate.`,
      );
    });
  }

  private place(position: number, path: string): string {
    return `sample ${this.nameOf(position)}${path === "" ? "" : ` at ${path}`}`;
  }
}

function joinNumbers(numbers: readonly number[]): Tensor {
  const whole = numbers.every((value) => (value | 0) === value);
  return tensor(whole ? Int32Array.from(numbers) : Float32Array.from(numbers));
}

function kindOf(item: unknown): Kind | null {
  if (item instanceof Tensor) return "tensor";
  if (Array.isArray(item)) return "array";
  if (ArrayBuffer.isView(item)) return item instanceof DataView ? null : "typed array";
  if (typeof item === "number" || typeof item === "boolean" || typeof item === "string") return typeof item as Kind;
  if (typeof item !== "object" || item === null) return null;
  const prototype: unknown = Object.getPrototypeOf(item);
  return prototype === Object.prototype || prototype === null ? "object" : null;
}

function describe(item: unknown): string {
  if (typeof item !== "object" || item === null) return typeof item === "function" ? "a function" : String(item);
  return `a ${item.constructor?.name ?? "object without a class"}`;
}
