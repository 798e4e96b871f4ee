/** The direct road: filters over the image itself, or over a copy of it with its padding. It makes no columns. */
import { CONV_FIELDS, type ConvGeometry } from "../geometry.js";
import type { Dense } from "../kernelSet.js";
import { elementCount } from "../strides.js";
import * as slot from "./assembly/convolutionArguments.js";
import { ADD_BIAS_PARTS, DIRECT, DIRECT_WEIGHT_GRAD, PACK_FILTERS } from "./assembly/kernelIds.js";
import { addParts, multiplications } from "./convolutionColumns.js";
import { flattened, LANES } from "./directAxes.js";
import { biasSumsOffset, type Plan, planForward, planInputGrad, planWeightGrad } from "./directPlan.js";
import type { Engine } from "./engine.js";
import { addressOf } from "./memory.js";

/** Most phases of a stride: beyond, each has too few places. */
const MOST_PHASES = 16;
/** Rows of so many places are wide, and so many weights are many, for the weight gradient. */
const WIDE_ROW = 8;
const MANY_WEIGHTS = 2 ** 14;
/** Multiplications in one of the steps that `Engine.launch` counts in. */
const PER_STEP = 16;
/** Plans that are kept. A network has a few for each of its layers. */
const MOST_PLANS = 512;

type Planner = (g: ConvGeometry, threads: number) => Plan;

interface KnownPlan {
  readonly make: Planner;
  readonly threads: number;
  readonly geometry: ConvGeometry;
  readonly plan: Plan;
}

/** By a hash of their geometry: to write it out as text would take as long as a small convolution. */
const plans = new Map<number, KnownPlan[]>();
let planCount = 0;

/** The plan for this geometry: made when it is first asked for, because that takes longer than a small convolution. */
export function planFor(make: Planner, g: ConvGeometry, threads: number): Plan {
  const hash = hashOf(g);
  for (const known of plans.get(hash) ?? []) {
    if (known.make === make && known.threads === threads && isSame(known.geometry, g)) return known.plan;
  }
  if (planCount >= MOST_PLANS) {
    plans.clear();
    planCount = 0;
  }
  const plan = make(g, threads);
  plans.set(hash, [...(plans.get(hash) ?? []), { make, threads, geometry: { ...g }, plan }]);
  planCount++;
  return plan;
}

function hashOf(g: ConvGeometry): number {
  let hash = 0;
  for (const field of CONV_FIELDS) hash = (Math.imul(hash, 31) + g[field]) | 0;
  return hash;
}

function isSame(a: ConvGeometry, b: ConvGeometry): boolean {
  for (const field of CONV_FIELDS) if (a[field] !== b[field]) return false;
  return true;
}

/** Bytes up to whole cache lines. */
function lines(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

/** Lays out scratch memory for a plan and writes its arguments; then come the arrays'. */
function withPlan(engine: Engine, plan: Plan, use: (packed: number) => void): void {
  const tablesBytes = lines(4 * plan.tables.length);
  const packedBytes = lines(plan.packedBytes);
  const bytes = lines(plan.bytesPerThread);
  engine.withScratch(tablesBytes + packedBytes + engine.threads * bytes, (scratch) => {
    new Int32Array(engine.buffer, scratch, plan.tables.length).set(plan.tables);
    const { words } = engine;
    words.set(plan.words);
    words[slot.TABLES] = scratch;
    words[slot.PACKED] = scratch + tablesBytes;
    words[slot.SCRATCH] = scratch + tablesBytes + packedBytes;
    words[slot.SCRATCH_BYTES] = bytes;
    use(scratch + tablesBytes);
  });
}

/** Sends the source through the packed filters, by the kernel that the plan is for. */
export function filter(
  engine: Engine,
  plan: Plan,
  kernel: number,
  source: Dense,
  weight: Dense,
  bias: Dense | null,
  target: Dense,
  relu: boolean,
  gate: Dense | null,
  work: number,
): void {
  withPlan(engine, plan, () => {
    const { words } = engine;
    words[slot.SOURCE] = addressOf(source);
    words[slot.WEIGHT] = addressOf(weight);
    words[slot.BIAS] = bias === null ? 0 : addressOf(bias);
    words[slot.TARGET] = addressOf(target);
    words[slot.RELU] = relu ? 1 : 0;
    words[slot.GATE] = gate === null ? 0 : addressOf(gate);
    engine.launch(PACK_FILTERS, plan.packUnits, plan.packedBytes / 4);
    engine.launch(kernel, plan.units, work);
  });
}

export function directForward(
  engine: Engine,
  x: Dense,
  weight: Dense,
  bias: Dense | null,
  out: Dense,
  relu: boolean,
  g: ConvGeometry,
): void {
  const plan = planFor(planForward, g, engine.threads);
  filter(engine, plan, DIRECT, x, weight, bias, out, relu, null, multiplications(g) / PER_STEP);
}

export function directInputGrad(
  engine: Engine,
  outGrad: Dense,
  weight: Dense,
  bias: Dense | null,
  xGrad: Dense,
  gate: Dense | null,
  g: ConvGeometry,
): void {
  const plan = planFor(planInputGrad, g, engine.threads);
  filter(engine, plan, DIRECT, outGrad, weight, bias, xGrad, false, gate, multiplications(g) / PER_STEP);
}

/** Whether the phases of the stride are few enough. */
export function directInputGradServes(g: ConvGeometry): boolean {
  return g.strideHeight * g.strideWidth <= MOST_PHASES;
}

export function directWeightGrad(
  engine: Engine,
  outGrad: Dense,
  x: Dense,
  weightGrad: Dense,
  biasGrad: Dense | null,
  g: ConvGeometry,
): void {
  sumGradients(
    engine,
    planFor(planWeightGrad, g, engine.threads),
    DIRECT_WEIGHT_GRAD,
    outGrad,
    x,
    weightGrad,
    biasGrad,
    g,
  );
}

/** Sums the gradients of the weight and of the bias part by part, by the kernel that the plan is for, and then the parts. */
export function sumGradients(
  engine: Engine,
  plan: Plan,
  kernel: number,
  outGrad: Dense,
  x: Dense,
  weightGrad: Dense,
  biasGrad: Dense | null,
  g: ConvGeometry,
): void {
  const length = elementCount(weightGrad.shape);
  withPlan(engine, plan, (sums) => {
    const biasSums = sums + biasSumsOffset(plan.packUnits, length);
    const { words } = engine;
    words[slot.SOURCE] = addressOf(x);
    words[slot.GRADIENT] = addressOf(outGrad);
    words[slot.TARGET] = sums;
    words[slot.BIAS_SUMS] = biasGrad === null ? 0 : biasSums;
    engine.launch(kernel, plan.units, multiplications(g) / PER_STEP);
    addParts(engine, sums, weightGrad, plan.packUnits, length);
    if (biasGrad === null) return;
    words.set([biasSums, addressOf(biasGrad), plan.packUnits, g.outChannels]);
    engine.launch(ADD_BIAS_PARTS, g.outChannels, plan.packUnits * g.outChannels);
  });
}

/** Whether rows have room for a vector: the output gradient is read where it lies. */
export function directWeightGradServes(g: ConvGeometry): boolean {
  return flattened(g).outWidth >= LANES;
}

/** Narrow rows make short runs, and with many weights that costs more than columns do. */
export function directWeightGradWins(g: ConvGeometry): boolean {
  const weights = (g.channels / g.groups) * g.kernelHeight * g.kernelWidth * (g.outChannels / g.groups);
  return flattened(g).outWidth >= WIDE_ROW || weights < MANY_WEIGHTS;
}
