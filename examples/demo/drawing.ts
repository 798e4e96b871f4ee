/** The part of the page where digits are drawn and read. */
import { Bars } from "./bars.js";
import { fitDigit } from "./digit.js";
import { byId } from "./elements.js";
import { Pad } from "./pad.js";
import { type FilterPictures, Preview } from "./pictures.js";

const digits = Array.from({ length: 10 }, (_, digit) => String(digit));

export class Drawing {
  private readonly pad: Pad;
  private readonly bars = new Bars(byId("probabilities"), digits);
  private readonly answer = byId("answer");
  private readonly hint = byId("pad-hint");
  private readonly preview = new Preview(byId("preview", HTMLCanvasElement));
  private image: Float32Array | null = null;
  /** What a test image is known to show. */
  private truth: number | null = null;
  private waiting = false;
  private changedMeanwhile = false;
  private readDue = false;

  /** @param ask asks the network for its opinion; {@link show} is to be called with it */
  constructor(
    private readonly ask: (image: Float32Array) => void,
    private readonly filters: FilterPictures,
  ) {
    this.pad = new Pad(byId("pad", HTMLCanvasElement), byId("pad-frame"), byId("pen"), {
      changed: () => {
        this.truth = null;
        this.readSoon();
      },
      restored: () => this.readSoon(),
    });
    byId("clear").addEventListener("click", () => this.pad.clear());
    this.showNothing();
  }

  /** Shows a test image on the pad. */
  sample(image: Uint8Array, label: number): void {
    this.pad.show(image);
    this.truth = label;
  }

  /** Asks anew, since the network has learnt meanwhile. */
  askAgain(): void {
    if (this.image === null) return;
    if (this.waiting) {
      this.changedMeanwhile = true;
      return;
    }
    this.waiting = true;
    this.ask(this.image);
  }

  /** Asks whatever was asked before: there is another network now, or none that could have answered. */
  askAnyway(): void {
    this.waiting = false;
    this.askAgain();
  }

  /** Shows the network's opinion. */
  show(probabilities: Float32Array, seen: Float32Array): void {
    this.waiting = false;
    if (this.image === null) return;
    const best = probabilities.reduce((most, value, digit) => (value > (probabilities[most] ?? 0) ? digit : most), 0);
    probabilities.forEach((probability, digit) => {
      this.bars.show(
        digit,
        probability,
        probability < 0.005 ? "" : `${Math.round(100 * probability)} %`,
        digit === best,
      );
    });
    this.filters.showMaps(seen);
    const truth = this.truth === null ? "" : this.truth === best ? ", and it is" : `, but it is a ${this.truth}`;
    this.say(`Looks like a ${best}${truth}.`);
    if (!this.changedMeanwhile) return;
    this.changedMeanwhile = false;
    this.askAgain();
  }

  private readSoon(): void {
    if (this.readDue) return;
    this.readDue = true;
    // Pens move more often than screens change.
    requestAnimationFrame(() => {
      this.readDue = false;
      const { ink, width, height } = this.pad.read();
      this.image = fitDigit(ink, width, height);
      this.hint.hidden = this.image !== null;
      this.preview.show(this.image);
      if (this.image === null) this.showNothing();
      else this.askAgain();
    });
  }

  private showNothing(): void {
    for (let digit = 0; digit < 10; digit++) this.bars.show(digit, 0, "");
    this.filters.showMaps(null);
    this.say("With mouse, finger or keys.");
  }

  /** Says it once: screen readers read each change. */
  private say(text: string): void {
    if (this.answer.textContent !== text) this.answer.textContent = text;
  }
}
