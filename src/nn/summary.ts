import { zeros } from "../tensor/create.js";
import { noGrad, tensorsIn } from "../tensor/scopes.js";
import { elementCount, formatShape, type Shape } from "../tensor/shape.js";
import { kindOf } from "./describe.js";
import { errorAt } from "./errorPlace.js";
import type { Module } from "./module.js";
import type { Parameter } from "./parameter.js";
import { type CallWatcher, watchCalls } from "./watchCalls.js";

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
  const notes = new Notes();
  try {
    model.eval();
    watchCalls(held, notes, () => noGrad(() => runOnZeros(model, inputShape)));
  } catch (error) {
    throw errorAt(
      `summary: input ${formatShape(inputShape)}${notes.failedAt === null ? "" : `, at ${notes.failedAt}`}`,
      error,
    );
  } finally {
    held.forEach(([, module], index) => {
      module.training = modes[index] ?? true;
    });
  }
  const parameters = model.parameters();
  const found = {
    inputShape: [...inputShape],
    rows: rowsOf(notes.calls, held),
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

/** Notes the calls of modules. */
class Notes implements CallWatcher {
  readonly calls: Call[] = [];
  /** The innermost module in which an error came up. */
  failedAt: string | null = null;
  private readonly open: Call[] = [];

  enter(path: string, module: Module): void {
    const call: Call = { path, module, outputShape: null };
    this.calls.push(call);
    this.open.push(call);
  }

  leave(_path: string, _module: Module, result: unknown): void {
    const call = this.open.pop();
    const [first] = tensorsIn(result);
    if (call !== undefined) call.outputShape = first?.shape ?? null;
  }

  fail(path: string, module: Module): void {
    this.open.pop();
    this.failedAt ??= path === "" ? kindOf(module) : `${path} (${kindOf(module)})`;
  }
}

function runOnZeros(model: Module, inputShape: Shape): void {
  // Lazy layers have none before this run.
  const [parameter] = model.modules().flatMap((module) => module.ownParameters());
  const place = parameter === undefined ? {} : { dtype: parameter.dtype, device: parameter.device };
  Reflect.apply(model.forward, model, [zeros(inputShape, place)]);
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
