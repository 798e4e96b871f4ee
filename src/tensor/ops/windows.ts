/** Sliding windows laid out as the columns of a matrix, and added up back into an image. Each is the other's gradient. */
import { ShapeError } from "../../errors.js";
import type { WindowGeometry } from "../../kernels/kernelSet.js";
import { record } from "../autograd.js";
import { checkFloating } from "../dtype.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import { checkShape, formatShape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { evenPadding, inputShape, type NumberOrPair, pairOf, planesOf, slidingWindow } from "../window.js";
import { contiguous } from "./layout.js";
import { batched } from "./operands.js";

/** Settings of {@link unfold} and {@link fold}. */
export interface UnfoldOptions {
  /** Steps between taps of the window. Default 1. */
  readonly dilation?: NumberOrPair;
  /** Rows and columns of zeros around the image. Default 0. */
  readonly padding?: NumberOrPair;
  /** Steps between windows. Default 1. */
  readonly stride?: NumberOrPair;
}

/**
 * The windows over an image as the columns of a matrix (im2col), so that a convolution is a matrix product.
 *
 * [N, C, H, W] → [N, C·kh·kw, L], or [C, H, W] → [C·kh·kw, L], with L = H′·W′ windows, where
 * H′ = floor((H + 2·padding − dilation·(kh − 1) − 1) / stride) + 1. What lies in the padding is 0.
 *
 * @throws ShapeError where the window is larger than the padded image.
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.unfold.html
 */
export function unfold(x: Tensor, kernelSize: NumberOrPair, options: UnfoldOptions = {}): Tensor {
  checkOptions("unfold", options, ["dilation", "padding", "stride"]);
  commonKernels("unfold", x);
  checkFloating("unfold", x.dtype);
  const settings = settingsOf("unfold", kernelSize, options);
  const geometry = slidingWindow("unfold", planesOf("unfold", x.shape), settings);
  checkShape("unfold", columnsShape(geometry));
  return batched(x, 4, (batch) => toColumns(batch, geometry));
}

/**
 * Adds windows that are the columns of a matrix up into an image (col2im): the transpose of {@link unfold}.
 *
 * [N, C·kh·kw, L] → [N, C, H, W], or [C·kh·kw, L] → [C, H, W], with [H, W] = `outputSize` and L as in {@link unfold}.
 *
 * @throws ShapeError where the columns are not those of an image of that size.
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.fold.html
 */
export function fold(
  x: Tensor,
  outputSize: NumberOrPair,
  kernelSize: NumberOrPair,
  options: UnfoldOptions = {},
): Tensor {
  checkOptions("fold", options, ["dilation", "padding", "stride"]);
  commonKernels("fold", x);
  checkFloating("fold", x.dtype);
  const [height, width] = pairOf("fold", "outputSize", outputSize, 1);
  const settings = settingsOf("fold", kernelSize, options);
  const [places = 0, rows = 0, batch = 1] = x.shape.toReversed();
  const taps = settings.kernel[0] * settings.kernel[1];
  if ((x.ndim !== 2 && x.ndim !== 3) || rows === 0 || rows % taps !== 0) {
    throw new ShapeError(
      `fold: got columns of shape ${formatShape(x.shape)}; expected [batch, channels·${settings.kernel[0]}·${settings.kernel[1]}, windows], or the same without batch: ` +
        `the rows must be a multiple of ${taps}. Correct kernelSize, or reshape the columns.`,
    );
  }
  const planes = { batch, channels: rows / taps, height, width };
  const geometry = slidingWindow("fold", planes, settings);
  const { outHeight, outWidth } = geometry;
  if (places !== outHeight * outWidth) {
    throw new ShapeError(
      `fold: got ${places} columns in shape ${formatShape(x.shape)}; expected ${outHeight}·${outWidth} = ${outHeight * outWidth}, the windows over an output of ` +
        `${height}×${width}, each way floor((size + 2·padding − dilation·(kernel − 1) − 1) / stride) + 1. Correct outputSize, or the settings of the windows.`,
    );
  }
  checkShape("fold", inputShape(geometry));
  return batched(x, 3, (columns) => toImage(columns, geometry));
}

function toColumns(x: Tensor, geometry: WindowGeometry): Tensor {
  return composite(() => {
    const dense = contiguous(x);
    const out = Tensor.allocate(columnsShape(geometry), x.dtype, x.device, "unfold");
    commonKernels("unfold", dense).unfold(dense, out, geometry);
    return record("unfold", out, [dense], [], (g) => [() => toImage(g, geometry)]);
  });
}

function toImage(columns: Tensor, geometry: WindowGeometry): Tensor {
  return composite(() => {
    const dense = contiguous(columns);
    const out = Tensor.allocate(inputShape(geometry), columns.dtype, columns.device, "fold");
    commonKernels("fold", dense).fold(dense, out, geometry);
    return record("fold", out, [dense], [], (g) => [() => toColumns(g, geometry)]);
  });
}

function columnsShape(g: WindowGeometry): number[] {
  return [g.batch, g.channels * g.kernelHeight * g.kernelWidth, g.outHeight * g.outWidth];
}

function settingsOf(where: string, kernelSize: NumberOrPair, options: UnfoldOptions) {
  return {
    kernel: pairOf(where, "kernelSize", kernelSize, 1),
    stride: pairOf(where, "stride", options.stride ?? 1, 1),
    padding: evenPadding(pairOf(where, "padding", options.padding ?? 0, 0)),
    dilation: pairOf(where, "dilation", options.dilation ?? 1, 1),
  };
}
