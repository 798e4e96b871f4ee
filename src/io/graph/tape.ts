import { AutogradError } from "../../errors.js";
import { consumedError, GradNode } from "../../tensor/autograd.js";
import { formatShape } from "../../tensor/shape.js";
import { commonKernels, type Tensor } from "../../tensor/tensor.js";

/** A recorded op, or a leaf that gradients flow to. */
export type TapePlace = GradNode | Tensor;

/**
 * All that is recorded behind tensors: leaves first, then ops in the order in which they ran, each once.
 *
 * @throws AutogradError where a tensor has no history, or a backward pass has gone through.
 */
export function tapeBehind(where: string, outputs: readonly Tensor[]): readonly TapePlace[] {
  for (const output of outputs) {
    commonKernels(where, output);
    if (!output.requiresGrad) {
      throw new AutogradError(
        `${where}: got a tensor of shape ${formatShape(output.shape)} made by ${output.madeBy} that has no history; ` +
          `expected one made from a tensor with requiresGrad. Compute it outside noGrad(…), from parameters or with { requiresGrad: true }.`,
      );
    }
  }
  const seen = new Set<TapePlace>();
  const stack: (TapePlace | null)[] = outputs.map(placeOf);
  for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
    if (place === null || seen.has(place)) continue;
    seen.add(place);
    if (!(place instanceof GradNode)) continue;
    if (place.isConsumed) throw consumedError(place);
    stack.push(...place.edges.toReversed());
  }
  const leaves = [...seen].filter((place) => !(place instanceof GradNode));
  const ops = [...seen].filter((place) => place instanceof GradNode).sort((a, b) => a.id - b.id);
  return [...leaves, ...ops];
}

/** What stands for a tensor on the tape: the op that made it, or itself. */
export function placeOf(tensor: Tensor): TapePlace {
  return tensor.node ?? tensor;
}

/** The tensor that is given on from there. */
export function tensorAt(place: TapePlace): Tensor {
  return place instanceof GradNode ? place.output : place;
}
