import { ArgumentError, ShapeError } from "../../errors.js";
import { withGradMode } from "../../tensor/autograd.js";
import { copy_ } from "../../tensor/ops/fill.js";
import { cat } from "../../tensor/ops/joining.js";
import { reshape } from "../../tensor/ops/layout.js";
import { narrow } from "../../tensor/ops/slicing.js";
import { composite } from "../../tensor/scopes.js";
import { formatShape } from "../../tensor/shape.js";
import type { Tensor } from "../../tensor/tensor.js";

/**
 * All parameters behind one another in one vector, which gradients flow through.
 *
 * @throws ArgumentError where there are none.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.parameters_to_vector.html
 */
export function parametersToVector(parameters: Iterable<Tensor>): Tensor {
  const list = [...parameters];
  if (list.length === 0) {
    throw new ArgumentError("parametersToVector: got no parameters; expected at least one. Pass model.parameters().");
  }
  return composite(() => cat(list.map((parameter) => reshape(parameter, [-1]))));
}

/**
 * Copies the elements of a vector into parameters, in the order of {@link parametersToVector}. (PyTorch makes the parameters
 * views of the vector; here they keep memory of their own.)
 *
 * @throws ShapeError where the vector has not just as many elements; nothing has changed then.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.vector_to_parameters.html
 */
export function vectorToParameters(vector: Tensor, parameters: Iterable<Tensor>): void {
  const list = [...parameters];
  const count = list.reduce((sum, parameter) => sum + parameter.numel(), 0);
  if (vector.ndim !== 1 || vector.numel() !== count) {
    throw new ShapeError(
      `vectorToParameters: got a tensor of shape ${formatShape(vector.shape)} for parameters of ${count} elements; expected [${count}]. Pass what parametersToVector gave.`,
    );
  }
  withGradMode(false, () => {
    let start = 0;
    for (const parameter of list) {
      const part = narrow(vector, 0, start, parameter.numel());
      const shaped = reshape(part, parameter.shape);
      copy_(parameter, shaped);
      for (const view of [part, shaped]) view.dispose();
      start += parameter.numel();
    }
  });
}
