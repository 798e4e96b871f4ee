import { ArgumentError, ShapeError } from "../../errors.js";
import { runScope } from "../memory.js";
import { checkOptions } from "../options.js";
import { formatShape } from "../shape.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { formatSetting } from "../window.js";
import { expand } from "./broadcast.js";
import { transpose, view } from "./layout.js";

/** Settings of {@link meshgrid}. */
export interface MeshgridOptions {
  /** `"ij"` (the default): axis i is that of tensor i; `"xy"`: the first two axes change places, as for columns and rows. */
  readonly indexing?: "ij" | "xy";
}

/**
 * The coordinates of a grid: for tensors of one axis, of extents n₀, n₁, …, views of shape [n₀, n₁, …] of which the i-th has
 * the elements of tensor i along axis i.
 *
 * @throws ArgumentError where there is no tensor, or the indexing is unknown.
 * @throws ShapeError where a tensor has more than one axis.
 * @see https://pytorch.org/docs/stable/generated/torch.meshgrid.html
 */
export function meshgrid(tensors: readonly Tensor[], options: MeshgridOptions = {}): Tensor[] {
  checkOptions("meshgrid", options, ["indexing"]);
  const { indexing = "ij" } = options;
  if (indexing !== "ij" && indexing !== "xy") {
    throw new ArgumentError(
      `meshgrid: got indexing ${formatSetting(indexing)}; expected "ij" or "xy". Choose one of them.`,
    );
  }
  if (!Array.isArray(tensors) || tensors.length === 0) {
    throw new ArgumentError(
      `meshgrid: got ${Array.isArray(tensors) ? "an empty list" : String(tensors)}; expected an array of one tensor or more. Write meshgrid([a, b]).`,
    );
  }
  const all = tensors as readonly Tensor[];
  commonKernels("meshgrid", ...all);
  for (const { shape } of all) {
    if (shape.length <= 1) continue;
    throw new ShapeError(
      `meshgrid: got a tensor of shape ${formatShape(shape)}; expected one axis for each. Flatten it.`,
    );
  }
  const extents = all.map((each) => each.numel());
  return runScope(
    () =>
      all.map((each, axis) => {
        const column = extents.map((extent, i) => (i === axis ? extent : 1));
        const grid = expand(view(each, column), extents);
        return indexing === "xy" && all.length > 1 ? transpose(grid, 0, 1) : grid;
      }),
    (grids) => grids,
    (handle) => handle.discard(),
  );
}
