/** Means and speed over the last steps. */
import type { Found } from "./run.js";

/** What batches had in common since the last point of the curve. */
export class Means {
  images = 0;
  private loss = 0;
  private accuracy = 0;

  add({ images, loss, accuracy }: Found): void {
    this.images += images;
    this.loss += images * loss;
    this.accuracy += images * accuracy;
  }

  /** The means over all images since the last time, which are forgotten. */
  take(): { loss: number; accuracy: number } {
    const means = { loss: this.loss / this.images, accuracy: this.accuracy / this.images };
    this.images = this.loss = this.accuracy = 0;
    return means;
  }
}

/** Images per second, by the steps of the last seconds. */
export class Speed {
  private images = 0;
  private milliseconds = 0;
  private last = performance.now();

  /** Counts the images of a step that ends now. */
  add(images: number): void {
    const now = performance.now();
    this.milliseconds += now - this.last;
    this.last = now;
    this.images += images;
    if (this.milliseconds < 2000) return;
    // What is long past weighs less and less.
    this.milliseconds /= 2;
    this.images /= 2;
  }

  /** Leaves out the time since the last step: something else was done in it. */
  rest(): void {
    this.last = performance.now();
  }

  get perSecond(): number {
    return this.milliseconds === 0 ? 0 : (1000 * this.images) / this.milliseconds;
  }
}
