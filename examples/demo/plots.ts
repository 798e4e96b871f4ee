/** The curves of loss and accuracy. */
import uPlot from "uplot";
import type { CurvePoint, Curves } from "./messages.js";

/** One plot with two curves over the images seen. */
export class CurvePlot {
  private readonly plot: uPlot;

  /**
   * @param plotted what is plotted of a point
   * @param upwards what is special about that axis
   * @param shown a value as text
   */
  constructor(
    private readonly place: HTMLElement,
    private readonly name: string,
    private readonly plotted: (point: CurvePoint) => number,
    scale: uPlot.Scale,
    upwards: uPlot.Axis,
    private readonly shown: (value: number) => string,
  ) {
    const axis: uPlot.Axis = {
      stroke: () => color(place, "--muted"),
      grid: { stroke: () => color(place, "--line"), width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
    };
    // Where the cursor is; without it, the last one.
    const value = ({ data }: uPlot, raw: number | null, series: number): string => {
      const number = raw ?? Array.from(data[series] ?? []).findLast((each) => typeof each === "number");
      return typeof number !== "number" ? "–" : series === 0 ? number.toLocaleString("en") : shown(number);
    };
    this.plot = new uPlot(
      {
        width: place.clientWidth,
        height: place.clientHeight,
        padding: [8, 12, 0, 0],
        legend: {
          mount: (_, legend) => place.after(legend),
          markers: { width: 0, fill: (_, series) => (series === 1 ? "var(--train)" : "var(--test)") },
        },
        cursor: { drag: { x: false, y: false }, dataIdx: nearest },
        scales: { x: { time: false }, y: scale },
        axes: [
          { ...axis, size: 28, gap: 6, values: (_, ticks) => ticks.map(shortCount) },
          { ...axis, size: 44, gap: 6, values: (_, ticks) => ticks.map(String), ...upwards },
        ],
        series: [
          { label: "images", value },
          {
            label: "training",
            stroke: () => color(place, "--train"),
            width: 1.5,
            spanGaps: true,
            points: { show: false },
            value,
          },
          {
            label: "test",
            stroke: () => color(place, "--test"),
            width: 2,
            spanGaps: true,
            value,
          },
        ],
      },
      [[], [], []],
      place,
    );
    const fit = (): void => this.plot.setSize({ width: place.clientWidth, height: place.clientHeight });
    new ResizeObserver(fit).observe(place);
    // A browser that loses its GPU forgets what canvases show.
    this.plot.ctx.canvas.addEventListener("contextrestored", fit);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.plot.redraw());
  }

  show({ train, test }: Curves): void {
    const tables = [train, test].map(
      (curve): uPlot.AlignedData => [curve.map(({ images }) => images), curve.map(this.plotted)],
    );
    this.plot.setData(uPlot.join(tables));
    const last = (curve: readonly CurvePoint[]): string => {
      const point = curve.at(-1);
      return point === undefined ? "no data yet" : this.shown(this.plotted(point));
    };
    const images = Math.max(train.at(-1)?.images ?? 0, test.at(-1)?.images ?? 0);
    const text = `${this.name} after ${images.toLocaleString("en")} images: training ${last(train)}, test ${last(test)}`;
    this.place.setAttribute("aria-label", text);
  }
}

/** Accuracy in percent, up to 100. */
export function accuracyPlot(place: HTMLElement): CurvePlot {
  const range = (_: uPlot, low: number | null): [number, number] => [
    Math.min(10 * Math.floor((low ?? 0) / 10), 90),
    100,
  ];
  const shown = (value: number): string => `${value.toFixed(1)} %`;
  return new CurvePlot(place, "Accuracy", ({ accuracy }) => 100 * accuracy, { range }, {}, shown);
}

/** Loss, with a tenth as far from a hundredth as from one. */
export function lossPlot(place: HTMLElement): CurvePlot {
  const marks = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
  const range = (_: uPlot, low: number | null, high: number | null): [number, number] => [
    Math.min(0.8 * (low ?? 1), 0.5),
    Math.max(1.25 * (high ?? 1), 4),
  ];
  const upwards: uPlot.Axis = {
    splits: (_, __, low, high) => marks.filter((mark) => mark >= low && mark <= high),
    filter: (_, splits) => splits,
  };
  return new CurvePlot(
    place,
    "Loss",
    ({ loss }) => loss,
    { distr: 3, range },
    upwards,
    (value) => value.toFixed(3),
  );
}

/** The point of a curve that is nearest to the cursor: each curve has points of its own. */
function nearest({ data }: uPlot, series: number, at: number): number {
  const values = data[series] ?? [];
  for (let distance = 0; distance < values.length; distance++) {
    for (const index of [at - distance, at + distance]) if (typeof values[index] === "number") return index;
  }
  return at;
}

function color(place: HTMLElement, name: string): string {
  return getComputedStyle(place).getPropertyValue(name).trim();
}

/** 20000 as 20k. */
function shortCount(count: number): string {
  if (count >= 1e6) return `${Number((count / 1e6).toFixed(2))}M`;
  return count >= 1000 ? `${Number((count / 1000).toFixed(1))}k` : String(count);
}
