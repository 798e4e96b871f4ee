/** Convolution in float32, and its two gradients: several roads, and the table that chooses one by shape. */
import type { ConvGeometry, Dense, KernelSet } from "../kernelSet.js";
import type { Loops } from "../reference/index.js";
import { perChannel } from "../strides.js";
import { batchForward, batchInputGrad, batchWeightGrad, batchWins, canBatch, type Parts } from "./convolutionBatch.js";
import { columnsForward, columnsInputGrad, columnsWeightGrad, multiplications } from "./convolutionColumns.js";
import {
  directForward,
  directInputGrad,
  directInputGradServes,
  directWeightGrad,
  directWeightGradServes,
  directWeightGradWins,
} from "./convolutionDirect.js";
import { canLanes, canLanesInputGrad, lanesForward, lanesInputGrad, lanesWeightGrad } from "./convolutionLanes.js";
import type { Engine } from "./engine.js";
import { lanesForwardWins, lanesInputGradWins, lanesWeightGradWins } from "./lanesRule.js";
import {
  canWinograd,
  winogradForward,
  winogradForwardWins,
  winogradGrads,
  winogradGradsWin,
  winogradInputGrad,
  winogradInputGradWins,
  winogradWeightGrad,
  winogradWeightGradWins,
} from "./winograd.js";

type ConvolutionKernels = Pick<KernelSet, "conv2d" | "conv2dInputGrad" | "conv2dWeightGrad"> &
  Required<Pick<KernelSet, "conv2dGrads">>;

/** How a convolution is computed. */
export type Road = "batch" | "columns" | "direct" | "lanes" | "winograd";

/** One way to compute one of the three, and when to take it: the first whose `wins` says so. */
interface Choice<Run> {
  readonly road: Road;
  /** Whether it can serve this shape at all. */
  readonly serves: (g: ConvGeometry) => boolean;
  /** Whether it is the fastest for this shape on so many threads, as far as was measured. */
  readonly wins: (g: ConvGeometry, threads: number) => boolean;
  readonly run: Run;
}

const always = () => true;

/** Whether the whole batch at once beats the other roads. */
const isBatched = (g: ConvGeometry): boolean => batchWins(g, canWinograd(g));

/** A rule that depends on whether Winograd's road, which comes after it, would be taken. */
function beside(winogradWins: (g: ConvGeometry) => boolean, wins: typeof lanesForwardWins): Choice<unknown>["wins"] {
  return (g, threads) => wins(g, threads, canWinograd(g) && winogradWins(g));
}

type ToImage = (
  engine: Engine,
  from: Dense,
  weight: Dense,
  bias: Dense | null,
  to: Dense,
  g: ConvGeometry,
  parts: Parts,
) => void;
type Forward = (
  engine: Engine,
  x: Dense,
  weight: Dense,
  bias: Dense | null,
  out: Dense,
  relu: boolean,
  g: ConvGeometry,
  parts: Parts,
) => void;
type ToWeight = (
  engine: Engine,
  outGrad: Dense,
  x: Dense,
  weightGrad: Dense,
  biasGrad: Dense | null,
  g: ConvGeometry,
  parts: Parts,
) => void;
type ToWeightAlone = (
  engine: Engine,
  outGrad: Dense,
  x: Dense,
  weightGrad: Dense,
  g: ConvGeometry,
  parts: Parts,
) => void;

type InputGrad = (
  engine: Engine,
  outGrad: Dense,
  weight: Dense,
  bias: Dense | null,
  xGrad: Dense,
  gate: Dense | null,
  g: ConvGeometry,
  parts: Parts,
) => void;

/** A road that leaves the gate out, and then a pass for that. */
function thenGate(run: ToImage): InputGrad {
  return (engine, outGrad, weight, bias, xGrad, gate, g, parts) => {
    run(engine, outGrad, weight, bias, xGrad, g, parts);
    if (gate !== null) parts.binary("reluGrad", xGrad, gate, xGrad);
  };
}

/** A road that leaves ReLU out, and then a pass for that. */
function thenRelu(run: ToImage): Forward {
  return (engine, x, weight, bias, out, relu, g, parts) => {
    run(engine, x, weight, bias, out, g, parts);
    if (relu) parts.unary("relu", out, out, 0, 0);
  };
}

/** A road that leaves the bias' gradient out, and then a pass for that. */
function thenBiasGrad(run: ToWeightAlone): ToWeight {
  return (engine, outGrad, x, weightGrad, biasGrad, g, parts) => {
    run(engine, outGrad, x, weightGrad, g, parts);
    if (biasGrad !== null) parts.reduce("sum", outGrad, perChannel(biasGrad));
  };
}

/** The roads of each kernel, the fastest first. */
const table: {
  readonly forward: readonly Choice<Forward>[];
  readonly inputGrad: readonly Choice<InputGrad>[];
  readonly weightGrad: readonly Choice<ToWeight>[];
} = {
  forward: [
    { road: "batch", serves: canBatch, wins: isBatched, run: thenRelu(batchForward) },
    { road: "lanes", serves: canLanes, wins: beside(winogradForwardWins, lanesForwardWins), run: lanesForward },
    { road: "winograd", serves: canWinograd, wins: winogradForwardWins, run: winogradForward },
    { road: "direct", serves: always, wins: always, run: directForward },
    { road: "columns", serves: always, wins: always, run: thenRelu(columnsForward) },
  ],
  inputGrad: [
    { road: "batch", serves: canBatch, wins: isBatched, run: thenGate(batchInputGrad) },
    {
      road: "lanes",
      serves: canLanesInputGrad,
      wins: beside(winogradInputGradWins, lanesInputGradWins),
      run: lanesInputGrad,
    },
    { road: "winograd", serves: canWinograd, wins: winogradInputGradWins, run: thenGate(winogradInputGrad) },
    { road: "direct", serves: directInputGradServes, wins: always, run: directInputGrad },
    { road: "columns", serves: always, wins: always, run: thenGate(columnsInputGrad) },
  ],
  weightGrad: [
    { road: "batch", serves: canBatch, wins: isBatched, run: thenBiasGrad(batchWeightGrad) },
    {
      road: "lanes",
      serves: canLanes,
      wins: beside(winogradWeightGradWins, lanesWeightGradWins),
      run: lanesWeightGrad,
    },
    { road: "winograd", serves: canWinograd, wins: winogradWeightGradWins, run: thenBiasGrad(winogradWeightGrad) },
    { road: "direct", serves: directWeightGradServes, wins: directWeightGradWins, run: directWeightGrad },
    { road: "columns", serves: always, wins: always, run: thenBiasGrad(columnsWeightGrad) },
  ],
};

/** The road that this shape takes on so many threads. */
export function roadOf(pass: keyof typeof table, g: ConvGeometry, threads: number): Road | null {
  return table[pass].find(({ serves, wins }) => serves(g) && wins(g, threads))?.road ?? null;
}

/** Whether both gradients are one kernel for this shape on so many threads. */
export function isJoint(g: ConvGeometry, threads: number): boolean {
  const takesWinograd = (pass: "inputGrad" | "weightGrad"): boolean => roadOf(pass, g, threads) === "winograd";
  return takesWinograd("inputGrad") && takesWinograd("weightGrad") && winogradGradsWin(g, threads);
}

/** Whether a road can serve this shape. */
export function serves(pass: keyof typeof table, road: Road, g: ConvGeometry): boolean {
  return table[pass].some((choice) => choice.road === road && choice.serves(g));
}

/**
 * @param parts kernels that a road is put together from
 * @param forced takes this road wherever it serves the shape, for tests
 */
export function convolutionKernels(
  engine: Engine,
  fallback: Loops,
  parts: Parts,
  forced: Road | null = null,
): ConvolutionKernels {
  function choose<Run>(choices: readonly Choice<Run>[], g: ConvGeometry): Run {
    const choice =
      choices.find(({ road, serves }) => road === forced && serves(g)) ??
      choices.find(({ serves, wins }) => serves(g) && wins(g, engine.threads));
    if (choice === undefined) throw new RangeError("no road for this convolution");
    return choice.run;
  }

  const kernels: ConvolutionKernels = {
    conv2d(x, weight, bias, out, g, relu = false) {
      if (out.dtype !== "float32" || multiplications(g) === 0) return fallback.conv2d(x, weight, bias, out, g, relu);
      choose(table.forward, g)(engine, x, weight, bias, out, relu, g, parts);
    },
    conv2dInputGrad(outGrad, weight, bias, xGrad, g, gate = null) {
      if (xGrad.dtype !== "float32" || multiplications(g) === 0) {
        return fallback.conv2dInputGrad(outGrad, weight, bias, xGrad, g, gate);
      }
      choose(table.inputGrad, g)(engine, outGrad, weight, bias, xGrad, gate, g, parts);
    },
    conv2dWeightGrad(outGrad, x, weightGrad, g, biasGrad = null) {
      if (weightGrad.dtype !== "float32" || multiplications(g) === 0) {
        return fallback.conv2dWeightGrad(outGrad, x, weightGrad, g, biasGrad);
      }
      choose(table.weightGrad, g)(engine, outGrad, x, weightGrad, biasGrad, g, parts);
    },
    conv2dGrads(outGrad, x, weight, xGrad, weightGrad, g, biasGrad, gate) {
      const isForced = forced === "winograd" && canWinograd(g);
      if (xGrad.dtype === "float32" && multiplications(g) > 0 && (isForced || isJoint(g, engine.threads))) {
        winogradGrads(engine, outGrad, x, weightGrad, g, { weight, xGrad, gate });
        if (biasGrad !== null) parts.reduce("sum", outGrad, perChannel(biasGrad));
      } else {
        kernels.conv2dInputGrad(outGrad, weight, null, xGrad, g, gate);
        kernels.conv2dWeightGrad(outGrad, x, weightGrad, g, biasGrad);
      }
    },
  };
  return kernels;
}
