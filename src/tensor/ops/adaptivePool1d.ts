/** Pooling of sequences into windows of which the number is given: that of images with one row. */
import { ArgumentError } from "../../errors.js";
import { checkFloating } from "../dtype.js";
import { runScope } from "../memory.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import { checkShape } from "../shape.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { countOf, sequencesOf } from "../window.js";
import { adaptiveMaxPool2d, adaptiveMaxPool2dWithIndices } from "./adaptiveMaxPool.js";
import { squeeze, unsqueeze } from "./layout.js";
import { adaptiveAvgPool2d } from "./pooling.js";

/** Settings of {@link adaptiveMaxPool1d}. */
export interface AdaptiveMaxPool1dOptions {
  /** Refused when true: call {@link adaptiveMaxPool1dWithIndices}, whose result has another type. */
  readonly returnIndices?: boolean;
}

/**
 * The averages of as many windows as `outputSize` says, however long the input is. Window i of n along L places reaches from
 * floor(i·L/n) to ceil((i + 1)·L/n).
 *
 * [N, C, L] → [N, C, outputSize], or without N.
 *
 * @throws ShapeError where the input is no sequence.
 * @throws ArgumentError where the output size is no whole number of 1 or more.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool1d.html
 */
export function adaptiveAvgPool1d(x: Tensor, outputSize: number): Tensor {
  checkSequence("adaptiveAvgPool1d", x, outputSize);
  return composite(() => squeeze(adaptiveAvgPool2d(unsqueeze(x, -2), [1, outputSize]), -2));
}

/**
 * The maxima of as many windows as `outputSize` says, which lie as those of {@link adaptiveAvgPool1d}. The gradient flows to the
 * maximum, to the first one on ties.
 *
 * [N, C, L] → [N, C, outputSize], or without N.
 *
 * @throws ShapeError where the input is no sequence.
 * @throws ArgumentError where the output size is no whole number of 1 or more, or `returnIndices` is true.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool1d.html
 */
export function adaptiveMaxPool1d(x: Tensor, outputSize: number, options: AdaptiveMaxPool1dOptions = {}): Tensor {
  checkOptions("adaptiveMaxPool1d", options, ["returnIndices"]);
  if (options.returnIndices === true) {
    throw new ArgumentError(
      `adaptiveMaxPool1d: got returnIndices true; expected false, as this function always returns one tensor. ` +
        `Call adaptiveMaxPool1dWithIndices(x, outputSize), which returns [values, indices].`,
    );
  }
  checkSequence("adaptiveMaxPool1d", x, outputSize);
  return composite(() => squeeze(adaptiveMaxPool2d(unsqueeze(x, -2), [1, outputSize]), -2));
}

/**
 * As {@link adaptiveMaxPool1d}, with the place of each maximum in its sequence: [values, indices], indices int32.
 *
 * @throws ShapeError where the input is no sequence.
 * @throws ArgumentError where the output size is no whole number of 1 or more.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool1d.html
 */
export function adaptiveMaxPool1dWithIndices(x: Tensor, outputSize: number): [Tensor, Tensor] {
  checkSequence("adaptiveMaxPool1dWithIndices", x, outputSize);
  return runScope(
    () => {
      const [values, indices] = adaptiveMaxPool2dWithIndices(unsqueeze(x, -2), [1, outputSize]);
      return [squeeze(values, -2), squeeze(indices, -2)] as [Tensor, Tensor];
    },
    (pooled) => pooled,
    (handle) => handle.discard(),
  );
}

function checkSequence(where: string, x: Tensor, outputSize: number): void {
  commonKernels(where, x);
  checkFloating(where, x.dtype);
  sequencesOf(where, x.shape);
  checkShape(where, [...x.shape.slice(0, -1), countOf(where, "outputSize", outputSize, 1)]);
}
