/** A case of test/golden/layers/layers.json: a layer or a loss against PyTorch. Runs in Node and in browsers. */
import { manualSeed, nn, type Tensor, tensor } from "../../src/index.js";
import { compare, type Packed } from "../golden/runCase.js";

export interface LayerCase {
  readonly layer: string;
  readonly name: string;
  readonly args: readonly unknown[];
  readonly mode: "train" | "eval";
  readonly state: Record<string, Packed>;
  readonly warmup: readonly Packed[];
  readonly inputs: readonly Packed[];
  readonly extra: readonly unknown[];
  readonly outputs: readonly Packed[];
  readonly outputGrad: Packed;
  readonly inputGrads: readonly (Packed | null)[];
  readonly parameterGrads: Record<string, Packed>;
  readonly after: Record<string, Packed>;
}

type AnyLayer = nn.Module & { forward(...inputs: unknown[]): Tensor | [Tensor, Tensor] };
type LayerClass = new (...args: unknown[]) => AnyLayer;

function unpack({ dtype, shape, data }: Packed): Tensor {
  return tensor((dtype === "bool" ? data.map(Boolean) : [...data]) as number[], { dtype, shape });
}

/** Arguments in which tensors are written as { tensor: … }, and layers as { module: name, args: […] }. */
function fill(arg: unknown): unknown {
  if (arg === null || typeof arg !== "object" || Array.isArray(arg)) return arg;
  if ("tensor" in arg) return unpack(arg.tensor as Packed);
  if ("module" in arg && "args" in arg) return makeLayer(arg.module as string, arg.args as readonly unknown[]);
  return Object.fromEntries(Object.entries(arg).map(([key, value]) => [key, fill(value)]));
}

export function makeLayer(layer: string, args: readonly unknown[]): AnyLayer {
  const Kind = (nn as unknown as Record<string, LayerClass>)[layer];
  if (Kind === undefined) throw new Error(`there is no layer ${layer}`);
  return new Kind(...args.map(fill));
}

/** Whether a device without float64 can have it. */
export function isLayerWithoutFloat64(each: LayerCase): boolean {
  return !JSON.stringify(each).includes("float64");
}

/** @throws Error where names or values differ. */
export async function compareState(model: nn.Module, packed: Record<string, Packed>, tolerance: number): Promise<void> {
  const state = model.stateDict();
  compareNames(Object.keys(state), Object.keys(packed), "state");
  for (const [key, value] of Object.entries(packed)) await compare(state[key], value, key, tolerance);
}

function compareNames(got: readonly string[], expected: readonly string[], what: string): void {
  if (String(got) !== String(expected)) throw new Error(`${what}: got ${got}; expected ${expected}`);
}

/**
 * Runs a case on the default device, and compares outputs, gradients and what becomes of the state.
 *
 * @throws Error where something differs.
 */
export async function runLayerCase(each: LayerCase): Promise<void> {
  const layer = makeLayer(each.layer, each.args);
  layer.loadStateDict(Object.fromEntries(Object.entries(each.state).map(([key, packed]) => [key, unpack(packed)])));
  for (const x of each.warmup) layer.forward(unpack(x));
  layer.train(each.mode === "train");
  const inputs = each.inputs.map(unpack);
  each.inputGrads.forEach((g, index) => {
    if (g !== null) inputs[index]?.requiresGrad_();
  });
  manualSeed(0);
  const result = layer.forward(...inputs, ...each.extra);
  const outputs = Array.isArray(result) ? result : [result];
  if (outputs.length !== each.outputs.length) {
    throw new Error(`got ${outputs.length} outputs; expected ${each.outputs.length}`);
  }
  for (const [index, packed] of each.outputs.entries()) await compare(outputs[index], packed, `output ${index}`);
  outputs[0]?.backward(unpack(each.outputGrad));
  for (const [index, packed] of each.inputGrads.entries()) {
    if (packed !== null) await compare(inputs[index]?.grad, packed, `gradient of input ${index}`);
  }
  const parameters = new Map(layer.namedParameters());
  compareNames([...parameters.keys()], Object.keys(each.parameterGrads), "parameters");
  for (const [name, packed] of Object.entries(each.parameterGrads)) {
    await compare(parameters.get(name)?.grad, packed, `gradient of ${name}`);
  }
  await compareState(layer, each.after, 1e-5);
}
