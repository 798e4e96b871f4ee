/** Saving a run from time to time and when it is interrupted, and going on with it. */
import { existsSync } from "node:fs";
import { type CheckpointContents, loadCheckpoint, saveCheckpoint, TapegradError } from "tapegrad";

/** Milliseconds of training between two saves, besides those after each epoch. */
const saveEvery = 60_000;

/** The run was interrupted, and is saved; the message says where. */
export class Interrupted extends Error {}

/** The file that a run is saved to, if it is to be saved at all. */
export class Checkpoint {
  private lastSave = performance.now();
  private interrupted = false;

  /** @param settings what must be the same when the run goes on */
  constructor(
    private readonly path: string | undefined,
    private readonly settings: Readonly<Record<string, unknown>>,
  ) {
    if (path === undefined) return;
    // Once: whoever presses Ctrl+C again does not want to wait.
    process.once("SIGINT", () => {
      this.interrupted = true;
    });
  }

  /** Puts the saved run into `run`, or leaves it as it is where none was saved yet. */
  async begin<Run extends CheckpointContents>(resume: boolean, run: Run): Promise<Run> {
    const { path, settings } = this;
    if (path === undefined) {
      if (resume)
        throw new TapegradError("--resume: got no file; expected one to go on from. Pass --checkpoint <file>.");
      return run;
    }
    if (!existsSync(path)) return run;
    if (!resume) {
      throw new TapegradError(
        `--checkpoint: got ${path}, which is there; expected a new file. Pass --resume to go on from it, or remove it.`,
      );
    }
    const { settings: saved } = await loadCheckpoint(path, { settings });
    for (const [name, value] of Object.entries(settings)) {
      if (value === saved[name]) continue;
      throw new TapegradError(
        `--resume: got ${name} ${value} for a run with ${name} ${saved[name]} in ${path}; expected the same. Pass the options that it was begun with.`,
      );
    }
    const values = await loadCheckpoint(path, run);
    console.log(`goes on from ${path}`);
    return { ...run, ...values };
  }

  /** To be called after each step: saves the run now and then. */
  async step(run: CheckpointContents): Promise<void> {
    if (this.interrupted) {
      await this.save(run);
      throw new Interrupted(`saved to ${this.path}; go on with --resume`);
    }
    if (performance.now() - this.lastSave >= saveEvery) await this.save(run);
  }

  async save(run: CheckpointContents): Promise<void> {
    if (this.path !== undefined) await saveCheckpoint(this.path, { ...run, settings: this.settings });
    this.lastSave = performance.now();
  }
}
