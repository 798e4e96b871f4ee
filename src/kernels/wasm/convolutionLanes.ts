/** The road for many small images: four samples of the batch in the lanes of a vector, so that no lane is lost at the end of a row. */
import type { ConvGeometry, Dense } from "../kernelSet.js";
import { LANES, LANES_WEIGHT_GRAD } from "./assembly/kernelIds.js";
import { multiplications } from "./convolutionColumns.js";
import { filter, planFor, sumGradients } from "./convolutionDirect.js";
import type { Engine } from "./engine.js";
import { planLanesForward, planLanesInputGrad, planLanesWeightGrad } from "./lanesPlan.js";

/** Multiplications in one of the steps that `Engine.launch` counts in. */
const PER_STEP = 16;

/** Whether {@link lanesForward} and {@link lanesWeightGrad} serve this shape. */
export function canLanes(g: ConvGeometry): boolean {
  return g.groups === 1;
}

/** Whether {@link lanesInputGrad} does. */
export function canLanesInputGrad(g: ConvGeometry): boolean {
  return g.groups === 1 && g.strideHeight === 1 && g.strideWidth === 1;
}

export function lanesForward(
  engine: Engine,
  x: Dense,
  weight: Dense,
  bias: Dense | null,
  out: Dense,
  relu: boolean,
  g: ConvGeometry,
): void {
  const plan = planFor(planLanesForward, g, engine.threads);
  filter(engine, plan, LANES, x, weight, bias, out, relu, null, multiplications(g) / PER_STEP);
}

export function lanesInputGrad(
  engine: Engine,
  outGrad: Dense,
  weight: Dense,
  bias: Dense | null,
  xGrad: Dense,
  gate: Dense | null,
  g: ConvGeometry,
): void {
  const plan = planFor(planLanesInputGrad, g, engine.threads);
  filter(engine, plan, LANES, outGrad, weight, bias, xGrad, false, gate, multiplications(g) / PER_STEP);
}

export function lanesWeightGrad(
  engine: Engine,
  outGrad: Dense,
  x: Dense,
  weightGrad: Dense,
  biasGrad: Dense | null,
  g: ConvGeometry,
): void {
  const plan = planFor(planLanesWeightGrad, g, engine.threads);
  sumGradients(engine, plan, LANES_WEIGHT_GRAD, outGrad, x, weightGrad, biasGrad, g);
}
