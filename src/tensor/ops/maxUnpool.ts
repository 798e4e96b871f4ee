import { ArgumentError, ShapeError } from "../../errors.js";
import { checkFloating } from "../dtype.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import { checkShape, formatShape, sameShape } from "../shape.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { formatSetting, type NumberOrPair, pairOf, planesOf } from "../window.js";
import { checkIndexRange, checkIndexType } from "./along.js";
import { scatter } from "./indexing.js";
import { reshape, zerosFor } from "./layout.js";

/** Settings of {@link maxUnpool2d}. */
export interface MaxUnpool2dOptions {
  /** Steps between the windows of the pool. Default: the kernel size. */
  readonly stride?: NumberOrPair | null;
  /** Padding of the pool. Default 0. */
  readonly padding?: NumberOrPair;
  /** [height, width] of the output, where several would be possible. Default: the smallest, (H − 1)·stride − 2·padding + kernel. */
  readonly outputSize?: readonly [number, number] | null;
}

/**
 * Puts each value back to the place from which `maxPool2dWithIndices` took it, with 0 elsewhere.
 *
 * [N, C, H, W] → [N, C, H′, W′], or without N; the indices (int32) are row·W′ + column in each plane.
 *
 * @throws ShapeError where the indices have another shape, or are out of range (checked on the CPU).
 * @throws ArgumentError where a setting is out of its range, or no pool of that kind has such an input.
 * @throws DTypeError where x is not of floats, or the indices are not int32.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool2d.html
 */
export function maxUnpool2d(
  x: Tensor,
  indices: Tensor,
  kernelSize: NumberOrPair,
  options: MaxUnpool2dOptions = {},
): Tensor {
  checkOptions("maxUnpool2d", options, ["stride", "padding", "outputSize"]);
  const { stride, padding = 0, outputSize = null } = options;
  const name = "maxUnpool2d";
  commonKernels(name, x, indices);
  checkFloating(name, x.dtype);
  checkIndexType(name, indices);
  const kernel = pairOf(name, "kernelSize", kernelSize, 1);
  const steps = pairOf(name, "stride", stride ?? kernel, 1);
  const around = pairOf(name, "padding", padding, 0);
  const { batch, channels, height, width } = planesOf(name, x.shape);
  if (!sameShape(indices.shape, x.shape)) {
    throw new ShapeError(
      `${name}: got indices of shape ${formatShape(indices.shape)} for an input of shape ${formatShape(x.shape)}; expected its shape. ` +
        `Use those that maxPool2dWithIndices gave with it.`,
    );
  }
  const least = ([0, 1] as const).map(
    (axis) => ([height, width][axis] ?? 0) * steps[axis] - steps[axis] - 2 * around[axis] + kernel[axis],
  );
  const [rows = 0, columns = 0] = outputSize ?? least;
  const isNear = ([0, 1] as const).every((axis) => {
    const extent = [rows, columns][axis] ?? 0;
    return Number.isInteger(extent) && extent >= 1 && Math.abs(extent - (least[axis] ?? 0)) < Math.max(steps[axis], 1);
  });
  if (!isNear) {
    throw new ArgumentError(
      `${name}: got the output size ${formatSetting([rows, columns])} for an input of shape ${formatShape(x.shape)}; expected less than the stride ` +
        `${formatSetting([...steps])} away from ${formatSetting(least)}, and 1 at least. Correct outputSize, or the settings of the pool.`,
    );
  }
  const shape = [...x.shape.slice(0, -2), rows, columns];
  checkShape(name, shape);
  return composite(() => {
    const planes = [batch * channels, height * width];
    const empty = zerosFor(x, [batch * channels, rows * columns], name);
    const places = reshape(indices, planes);
    checkIndexRange(name, empty, 1, places);
    return reshape(scatter(empty, 1, places, reshape(x, planes)), shape);
  });
}
