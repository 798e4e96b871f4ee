/** The part of the page where devices are compared. */
import { Bars } from "./bars.js";
import { byId } from "./elements.js";
import type { Contender, Offer, Race, Request } from "./messages.js";

export class Races {
  offer: Offer | null = null;
  private bars: Bars | null = null;
  private names = "";
  private readonly button = byId("compare", HTMLButtonElement);
  private readonly status = byId("comparing-status");
  private comparing = false;

  constructor(ask: (request: Request) => void) {
    this.button.addEventListener("click", () => ask({ type: this.comparing ? "stopComparing" : "compare" }));
  }

  set isComparing(comparing: boolean) {
    this.comparing = comparing;
    this.button.disabled = false;
    this.button.textContent = comparing ? "Stop" : "Compare";
    if (!comparing) this.status.textContent = "";
  }

  show(races: readonly Race[]): void {
    const names = races.map((race) => this.nameOf(race));
    if (this.bars === null || this.names !== names.join()) {
      this.bars = new Bars(byId("races"), names);
      this.names = names.join();
    }
    const fastest = Math.max(...races.map(({ imagesPerSecond }) => imagesPerSecond), 1);
    const running = races.findIndex(({ done, steps }) => done < steps);
    races.forEach((race, index) => {
      const { imagesPerSecond, done, steps, loss } = race;
      const speed = `${Math.round(imagesPerSecond).toLocaleString("en")} images/s`;
      const text = done === 0 ? (index === running ? "warms up …" : "") : `${speed}, loss ${loss.toFixed(3)}`;
      this.bars?.show(index, imagesPerSecond / fastest, text, done === steps && imagesPerSecond === fastest);
    });
    const name = names[running];
    this.status.textContent = name === undefined ? "" : `${name} …`;
  }

  private nameOf({ device, threads }: Contender): string {
    if (device === "webgpu") return `GPU, ${this.offer?.gpu ?? "WebGPU"}`;
    return threads === 1 ? "CPU, 1 thread" : `CPU, ${threads} threads`;
  }
}
