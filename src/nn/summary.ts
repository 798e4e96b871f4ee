import { zeros } from "../tensor/create.js";
import { noGrad, tensorsIn } from "../tensor/scopes.js";
import { elementCount, formatShape, type Shape } from "../tensor/shape.js";
import { kindOf } from "./describe.js";
import { errorAt } from "./errorPlace.js";
import type { Module } from "./module.js";
import type { Parameter } from "./parameter.js";

/** One call of one module. */
export interface SummaryRow {
  /** Where the module lies: `blocks.0.conv`; empty for the model itself. */
  readonly path: string;
  /** The name of its class. */
  readonly kind: string;
  /** Shape of what it gave (of the first tensor, where it gave several); null where it was not called or gave none. */
  readonly outputShape: Shape | null;
  /** Elements of its own parameters that no row above has counted; those of the modules in it have rows of their own. */
  readonly parameterCount: number;
}

/** What {@link summary} found. Its text, `String(summary)`, is a table. */
export interface Summary {
  readonly inputShape: Shape;
  /** The model itself, then modules in the order of their calls, one row for each call; at last those that were not called. */
  readonly rows: readonly SummaryRow[];
  /** Elements of all parameters. */
  readonly parameterCount: number;
  /** Elements of the parameters that require grad. */
  readonly trainableCount: number;
  toString(): string;
}

/**
 * Runs a model once on zeros of `inputShape`, in evaluation mode and without recording, and lists what each of its modules
 * gave and how many parameters it has. Functions that `forward` calls, such as `x.maxPool2d(2)`, are no modules and have no
 * row. Modes are restored.
 *
 * @throws ShapeError and others that the model throws; the text begins with the path of the module where it happened.
 */
export function summary(model: Module, inputShape: Shape): Summary {
  const held = model.namedModules();
  const modes = held.map(([, module]) => module.training);
  const watch = new Watch();
  try {
    model.eval();
    for (const [path, module] of held) watch.observe(path, module);
    noGrad(() => runOnZeros(model, inputShape));
  } catch (error) {
    throw errorAt(
      `summary: input ${formatShape(inputShape)}${watch.failedAt === null ? "" : `, at ${watch.failedAt}`}`,
      error,
    );
  } finally {
    watch.stop();
    held.forEach(([, module], index) => {
      module.training = modes[index] ?? true;
    });
  }
  const parameters = model.parameters();
  const found = {
    inputShape: [...inputShape],
    rows: rowsOf(watch.calls, held),
    parameterCount: countOf(parameters),
    trainableCount: countOf(parameters.filter((parameter) => parameter.requiresGrad)),
  };
  return { ...found, toString: () => table(kindOf(model), found) };
}

/** A call of a module, in the order in which calls began. */
interface Call {
  readonly path: string;
  readonly module: Module;
  outputShape: Shape | null;
}

type Forward = (...inputs: unknown[]) => unknown;

/** Notes the calls of modules. For that it lays a field `forward` over their method, and takes it away in the end. */
class Watch {
  readonly calls: Call[] = [];
  /** The innermost module in which an error came up. */
  failedAt: string | null = null;
  private readonly restore: (() => void)[] = [];

  observe(path: string, module: Module): void {
    const before = Object.getOwnPropertyDescriptor(module, "forward");
    const forward = module.forward as Forward;
    const observed: Forward = (...inputs) => {
      const call: Call = { path, module, outputShape: null };
      this.calls.push(call);
      try {
        const result = Reflect.apply(forward, module, inputs);
        const [first] = tensorsIn(result);
        call.outputShape = first?.shape ?? null;
        return result;
      } catch (error) {
        this.failedAt ??= path === "" ? kindOf(module) : `${path} (${kindOf(module)})`;
        throw error;
      }
    };
    Object.defineProperty(module, "forward", {
      value: observed,
      configurable: true,
      enumerable: false,
      writable: true,
    });
    this.restore.push(() => {
      if (before === undefined) Reflect.deleteProperty(module, "forward");
      else Object.defineProperty(module, "forward", before);
    });
  }

  stop(): void {
    for (const restore of this.restore) restore();
  }
}

function runOnZeros(model: Module, inputShape: Shape): void {
  const [parameter] = model.parameters();
  const place = parameter === undefined ? {} : { dtype: parameter.dtype, device: parameter.device };
  (model.forward as Forward).call(model, zeros(inputShape, place));
}

function rowsOf(calls: readonly Call[], held: readonly (readonly [string, Module])[]): SummaryRow[] {
  const called = new Set(calls.map((call) => call.module));
  const idle = held
    .filter(([, module]) => !called.has(module))
    .map(([path, module]) => ({ path, module, outputShape: null }));
  const counted = new Set<Parameter>();
  return [...calls, ...idle].map(({ path, module, outputShape }) => {
    const own = module.ownParameters().filter((parameter) => !counted.has(parameter));
    for (const parameter of own) counted.add(parameter);
    return { path, kind: kindOf(module), outputShape, parameterCount: countOf(own) };
  });
}

function countOf(parameters: readonly Parameter[]): number {
  return parameters.reduce((sum, parameter) => sum + elementCount(parameter.shape), 0);
}

function table(kind: string, { inputShape, rows, parameterCount, trainableCount }: Omit<Summary, "toString">): string {
  const number = (value: number): string => value.toLocaleString("en-US");
  const head = ["layer", "kind", "output shape", "parameters"];
  const body = rows.map((row) => [
    row.path === "" ? "(model)" : row.path,
    row.kind,
    row.outputShape === null ? "—" : formatShape(row.outputShape),
    number(row.parameterCount),
  ]);
  const totals = [
    ["parameters", "", "", number(parameterCount)],
    ["trainable", "", "", number(trainableCount)],
  ];
  const widths = head.map((_, column) =>
    Math.max(...[head, ...body, ...totals].map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 3 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  ");
  const rule = "─".repeat(widths.reduce((sum, width) => sum + width + 2, -2));
  return [
    `${kind} on an input of shape ${formatShape(inputShape)}`,
    line(head),
    rule,
    ...body.map(line),
    rule,
    ...totals.map(line),
  ].join("\n");
}
