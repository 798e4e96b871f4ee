/** One node of an imported graph, as its operator sees it. */
import { DataFormatError } from "../../../errors.js";
import type { DType } from "../../../tensor/dtype.js";
import type { Tensor } from "../../../tensor/tensor.js";
import { type AttributeProto, AttributeProto_AttributeType as Type } from "../proto/onnx_pb.js";
import { type Elements, elementsOf } from "./tensors.js";
import { asTensor, numbersOf, type Value } from "./values.js";

/** A node as it stands in the file. */
export interface NodeOfFile {
  readonly op: string;
  /** Its name, or that of its first output. */
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, AttributeProto>;
}

/** What an operator gives: its outputs, or its only one. */
export type Result = Value | readonly Value[];

/** What a node may know of the arrays in the file. */
export interface Store {
  /** The elements of small arrays that are not learnt, by name. */
  readonly known: ReadonlyMap<string, readonly number[]>;
  /** Names of running statistics. */
  readonly statistics: ReadonlySet<string>;
}

/** A node at a run of its graph. */
export class NodeRun {
  constructor(
    readonly node: NodeOfFile,
    private readonly values: readonly (Value | null)[],
    /** The version of the operators. */
    readonly opset: number,
    /** Whether the module is in training mode. */
    readonly training: boolean,
    private readonly device: Tensor["device"],
    private readonly store: Store,
  ) {}

  get inputCount(): number {
    return this.values.length;
  }

  /** Whether somebody wants this output. */
  wants(output: number): boolean {
    return (this.node.outputs[output] ?? "") !== "";
  }

  optional(index: number): Value | null {
    return this.values[index] ?? null;
  }

  value(index: number): Value {
    return this.optional(index) ?? this.fail(`no input ${index}`, "one that is there");
  }

  tensor(index: number): Tensor {
    return asTensor(this.value(index), this.device);
  }

  optionalTensor(index: number): Tensor | null {
    const value = this.optional(index);
    return value === null ? null : asTensor(value, this.device);
  }

  toTensor(value: Value): Tensor {
    return asTensor(value, this.device);
  }

  place(dtype: DType): { readonly dtype: DType; readonly device: Tensor["device"] } {
    return { dtype, device: this.device };
  }

  /** The elements of an input as plain numbers: a shape, axes, bounds. */
  numbers(index: number): readonly number[] {
    const value = this.value(index);
    return this.store.known.get(this.node.inputs[index] ?? "") ?? numbersOf(value);
  }

  optionalNumber(index: number): number | null {
    return this.optional(index) === null ? null : (this.numbers(index)[0] ?? null);
  }

  /** Whether an input is a running mean or variance that the module keeps. */
  isStatistic(index: number): boolean {
    return this.store.statistics.has(this.node.inputs[index] ?? "");
  }

  /** Whole numbers that are an attribute in old versions and an input in new ones. */
  intsOf(attribute: string, input: number): readonly number[] | null {
    return this.optional(input) === null ? this.intList(attribute) : this.numbers(input);
  }

  // --- attributes ---------------------------------------------------------------------------------------------------

  int<D extends number | null>(name: string, otherwise: D): number | D {
    const attribute = this.attribute(name, Type.INT);
    return attribute === null ? otherwise : Number(attribute.i);
  }

  float(name: string, otherwise: number): number {
    return this.attribute(name, Type.FLOAT)?.f ?? otherwise;
  }

  text(name: string, otherwise: string): string {
    const attribute = this.attribute(name, Type.STRING);
    return attribute === null ? otherwise : new TextDecoder().decode(attribute.s);
  }

  intList(name: string): readonly number[] | null {
    return this.attribute(name, Type.INTS)?.ints.map(Number) ?? null;
  }

  floatList(name: string): readonly number[] | null {
    return this.attribute(name, Type.FLOATS)?.floats ?? null;
  }

  elements(name: string): Elements | null {
    const attribute = this.attribute(name, Type.TENSOR);
    return attribute?.t === undefined ? null : elementsOf(`the attribute ${name} of ${this.node.name}`, attribute.t);
  }

  has(name: string): boolean {
    return this.node.attributes.has(name);
  }

  private attribute(name: string, type: Type): AttributeProto | null {
    const attribute = this.node.attributes.get(name);
    if (attribute === undefined) return null;
    if (attribute.type !== type) {
      this.fail(`the attribute ${name} of type ${Type[attribute.type] ?? attribute.type}`, Type[type] ?? "another");
    }
    return attribute;
  }

  /** @throws DataFormatError always, with the node's name. */
  fail(got: string, expected: string): never {
    const { op, name } = this.node;
    throw new DataFormatError(
      `importOnnx: got ${got} at ${op} ${JSON.stringify(name)}; expected ${expected}. Export the model again, or change that part of it.`,
    );
  }
}
