/** How far an epoch is: a bar on a terminal, a line for each tenth elsewhere. */
import { SingleBar } from "cli-progress";

/** Milliseconds between two pictures of the bar. */
const redrawEvery = 100;

/** Progress of one epoch, with loss, speed and time left, on standard output. */
export class Progress {
  private readonly start = performance.now();
  private readonly bar: SingleBar | null;
  private lastDrawn = -Infinity;
  private tenthsShown: number;

  constructor(
    private readonly title: string,
    private readonly total: number,
    /** How much was done before. */
    private readonly from = 0,
  ) {
    this.tenthsShown = Math.floor((10 * from) / total);
    this.bar = process.stdout.isTTY
      ? new SingleBar({
          format: `${title} [{bar}] {percentage}% | loss {loss} | {speed} images/s | {time}`,
          stream: process.stdout,
          barsize: 14,
          barCompleteChar: "=",
          barIncompleteChar: " ",
        })
      : null;
    this.bar?.start(total, from, { loss: "  -   ", speed: "-", time: "" });
  }

  /** Shows that `done` of the total are done; asks for the loss only where it is going to be shown. */
  async update(done: number, meanLoss: () => Promise<number>): Promise<void> {
    const now = performance.now();
    const finished = done >= this.total;
    const tenths = Math.floor((10 * done) / this.total);
    const due = this.bar === null ? tenths > this.tenthsShown : now - this.lastDrawn >= redrawEvery;
    if (!due && !finished) return;
    this.lastDrawn = now;
    this.tenthsShown = tenths;

    const loss = (await meanLoss()).toFixed(4);
    const seconds = (performance.now() - this.start) / 1000;
    const perSecond = (done - this.from) / seconds;
    const speed = Math.round(perSecond).toString();
    const time = finished ? `took ${clock(seconds)}` : `${clock((this.total - done) / perSecond)} left`;
    if (this.bar === null) {
      const percent = `${Math.floor((100 * done) / this.total)}%`.padStart(4);
      console.log(`${this.title} ${percent} | loss ${loss} | ${speed} images/s | ${time}`);
    } else {
      this.bar.update(done, { loss, speed, time });
      if (finished) this.stop();
    }
  }

  /** Leaves the bar as it is and goes to the next line. */
  stop(): void {
    this.bar?.stop();
  }
}

/** Minutes and seconds, as in 1:05. */
function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
