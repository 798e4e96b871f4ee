import { tensor } from "../../tensor/create.js";
import { transpose } from "../../tensor/ops/layout.js";
import { matmul } from "../../tensor/ops/matmul.js";
import { composite } from "../../tensor/scopes.js";
import type { Tensor } from "../../tensor/tensor.js";
import { checkFractions, checkNames, extentsOf, sizeOf } from "./parts.js";

/** Settings of {@link resize}. */
export interface ResizeOptions {
  /** Whether all of a larger image counts in a smaller one, rather than single pixels of it. Default true. */
  readonly antialias?: boolean;
}

/**
 * A transform that gives an image […, H, W] another size, by straight lines between pixels.
 *
 * @param size the shorter side, whose proportion to the longer stays; or [height, width]
 * @throws ArgumentError where the size is out of its range.
 * @see https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.Resize.html
 */
export function resize(size: number | readonly number[], options: ResizeOptions = {}): (x: Tensor) => Tensor {
  checkNames("resize", options, ["antialias"]);
  const { antialias = true } = options;
  const wanted = sizeOf("resize", size);
  return (x) => {
    const [rows, columns] = extentsOf("resize", x);
    checkFractions("resize", x);
    const longer = Math.floor((wanted[0] * Math.max(rows, columns)) / Math.min(rows, columns));
    const [height, width] =
      typeof size !== "number" ? wanted : rows <= columns ? [wanted[0], longer] : [longer, wanted[0]];
    if (height === rows && width === columns) return x;
    return composite(() => {
      const place = { dtype: x.dtype, device: x.device };
      const down = tensor(weights(rows, height, antialias), { ...place, shape: [height, rows] });
      const across = tensor(weights(columns, width, antialias), { ...place, shape: [width, columns] });
      return matmul(matmul(down, x), transpose(across, 0, 1));
    });
  };
}

/** For each new place the weights of the old ones: a triangle that spans one place to each side, or one of the coarser grid. */
function weights(from: number, to: number, antialias: boolean): Float64Array<ArrayBuffer> {
  const all = new Float64Array(to * from);
  const scale = from / to;
  const support = antialias ? Math.max(scale, 1) : 1;
  for (let place = 0; place < to; place++) {
    // Without antialiasing a place before the first pixel's middle is that pixel.
    const middle = antialias ? scale * (place + 0.5) : Math.max(scale * (place + 0.5), 0.5);
    const first = Math.max(Math.trunc(middle - support + 0.5), 0);
    const end = Math.min(Math.trunc(middle + support + 0.5), from);
    let sum = 0;
    for (let pixel = first; pixel < end; pixel++) {
      const weight = Math.max(0, 1 - Math.abs((pixel - middle + 0.5) / support));
      all[place * from + pixel] = weight;
      sum += weight;
    }
    for (let pixel = first; pixel < end; pixel++) all[place * from + pixel] = (all[place * from + pixel] ?? 0) / sum;
  }
  return all;
}
