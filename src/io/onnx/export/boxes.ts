/** Arrays that are written part by part: boxes over what lay there before, put together by pads, slices and concatenations. */
import type { DType } from "../../../kernels/kernelSet.js";
import { at, type Shape } from "../../../tensor/shape.js";
import type { Cut, Graph, Value } from "./graph.js";

/** A part of an array: along each axis the places from start to end (not included). */
export interface Region {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** A box that was written into an array, over what lay there. */
export interface Box extends Region {
  readonly value: Value;
}

/** An array of shape `frame` with boxes, the later above the earlier ones, over an array or over one number everywhere. */
interface Pile {
  readonly frame: Shape;
  readonly under: Value | number;
  readonly boxes: readonly Box[];
  readonly dtype: DType;
}

/** The array as it looks from above. */
export function assemble(graph: Graph, pile: Pile): Value {
  const { frame, under, boxes, dtype } = pile;
  const [box] = boxes;
  if (typeof under === "number" && boxes.length === 1 && box !== undefined) {
    const pads = [...box.starts, ...frame.map((extent, axis) => extent - at(box.ends, axis))];
    const inputs = [box.value, graph.ints(pads), graph.number(dtype, under)];
    return graph.add("Pad", inputs, { dtype, shape: frame }, { mode: "constant" });
  }
  return assembleRegion(graph, pile, { starts: frame.map(() => 0), ends: [...frame] });
}

function assembleRegion(graph: Graph, { under, boxes, dtype, frame }: Pile, region: Region): Value {
  const met = boxes.filter((box) => meets(box, region));
  const top = met.at(-1);
  const shape = region.starts.map((start, axis) => at(region.ends, axis) - start);
  if (top === undefined) {
    if (typeof under !== "number") return graph.slice(under, cutsOf(region, under.shape));
    return graph.expand(graph.number(dtype, under), shape);
  }
  if (covers(top, region)) {
    const inside = {
      starts: region.starts.map((start, axis) => start - at(top.starts, axis)),
      ends: region.ends.map((end, axis) => end - at(top.starts, axis)),
    };
    return graph.slice(top.value, cutsOf(inside, top.value.shape));
  }
  const axis = shape.findIndex((_, i) => bordersWithin(region, met, i).length > 0);
  const borders = [at(region.starts, axis), ...bordersWithin(region, met, axis), at(region.ends, axis)];
  const parts = borders.slice(0, -1).map((start, i) => {
    const part = {
      starts: region.starts.map((other, j) => (j === axis ? start : other)),
      ends: region.ends.map((other, j) => (j === axis ? at(borders, i + 1) : other)),
    };
    return assembleRegion(graph, { under, boxes: met, dtype, frame }, part);
  });
  return graph.concat(parts, axis);
}

/** Whether all of `region` lies within `box`. */
export function covers(box: Region, region: Region): boolean {
  return box.starts.every(
    (start, axis) => start <= at(region.starts, axis) && at(box.ends, axis) >= at(region.ends, axis),
  );
}

function meets(box: Region, region: Region): boolean {
  return box.starts.every(
    (start, axis) => start < at(region.ends, axis) && at(box.ends, axis) > at(region.starts, axis),
  );
}

/** Where boxes begin or end inside of a region, along one axis. */
function bordersWithin(region: Region, boxes: readonly Box[], axis: number): number[] {
  const all = boxes.flatMap(({ starts, ends }) => [at(starts, axis), at(ends, axis)]);
  const inside = all.filter((place) => place > at(region.starts, axis) && place < at(region.ends, axis));
  return [...new Set(inside)].sort((a, b) => a - b);
}

function cutsOf({ starts, ends }: Region, shape: Shape): Cut[] {
  return shape.flatMap((extent, axis): Cut[] => {
    const [start, end] = [at(starts, axis), at(ends, axis)];
    return start === 0 && end === extent ? [] : [{ axis, start, end, step: 1 }];
  });
}
