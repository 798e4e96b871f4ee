/** The curves of loss and accuracy. */
import uPlot from "uplot";
import type { CurvePoint, Curves } from "./messages.js";

/** One plot with two curves over the images seen. */
export class CurvePlot {
  private readonly plot: uPlot;

  /**
   * @param plotted what is plotted of a point
   * @param range of the axis upwards
   * @param shown a value as text
   */
  constructor(
    private readonly place: HTMLElement,
    private readonly name: string,
    private readonly plotted: (point: CurvePoint) => number,
    scale: uPlot.Scale,
    private readonly shown: (value: number) => string,
  ) {
    const axis: uPlot.Axis = {
      stroke: () => color(place, "--muted"),
      grid: { stroke: () => color(place, "--line"), width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
    };
    const value = (_: uPlot, raw: number | null): string => (raw === null ? "–" : shown(raw));
    this.plot = new uPlot(
      {
        width: place.clientWidth,
        height: place.clientHeight,
        padding: [8, 12, 0, 0],
        legend: { show: false },
        cursor: { drag: { x: false, y: false } },
        scales: { x: { time: false }, y: scale },
        axes: [
          { ...axis, size: 28, gap: 6, values: (_, ticks) => ticks.map(shortCount) },
          { ...axis, size: 44, gap: 6, values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : String(tick))) },
        ],
        series: [
          { value: (_, raw) => (raw === null ? "–" : shortCount(raw)) },
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
            points: { show: false },
            value,
          },
        ],
      },
      [[], [], []],
      place,
    );
    new ResizeObserver(() => this.plot.setSize({ width: place.clientWidth, height: place.clientHeight })).observe(
      place,
    );
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
    Math.min(Math.floor((low ?? 0) / 10) * 10, 90),
    100,
  ];
  return new CurvePlot(
    place,
    "Accuracy",
    ({ accuracy }) => 100 * accuracy,
    { range },
    (value) => `${value.toFixed(1)} %`,
  );
}

/** Loss, with a tenth as far from a hundredth as from one. */
export function lossPlot(place: HTMLElement): CurvePlot {
  return new CurvePlot(
    place,
    "Loss",
    ({ loss }) => loss,
    { distr: 3 },
    (value) => value.toFixed(3),
  );
}

function color(place: HTMLElement, name: string): string {
  return getComputedStyle(place).getPropertyValue(name).trim();
}

/** 20000 as 20k. */
function shortCount(count: number): string {
  if (count >= 1e6) return `${Number((count / 1e6).toFixed(2))}M`;
  return count >= 1000 ? `${Number((count / 1000).toFixed(1))}k` : String(count);
}
