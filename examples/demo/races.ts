/** The part of the page where devices are compared. */
import { Bars } from "./bars.js";
import { byId } from "./elements.js";
import { type Contender, contenders, type Offer, type Race, type Request } from "./messages.js";

export class Races {
  private gpu = "";
  private bars: Bars | null = null;
  private readonly button = byId("compare", HTMLButtonElement);
  private readonly status = byId("comparing-status");
  private readonly losses = byId("losses");
  private comparing = false;

  constructor(ask: (request: Request) => void) {
    this.button.addEventListener("click", () => ask({ type: this.comparing ? "stopComparing" : "compare" }));
  }

  /** Shows what can be compared. */
  open(offer: Offer): void {
    this.gpu = offer.gpu ?? "";
    const names = contenders(offer).map((contender) => this.nameOf(contender));
    this.bars = new Bars(byId("races"), names);
    names.forEach((_, index) => void this.bars?.show(index, 0, "–"));
  }

  set isComparing(comparing: boolean) {
    this.comparing = comparing;
    this.button.disabled = false;
    this.button.textContent = comparing ? "Stop" : "Compare";
    if (!comparing) this.status.textContent = "";
  }

  show(races: readonly Race[]): void {
    const fastest = Math.max(...races.map(({ imagesPerSecond }) => imagesPerSecond), 1);
    const running = races.findIndex(({ done, steps }) => done < steps);
    races.forEach((race, index) => {
      const { imagesPerSecond, done, steps } = race;
      const speed = `${Math.round(imagesPerSecond).toLocaleString("en")} images/s`;
      const text = done > 0 ? speed : index === running ? "warms up …" : "–";
      this.bars?.show(index, imagesPerSecond / fastest, text, done === steps && imagesPerSecond === fastest);
    });
    this.losses.hidden = running >= 0;
    this.losses.textContent = `Loss of the last step: ${lossesOf(races)}.`;
    const runner = races[running];
    this.status.textContent = runner === undefined ? "" : `${this.nameOf(runner)} …`;
  }

  private nameOf({ device, threads }: Contender): string {
    if (device === "webgpu") return `GPU, ${this.gpu}`;
    return threads === 1 ? "CPU, 1 thread" : `CPU, ${threads} threads`;
  }
}

/** One number where they agree, as they should to three digits. */
function lossesOf(races: readonly Race[]): string {
  const losses = races.map(({ loss }) => loss.toFixed(3));
  return new Set(losses).size === 1 && losses.length > 1 ? `${losses[0]} on each` : losses.join(", ");
}
