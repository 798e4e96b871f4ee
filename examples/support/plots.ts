/** Plots and grids of pictures as SVG, by Observable Plot, without a browser. */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { type Picture, pngAddress } from "./pictures.js";

/** Colours follow the reader's system, light or dark, in a page as well as in a file of its own. */
const style = `
.tapegrad-plot { color: #1f2328; background: #ffffff; --plot-background: #ffffff; font: 11px system-ui, sans-serif; }
@media (prefers-color-scheme: dark) {
  .tapegrad-plot { color: #e6edf3; background: #0d1117; --plot-background: #0d1117; }
}`;

/**
 * A plot as the text of an SVG file, dark where the reader's system is.
 *
 * @see https://observablehq.com/plot/features/plots for the options. Legends of colours are not drawn: write names beside lines.
 */
export function plot(options: Plot.PlotOptions): string {
  const { document } = parseHTML("<html></html>");
  const svg = Plot.plot({ marginBottom: options.margin ?? 42, ...options, figure: false, document });
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  svg.classList.add("tapegrad-plot");
  const sheet = document.createElementNS("http://www.w3.org/2000/svg", "style");
  sheet.textContent = style;
  svg.prepend(sheet);
  return svg.outerHTML;
}

/** A picture in a grid, with a line below it. */
export interface Captioned {
  readonly picture: Picture;
  readonly caption?: string;
}

export interface PictureGridOptions {
  /** Pictures in a row. */
  readonly columns: number;
  /** Width and height of each, in pixels of the screen. Default: 56. */
  readonly size?: number;
  /** What a blind reader is told. */
  readonly label: string;
}

/** Pictures side by side, row after row, as the text of an SVG file. */
export function pictureGrid(pictures: readonly Captioned[], { columns, size = 56, label }: PictureGridOptions): string {
  const gap = 6;
  const rowHeight = size + gap + (pictures.some(({ caption }) => caption !== undefined) ? 14 : 0);
  const cells = pictures.map(({ picture, caption }, index) => ({
    src: pngAddress(picture),
    x: (index % columns) * (size + gap) + gap + size / 2,
    y: Math.floor(index / columns) * rowHeight + gap + size / 2,
    caption,
  }));
  const width = Math.min(columns, pictures.length) * (size + gap) + gap;
  const height = Math.ceil(pictures.length / columns) * rowHeight + gap;
  return plot({
    width,
    height,
    margin: 0,
    ariaLabel: label,
    x: { axis: null, domain: [0, width] },
    y: { axis: null, domain: [height, 0] },
    marks: [
      Plot.image(cells, { x: "x", y: "y", src: "src", width: size, height: size, imageRendering: "pixelated" }),
      Plot.text(
        cells.filter(({ caption }) => caption !== undefined),
        { x: "x", y: "y", text: "caption", dy: size / 2 + 9, fontSize: 12 },
      ),
    ],
  });
}
