/** What losses have in common: how they are reduced, and the checks of their inputs. */
import { ArgumentError, ShapeError } from "../../errors.js";
import { checkFloating, resultType } from "../dtype.js";
import { broadcastShapes, formatShape, sameShape } from "../shape.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { sum } from "./broadcast.js";
import { mean } from "./reductions.js";

/** What becomes of the losses of single elements: their mean, their sum, or nothing. */
export type Reduction = "mean" | "sum" | "none";

/** Settings of a loss. */
export interface LossOptions {
  /** Default `"mean"`. */
  readonly reduction?: Reduction;
}

/** The losses of single elements as their mean, their sum, or as they are. */
export function reduceLoss(loss: Tensor, { reduction = "mean" }: LossOptions): Tensor {
  return reduction === "mean" ? mean(loss) : reduction === "sum" ? sum(loss) : loss;
}

/** @throws ArgumentError where the reduction is none of those. */
export function checkReduction(where: string, reduction: unknown): void {
  if (reduction !== undefined && reduction !== "mean" && reduction !== "sum" && reduction !== "none") {
    throw new ArgumentError(
      `${where}: got the reduction ${JSON.stringify(reduction)}; expected "mean", "sum" or "none". Name one of them.`,
    );
  }
}

/** @throws ShapeError, DTypeError, ArgumentError where input and target are not of one shape, or the reduction is unknown. */
export function checkPair(where: string, input: Tensor, target: Tensor, { reduction }: LossOptions): void {
  commonKernels(where, input, target);
  checkReduction(where, reduction);
  checkFloating(where, resultType(input, target));
  if (!sameShape(input.shape, target.shape)) {
    throw new ShapeError(
      `${where}: got an input of shape ${formatShape(input.shape)} and a target of shape ${formatShape(target.shape)}; ` +
        `expected the same shape, because broadcasting would compare every element with every other. Reshape one of them.`,
    );
  }
}

/** @throws ShapeError where a factor does not broadcast to the input. */
export function checkFactor(where: string, factor: Tensor, input: Tensor): void {
  commonKernels(where, input, factor);
  if (!sameShape(broadcastShapes(where, input.shape, factor.shape), input.shape)) {
    throw new ShapeError(
      `${where}: got a weight of shape ${formatShape(factor.shape)} for an input of shape ${formatShape(input.shape)}; ` +
        `expected one that broadcasts to the input's shape. Reshape the weight.`,
    );
  }
}
