/** For each kernel that computes: how its launch becomes nodes of the graph. A kernel without one is a compile error. */
import { ArgumentError } from "../../../errors.js";
import type { KernelSet } from "../../../kernels/kernelSet.js";
import type { Contents } from "./contents.js";
import { convolutionRecorders } from "./convolution.js";
import { elementwiseRecorders } from "./elementwise.js";
import type { Graph } from "./graph.js";
import { indexRecorders } from "./indexing.js";
import { matmulRecorders } from "./matmul.js";
import { normalizationRecorders } from "./normalization.js";
import { poolRecorders } from "./pooling.js";

type Memory =
  | "name"
  | "supports"
  | "alloc"
  | "free"
  | "write"
  | "read"
  | "readSync"
  | "setAside"
  | "bernoulli"
  | "watchTimes";

/** The kernels that compute. */
export type ComputeKernel = Exclude<keyof KernelSet, Memory>;

/** Takes the arguments of a launch, and notes what it does. */
export type Recorders = { readonly [K in ComputeKernel]: (...args: Parameters<NonNullable<KernelSet[K]>>) => void };

/** What recorders write to. */
export interface Recording {
  readonly graph: Graph;
  readonly contents: Contents;
}

export function recordersOf(recording: Recording): Recorders {
  return {
    ...elementwiseRecorders(recording),
    ...indexRecorders(recording),
    ...matmulRecorders(recording),
    ...convolutionRecorders(recording),
    ...poolRecorders(recording),
    ...normalizationRecorders(recording),
    sgdStep: () => refuse("sgdStep, a step of an optimizer"),
    adamStep: () => refuse("adamStep, a step of an optimizer"),
  };
}

function refuse(what: string): never {
  throw new ArgumentError(
    `exportOnnx: got ${what}, inside the traced function; expected operations that ONNX has. Leave it out of the function.`,
  );
}
