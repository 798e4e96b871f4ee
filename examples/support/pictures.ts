/** Pictures from numbers, as PNG. */
import * as Plot from "@observablehq/plot";
import { PNG } from "pngjs";

/** A picture of `width` columns and `height` rows of pixels, four bytes each: red, green, blue, opacity. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8Array;
}

/** Rows of numbers, as `await tensor.toArray()` gives them for a tensor of two axes. */
export type Rows = readonly (readonly number[])[];

/** Numbers from `low` (black) to `high` (white); what lies outside is cut off. Default: the least and the greatest of them. */
export function grayscale(rows: Rows, [low, high]: readonly [low: number, high: number] = extent(rows)): Picture {
  return paint(rows, (value) => {
    const gray = Math.round(255 * Math.min(1, Math.max(0, (value - low) / (high - low || 1))));
    return [gray, gray, gray];
  });
}

/** Numbers from −`limit` (red) over 0 (white) to `limit` (blue). Default: the greatest absolute value of them. */
export function diverging(rows: Rows, limit = Math.max(...extent(rows).map(Math.abs))): Picture {
  const scale = Plot.scale({ color: { scheme: "RdBu", domain: [-1, 1], clamp: true } });
  return paint(rows, (value) => {
    const text = String(scale.apply(value / (limit || 1)));
    const [red = 0, green = 0, blue = 0] = (text.match(/\d+/g) ?? []).map(Number);
    return [red, green, blue];
  });
}

/** The bytes of a PNG file. */
export function encodePng({ width, height, rgba }: Picture): Uint8Array {
  const png = new PNG({ width, height });
  png.data.set(rgba);
  return PNG.sync.write(png);
}

/** A PNG file as an address that can stand in an SVG or HTML file. */
export function pngAddress(picture: Picture): string {
  return `data:image/png;base64,${Buffer.from(encodePng(picture)).toString("base64")}`;
}

function extent(rows: Rows): [low: number, high: number] {
  const values = rows.flat();
  return [Math.min(...values), Math.max(...values)];
}

function paint(rows: Rows, colorOf: (value: number) => readonly [number, number, number]): Picture {
  const [height, width] = [rows.length, rows[0]?.length ?? 0];
  const rgba = new Uint8Array(4 * width * height);
  rows.flat().forEach((value, pixel) => {
    rgba.set([...colorOf(value), 255], 4 * pixel);
  });
  return { width, height, rgba };
}
