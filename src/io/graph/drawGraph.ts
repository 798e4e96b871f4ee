import { ArgumentError, DeviceError } from "../../errors.js";
import { checkOptions } from "../../nn/arguments.js";
import { Module } from "../../nn/module.js";
import { reasonOf } from "../../platform/reasonOf.js";
import { GradNode } from "../../tensor/autograd.js";
import { formatShape } from "../../tensor/shape.js";
import { Tensor } from "../../tensor/tensor.js";
import { placeOf, type TapePlace, tapeBehind, tensorAt } from "./tape.js";

/** Settings of {@link drawGraph}. */
export interface DrawGraphOptions {
  /** Its parameters are marked, with their names. */
  readonly model?: Module;
  /** Names of other tensors: of inputs, of outputs, of what lies between. */
  readonly names?: Readonly<Record<string, Tensor>>;
}

/** A graph that is to be looked at. */
export interface GraphDrawing {
  /** The graph in Graphviz' language. */
  readonly dot: string;
  /**
   * The graph as a picture. Graphviz lays it out, as the npm package `@viz-js/viz`.
   *
   * @throws DeviceError (as a rejection) where that package is not installed.
   */
  svg(): Promise<string>;
}

/** The part of the package that is used. */
interface Viz {
  instance(): Promise<{ renderString(dot: string, options: { format: "svg" }): string }>;
}

/**
 * Draws what is recorded behind a tensor, or several: ops as boxes, leaves as ellipses, with the shapes of the tensors
 * that pass on the arrows between. Draw before `backward()`, which consumes the graph; gradients that were made with
 * `createGraph: true` have graphs too. Tensors that need no gradient are not on the tape, and not in the picture.
 *
 * @throws AutogradError where a tensor has no history, or its graph was consumed.
 * @throws ArgumentError where `model` is no Module, or a name stands for no tensor.
 * @see https://graphviz.org/doc/info/lang.html
 */
export function drawGraph(outputs: Tensor | readonly Tensor[], options: DrawGraphOptions = {}): GraphDrawing {
  checkOptions("drawGraph", options, ["model", "names"]);
  const tops = Array.isArray(outputs) ? (outputs as readonly Tensor[]) : [outputs as Tensor];
  if (tops.length === 0) {
    throw new ArgumentError("drawGraph: got no tensors; expected at least one. Pass what was computed.");
  }
  const names = namesOf(options);
  const dot = dotOf(tapeBehind("drawGraph", tops), tops, names);
  return { dot, svg: () => render(dot) };
}

/** What a place is called, and whether it is a parameter. */
interface Name {
  readonly text: string;
  readonly isParameter: boolean;
}

function namesOf({ model, names = {} }: DrawGraphOptions): Map<TapePlace, Name> {
  if (model !== undefined && !(model instanceof Module)) {
    throw new ArgumentError(
      "drawGraph: got something else as the model; expected a Module. Pass { model }, or { names } for single tensors.",
    );
  }
  const found = new Map<TapePlace, Name>();
  for (const [path, parameter] of model?.namedParameters() ?? []) {
    found.set(parameter, { text: path, isParameter: true });
  }
  for (const [name, tensor] of Object.entries(names)) {
    if (!(tensor instanceof Tensor)) {
      throw new ArgumentError(
        `drawGraph: got no tensor by the name ${JSON.stringify(name)}; expected tensors by name. Correct names.`,
      );
    }
    found.set(placeOf(tensor), { text: name, isParameter: false });
  }
  return found;
}

function dotOf(places: readonly TapePlace[], outputs: readonly Tensor[], names: ReadonlyMap<TapePlace, Name>): string {
  const ids = new Map(places.map((place, index) => [place, `n${index}`]));
  const nodes = places.map((place) => `  ${ids.get(place)} [${attributes(nodeStyle(place, names.get(place)))}];`);
  const edges = places.flatMap((place) =>
    (place instanceof GradNode ? place.edges : []).flatMap((edge) =>
      edge === null
        ? []
        : [`  ${ids.get(edge)} -> ${ids.get(place)} [${attributes({ label: `  ${shapeAt(edge)}` })}];`],
    ),
  );
  const ends = outputs.flatMap((output, index) => {
    const style = { label: outputs.length === 1 ? "output" : `output ${index}`, shape: "plaintext" };
    const label = `  ${formatShape(output.shape)}`;
    return [
      `  o${index} [${attributes(style)}];`,
      `  ${ids.get(placeOf(output))} -> o${index} [${attributes({ label })}];`,
    ];
  });
  return [
    "digraph tape {",
    '  graph [bgcolor="white", rankdir="TB", fontname="Helvetica"];',
    '  node [fontname="Helvetica", fontsize="11", shape="box", style="rounded,filled", fillcolor="#eef2f7", color="#5b6b7f"];',
    '  edge [fontname="Helvetica", fontsize="9", fontcolor="#444444", color="#5b6b7f", arrowsize="0.7"];',
    ...nodes,
    ...edges,
    ...ends,
    "}",
    "",
  ].join("\n");
}

function nodeStyle(place: TapePlace, name: Name | undefined): Record<string, string> {
  if (place instanceof GradNode) {
    return { label: name === undefined ? place.name : `${name.text}\n${place.name}` };
  }
  const label = `${name?.text ?? place.madeBy}\n${shapeAt(place)}`;
  const isParameter = name?.isParameter ?? place.madeBy === "Parameter";
  return { label, shape: "ellipse", style: "filled", fillcolor: isParameter ? "#ffe2b3" : "#d5ecd5" };
}

function shapeAt(place: TapePlace): string {
  return formatShape(tensorAt(place).shape);
}

function attributes(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${quoted(value)}`)
    .join(", ");
}

function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}

async function render(dot: string): Promise<string> {
  // A name that bundlers do not follow: who draws nothing does without it.
  const name: string = "@viz-js/viz";
  let viz: Viz;
  try {
    viz = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as Viz;
  } catch (error) {
    throw new DeviceError(
      `svg: got ${reasonOf(error)}; expected the npm package ${name}, which lays graphs out. Run npm install ${name}, or give the dot text to Graphviz.`,
      { cause: error },
    );
  }
  return (await viz.instance()).renderString(dot, { format: "svg" });
}
