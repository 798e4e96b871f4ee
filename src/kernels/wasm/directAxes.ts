/** What a direct convolution reads and writes, worked out from its geometry: one axis at a time, then both. */
import type { ConvGeometry } from "../kernelSet.js";

export const LANES = 4;
/** Bytes of an image's copy, or of a block of the target, that stay in the second-level cache. */
const COPY_BYTES = 2 ** 18;

/** Vectors of places in a block of rows, for each of which a table has a line. */
const TABLE_VECTORS = 1024;

/** One axis of a tap: which one of the kernel, and how far its element lies from the place. */
export interface Tap {
  readonly tap: number;
  readonly shift: number;
}

/** The places of one phase of the target along one axis: index + step·i for i from 0 to count − 1. Taps in order of their shift. */
export interface Phase {
  readonly index: number;
  readonly count: number;
  readonly taps: readonly Tap[];
}

/** One axis of a filtering: for place i of a phase a tap reads element i·sourceStep + shift of the source. */
export interface Axis {
  readonly phases: readonly Phase[];
  readonly sourceStep: number;
  readonly targetStep: number;
  readonly sourceSize: number;
  readonly targetSize: number;
  /** The least shift, and the elements from it to the greatest one. */
  readonly first: number;
  readonly extent: number;
  /** Most places in a phase. */
  readonly places: number;
}

function axis(
  phases: readonly Phase[],
  sourceStep: number,
  targetStep: number,
  sourceSize: number,
  targetSize: number,
): Axis {
  const shifts = phases.flatMap(({ taps }) => taps.map(({ shift }) => shift));
  const first = shifts.length === 0 ? 0 : Math.min(...shifts);
  const extent = shifts.length === 0 ? 1 : Math.max(...shifts) - first + 1;
  const places = Math.max(...phases.map(({ count }) => count));
  return { phases, sourceStep, targetStep, sourceSize, targetSize, first, extent, places };
}

export function forwardAxis(
  inSize: number,
  outSize: number,
  kernel: number,
  stride: number,
  pad: number,
  dilation: number,
) {
  const taps = Array.from({ length: kernel }, (_, tap) => ({ tap, shift: tap * dilation - pad }));
  return axis([{ index: 0, count: outSize, taps }], stride, 1, inSize, outSize);
}

/** The input gradient: element index + stride·i of the input was read by output i + shift, for the taps that fit the phase. */
export function backwardAxis(
  inSize: number,
  outSize: number,
  kernel: number,
  stride: number,
  pad: number,
  dilation: number,
) {
  const phases = Array.from({ length: Math.min(stride, inSize) }, (_, index) => ({
    index,
    count: Math.ceil((inSize - index) / stride),
    taps: Array.from({ length: kernel }, (_, tap) => ({ tap, shift: (index + pad - tap * dilation) / stride }))
      .filter(({ shift }) => Number.isInteger(shift))
      .reverse(),
  }));
  return axis(phases, 1, stride, outSize, inSize);
}

/** A filtering: planes of a source go through filters into planes of a target, for each group. */
export interface Filtering {
  readonly vertical: Axis;
  readonly horizontal: Axis;
  readonly sourcePlanes: number;
  readonly targetPlanes: number;
  /** Rows of places that are done at a time. */
  readonly blockRows: number;
  /** The copy of the source that has the padding; null where the source itself will do. */
  readonly copy: Copy | null;
  /** Elements from plane to plane and from row to row of what is read: the copy, or the source. */
  readonly plane: number;
  readonly row: number;
  /** Where the phases of a stride across are put together; null where there is one alone. */
  readonly parts: Parts | null;
}

/** A block of rows of the target in which the phases of each row lie side by side, to be joined. Lengths in elements. */
interface Parts {
  readonly count: number;
  readonly row: number;
  readonly plane: number;
}

/** A copy for one block of rows. It may leave out rows and columns that no tap reads: then it takes every `step`th. */
interface Copy {
  readonly rows: number;
  readonly columns: number;
  readonly rowStep: number;
  readonly columnStep: number;
}

/** A window of one element that moves in steps reads every so manieth element: of those alone it reads each. */
function sampled(axis: Axis): { axis: Axis; step: number } {
  if (axis.extent > 1 || axis.sourceStep === 1) return { axis, step: 1 };
  return { axis: { ...axis, sourceStep: 1 }, step: axis.sourceStep };
}

/** 1x1 over the image as it is needs no rows: they are joined where their width is none of whole vectors. */
export function flattened(g: ConvGeometry): ConvGeometry {
  const isPointwise =
    g.kernelHeight === 1 &&
    g.kernelWidth === 1 &&
    g.strideHeight === 1 &&
    g.strideWidth === 1 &&
    g.padTop === 0 &&
    g.padLeft === 0 &&
    g.inHeight === g.outHeight &&
    g.inWidth === g.outWidth;
  if (!isPointwise || g.outWidth % LANES === 0) return g;
  const size = g.inHeight * g.inWidth;
  return { ...g, inHeight: 1, inWidth: size, outHeight: 1, outWidth: size };
}

/** @param blockRows rows of places to do at a time, at most */
export function forwardFiltering(g: ConvGeometry, blockRows: number): Filtering {
  return filtering(
    forwardAxis(g.inHeight, g.outHeight, g.kernelHeight, g.strideHeight, g.padTop, g.dilationHeight),
    forwardAxis(g.inWidth, g.outWidth, g.kernelWidth, g.strideWidth, g.padLeft, g.dilationWidth),
    g.channels / g.groups,
    g.outChannels / g.groups,
    blockRows,
  );
}

/** @param rowBlocks blocks of rows to cut each phase into, at least */
export function backwardFiltering(g: ConvGeometry, rowBlocks: number): Filtering {
  const vertical = backwardAxis(g.inHeight, g.outHeight, g.kernelHeight, g.strideHeight, g.padTop, g.dilationHeight);
  return filtering(
    vertical,
    backwardAxis(g.inWidth, g.outWidth, g.kernelWidth, g.strideWidth, g.padLeft, g.dilationWidth),
    g.outChannels / g.groups,
    g.channels / g.groups,
    Math.ceil(vertical.places / rowBlocks),
  );
}

function filtering(
  vertical: Axis,
  horizontal: Axis,
  sourcePlanes: number,
  targetPlanes: number,
  mostRows: number,
): Filtering {
  const places = Math.max(horizontal.places, LANES);
  const rowsInTable = Math.floor(TABLE_VECTORS / Math.ceil(places / LANES));
  const wantedRows = Math.max(1, Math.min(mostRows, vertical.places, rowsInTable));
  const fits = (axis: Axis, places: number) =>
    axis.first >= 0 && axis.first + (places - 1) * axis.sourceStep + axis.extent <= axis.sourceSize;
  if (
    horizontal.sourceStep === 1 &&
    vertical.phases.length * horizontal.phases.length === 1 &&
    fits(vertical, vertical.places) &&
    fits(horizontal, places)
  ) {
    const row = horizontal.sourceSize;
    const plane = vertical.sourceSize * row;
    return {
      vertical,
      horizontal,
      sourcePlanes,
      targetPlanes,
      blockRows: wantedRows,
      copy: null,
      plane,
      row,
      parts: null,
    };
  }
  const down = sampled(vertical);
  const across = sampled(horizontal);
  const columns = (places - 1) * across.axis.sourceStep + across.axis.extent;
  const row = Math.ceil(columns / across.axis.sourceStep) * across.axis.sourceStep;
  const rowsThatFit = Math.floor(COPY_BYTES / (4 * row * sourcePlanes)) - down.axis.extent;
  const partRow = LANES * Math.ceil(places / LANES);
  const partCount = horizontal.phases.length;
  const joined = vertical.targetStep * partCount * partRow;
  const partRowsThatFit = partCount === 1 ? wantedRows : Math.floor(COPY_BYTES / (4 * joined * targetPlanes));
  const blockRows = Math.max(
    1,
    Math.min(wantedRows, Math.floor(rowsThatFit / down.axis.sourceStep) + 1, partRowsThatFit),
  );
  const rows = (blockRows - 1) * down.axis.sourceStep + down.axis.extent;
  return {
    ...{ vertical: down.axis, horizontal: across.axis, sourcePlanes, targetPlanes, blockRows, row },
    copy: { rows, columns, rowStep: down.step, columnStep: across.step },
    plane: oddLines(rows * row),
    parts: partCount === 1 ? null : { count: partCount, row: partRow, plane: oddLines(blockRows * joined) },
  };
}

/** At least `length` elements, as an odd number of cache lines: planes that are powers of two apart evict each other. */
export function oddLines(length: number): number {
  const lines = Math.ceil(length / 16);
  return 16 * (lines + ((lines + 1) % 2));
}

/** Where the tap's element lies, seen from the place, in elements. Of a row's copy, elements one stride apart lie side by side. */
export function tapOffset(f: Filtering, plane: number, vertical: Tap, horizontal: Tap): number {
  const [top, left] = f.copy === null ? [0, 0] : [f.vertical.first, f.horizontal.first];
  const { sourceStep } = f.horizontal;
  const column = horizontal.shift - left;
  const inRow = (column % sourceStep) * (f.row / sourceStep) + Math.floor(column / sourceStep);
  return plane * f.plane + (vertical.shift - top) * f.row + inRow;
}

/** The first places of the vectors that cover a row; the last vector overlaps the one before. */
export function rowVectors(places: number): number[] {
  const count = Math.ceil(places / LANES);
  return Array.from({ length: count }, (_, i) => Math.max(0, Math.min(i * LANES, places - LANES)));
}
