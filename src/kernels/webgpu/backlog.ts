/** How far a GPU is behind what was sent to it: its queue holds memory, and grows as long as more is sent than it can run. */

/** Batches after which the GPU is asked to tell when it has run them. */
const MARK_EVERY = 8;
/** Batches on their way that are no reason to wait. */
const MOST = 32;
/** Batches sent without a word from the GPU that are worth a warning: it cannot be heard in a loop that never waits. */
const MOST_UNHEARD = 4096;

export class Backlog {
  private sent = 0;
  private done = 0;
  private unheard = 0;
  private hasWarned = false;
  /** What ends when the GPU has run the next marked batch, and those after it. */
  private readonly marks: Promise<void>[] = [];

  constructor(private readonly queue: GPUQueue) {}

  /** Counts a batch that was sent. */
  add(): void {
    this.sent++;
    if (this.sent % MARK_EVERY === 0) this.mark(this.sent);
    if (++this.unheard > MOST_UNHEARD && !this.hasWarned) this.warn();
  }

  /** Ends once few batches are still to run. */
  async caughtUp(): Promise<void> {
    while (this.sent - this.done > MOST) await this.marks[0];
  }

  private mark(batch: number): void {
    const passed = this.queue
      .onSubmittedWorkDone()
      // The device is gone: nothing of it will run, and reads tell.
      .catch(() => undefined)
      .then(() => {
        this.marks.shift();
        this.done = batch;
        this.unheard = 0;
      });
    this.marks.push(passed);
  }

  private warn(): void {
    this.hasWarned = true;
    console.warn(
      `webgpu: got ${MOST_UNHEARD} batches of launches without a pause; expected loops to wait now and then, as what the GPU has ` +
        "not run yet takes up memory. Take batches from a DataLoader, or read a loss with await loss.item().",
    );
  }
}
