/** The graph of a plan as an ONNX model: everything gets a name, and numbers that depend on the batch become nodes. */
import type { TypedArray } from "../../../kernels/kernelSet.js";
import { PARAMETERS, STATISTICS } from "../opset.js";
import type {
  AttributeInit,
  DimensionInit,
  GraphInit,
  InitializerInit,
  NodeInit,
  ValueInfoInit,
} from "../proto/model.js";
import type { Formula, Plan, Scalar } from "./batch.js";
import { type Attribute, dataTypes, type ElementType, type Value } from "./graph.js";

/** Names from outside. */
export interface Names {
  readonly graph: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Those of the module's state that are learnt. */
  readonly parameters: ReadonlySet<string>;
}

/** The name of the batch size in shapes. */
const BATCH = "batch";

/** Turns a plan into the contents of an ONNX file. Waits for the elements of parameters. */
export async function encodeGraph(plan: Plan, names: Names): Promise<GraphInit> {
  const encoder = new Encoder(plan, names);
  encoder.run();
  return {
    name: names.graph,
    node: encoder.nodes,
    initializer: await Promise.all(encoder.initializers),
    input: plan.trace.inputs.map((value, index) => encoder.info(value, names.inputs[index] ?? "")),
    output: plan.trace.outputs.map(({ value }, index) => encoder.info(value, names.outputs[index] ?? "")),
    metadata: {
      [PARAMETERS]: JSON.stringify(encoder.stateNames((name) => names.parameters.has(name))),
      [STATISTICS]: JSON.stringify(encoder.stateNames((name) => !names.parameters.has(name))),
    },
  };
}

class Encoder {
  readonly nodes: NodeInit[] = [];
  readonly initializers: Promise<InitializerInit>[] = [];
  private readonly taken = new Set<string>();
  private readonly counts = new Map<string, number>();
  private readonly nameOf = new Map<Value, string>();
  private readonly stored = new Map<string, string>();
  private readonly states = new Map<string, string>();
  private readonly buffers = new Map<TypedArray | Promise<TypedArray>, number>();

  constructor(
    private readonly plan: Plan,
    private readonly names: Names,
  ) {}

  run(): void {
    const { plan, names } = this;
    for (const name of [...names.inputs, ...names.outputs]) this.taken.add(name);
    plan.trace.inputs.forEach((value, index) => {
      this.nameOf.set(value, names.inputs[index] ?? "");
    });
    const inner = new Set(plan.trace.inputs);
    plan.trace.outputs.forEach(({ value }, index) => {
      // The first output that is made by a node takes its name; what comes twice, or was there before, is copied.
      if (value.source === null && !inner.has(value) && !this.nameOf.has(value)) {
        this.nameOf.set(value, names.outputs[index] ?? "");
      }
    });
    for (const node of plan.nodes) {
      const name = this.fresh(node.path === "" ? node.op : `${node.path}.${node.op}`);
      const input = node.inputs.map((value, place) =>
        value === null ? "" : this.use(value, node.op === "Reshape" && place === 1),
      );
      while (input.at(-1) === "") input.pop();
      const output = node.outputs.map((value, place) => this.made(value, place === 0 ? name : `${name}:${place}`));
      const attribute = Object.entries(node.attributes).map(([key, value]) => attributeOf(key, value));
      this.nodes.push({ name, opType: node.op, input, output: this.trimmed(node.outputs, output), attribute });
    }
    plan.trace.outputs.forEach(({ value }, index) => {
      const name = names.outputs[index] ?? "";
      const from = this.use(value, false);
      if (from !== name)
        this.nodes.push({
          name: this.fresh("Identity"),
          opType: "Identity",
          input: [from],
          output: [name],
          attribute: [],
        });
    });
  }

  /** Outputs at the end that nobody reads are left out. */
  private trimmed(values: readonly Value[], output: readonly string[]): string[] {
    const read = new Set(this.plan.nodes.flatMap(({ inputs }) => inputs));
    const isRead = (value: Value | undefined): boolean =>
      value !== undefined && (read.has(value) || this.plan.trace.outputs.some((entry) => entry.value === value));
    let length = output.length;
    while (length > 1 && !isRead(values[length - 1])) length--;
    return output.slice(0, length);
  }

  /** The names in the file of what the module holds. */
  stateNames(isWanted: (name: string) => boolean): string[] {
    return [...this.states].filter(([name]) => isWanted(name)).map(([, stored]) => stored);
  }

  info(value: Value, name: string): ValueInfoInit {
    const dims = this.plan.extents(value).map((extent): DimensionInit => {
      if (typeof extent === "number") return { value: BigInt(extent) };
      return { param: formulaText(extent) };
    });
    return { name, elemType: dataTypes[value.dtype], dims };
  }

  private made(value: Value, name: string): string {
    const known = this.nameOf.get(value);
    if (known !== undefined) return known;
    const unique = this.taken.has(name) ? name : this.fresh(name);
    this.nameOf.set(value, unique);
    return unique;
  }

  private fresh(base: string): string {
    for (let count = this.counts.get(base) ?? 0; ; count++) {
      const name = count === 0 ? base : `${base}_${count}`;
      if (this.taken.has(name)) continue;
      this.counts.set(base, count + 1);
      this.taken.add(name);
      return name;
    }
  }

  /** The name under which a node reads the value; what is stored in the file is stored at its first use. */
  private use(value: Value, isShape: boolean): string {
    const known = this.nameOf.get(value);
    if (known !== undefined) return known;
    const { source, dtype, shape } = value;
    if (source === null || source.kind === "input") throw new Error("a value is used before it is made");
    if (source.kind === "state") {
      const name = this.store(`state ${source.name}`, source.name, dtype, shape, source.data);
      this.states.set(source.name, name);
      return name;
    }
    if (source.kind === "captured" || source.kind === "constant") {
      const id = this.buffers.get(source.data) ?? this.buffers.size;
      this.buffers.set(source.data, id);
      return this.store(`data ${id} ${shape.join()}`, "constant", dtype, shape, source.data);
    }
    const scalars = this.plan.scalars(value);
    if (source.kind === "number") return this.number(dtype, scalars[0] ?? 0);
    const moving = scalars.filter((scalar) => typeof scalar !== "number");
    if (moving.length === 0) return this.ints(scalars as readonly number[]);
    // A reshape works one extent out by itself.
    if (isShape && moving.length === 1 && !scalars.includes(0)) {
      return this.ints(scalars.map((scalar) => (typeof scalar === "number" ? scalar : -1)));
    }
    const parts = scalars.map((scalar) => (typeof scalar === "number" ? this.ints([scalar]) : this.whole(scalar)));
    return parts.length === 1 ? (parts[0] ?? "") : this.node("Concat", parts, [attributeOf("axis", 0)]);
  }

  private store(
    key: string,
    name: string,
    dtype: ElementType,
    shape: readonly number[],
    data: TypedArray | Promise<TypedArray>,
  ): string {
    const known = this.stored.get(key);
    if (known !== undefined) return known;
    const unique = this.fresh(name);
    this.stored.set(key, unique);
    const dims = shape.map(BigInt);
    this.initializers.push(
      Promise.resolve(data).then((values) => ({
        name: unique,
        dataType: dataTypes[dtype],
        dims,
        rawData: bytesOf(values),
      })),
    );
    return unique;
  }

  private ints(values: readonly number[]): string {
    const key = `ints ${values.join()}`;
    const known = this.stored.get(key);
    if (known !== undefined) return known;
    const name = this.fresh("ints");
    this.stored.set(key, name);
    const rawData = bytesOf(BigInt64Array.from(values, BigInt));
    this.initializers.push(
      Promise.resolve({ name, dataType: dataTypes.int64, dims: [BigInt(values.length)], rawData }),
    );
    return name;
  }

  private number(dtype: ElementType, scalar: Scalar): string {
    if (typeof scalar !== "number") return this.formula(dtype, scalar);
    const data = arrayOf(dtype, scalar);
    return this.storeNumber(`number ${dtype} ${Object.is(scalar, -0) ? "-0" : scalar}`, dtype, data);
  }

  private storeNumber(key: string, dtype: ElementType, data: ArrayBufferView): string {
    const known = this.stored.get(key);
    if (known !== undefined) return known;
    const name = this.fresh("number");
    this.stored.set(key, name);
    this.initializers.push(Promise.resolve({ name, dataType: dataTypes[dtype], dims: [], rawData: bytesOf(data) }));
    return name;
  }

  // --- formulas of the batch size -----------------------------------------------------------------------------------

  private batchSize(): string {
    return this.cached("size", () => {
      const place = this.plan.trace.inputs.findIndex((value) => {
        const [extent] = this.plan.extents(value);
        return typeof extent === "object" && extent.slope === 1 && extent.offset === 0;
      });
      const attributes = [attributeOf("start", 0), attributeOf("end", 1)];
      return this.node("Shape", [this.names.inputs[place] ?? ""], attributes);
    });
  }

  /** slope·N + offset as int64 [1]. */
  private whole({ slope, offset, inverse }: Formula): string {
    if (inverse || !Number.isInteger(slope) || !Number.isInteger(offset))
      throw new Error("an extent is no whole number");
    return this.cached(`whole ${slope} ${offset}`, () => {
      const scaled = slope === 1 ? this.batchSize() : this.node("Mul", [this.batchSize(), this.ints([slope])]);
      return offset === 0 ? scaled : this.node("Add", [scaled, this.ints([offset])]);
    });
  }

  /** The formula as a number without axes. */
  private formula(dtype: ElementType, formula: Formula): string {
    const { slope, offset, inverse } = formula;
    return this.cached(`formula ${dtype} ${slope} ${offset} ${inverse}`, () => {
      // In double precision, so that nothing is lost before the end.
      const size = this.node("Cast", [this.batchSize()], [attributeOf("to", dataTypes.float64)]);
      const scaled = this.node("Mul", [size, this.number("float64", slope)]);
      const line = offset === 0 ? scaled : this.node("Add", [scaled, this.number("float64", offset)]);
      const value = inverse ? this.node("Reciprocal", [line]) : line;
      const cast = this.node("Cast", [value], [attributeOf("to", dataTypes[dtype])]);
      return this.node("Squeeze", [cast, this.ints([0])]);
    });
  }

  private cached(key: string, make: () => string): string {
    const known = this.stored.get(key);
    if (known !== undefined) return known;
    const name = make();
    this.stored.set(key, name);
    return name;
  }

  private node(opType: string, input: readonly string[], attribute: readonly AttributeInit[] = []): string {
    const name = this.fresh(opType);
    this.nodes.push({ name, opType, input: [...input], output: [name], attribute: [...attribute] });
    return name;
  }
}

function attributeOf(name: string, value: Attribute): AttributeInit {
  if (typeof value === "number") return { name, kind: "int", value: BigInt(value) };
  if (typeof value === "string") return { name, kind: "string", value };
  if ("float" in value) return { name, kind: "float", value: value.float };
  return { name, kind: "ints", value: value.map(BigInt) };
}

function formulaText({ slope, offset }: Formula): string {
  const scaled = slope === 1 ? BATCH : `${slope}*${BATCH}`;
  return offset === 0 ? scaled : `${scaled}${offset > 0 ? "+" : ""}${offset}`;
}

function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function arrayOf(dtype: ElementType, value: number): ArrayBufferView {
  if (dtype === "int64") return BigInt64Array.of(BigInt(value));
  if (dtype === "float64") return Float64Array.of(value);
  if (dtype === "int32") return Int32Array.of(value);
  return dtype === "bool" ? Uint8Array.of(value) : Float32Array.of(value);
}
