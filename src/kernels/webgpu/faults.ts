/**
 * What goes wrong on a GPU comes to light late: nothing of it is thrown where it happens. It is gathered here and thrown
 * by the next read.
 *
 * @module
 */
import { DeviceError, OutOfMemoryError, type TapegradError } from "../../errors.js";

/** An error says the more the nearer it is to its cause: a failed allocation makes invalid all that uses it. */
enum Rank {
  Consequence = 0,
  Validation = 1,
  Cause = 2,
}

export class Faults {
  private fault: { readonly error: TapegradError; readonly rank: Rank } | null = null;
  private loss: string | null = null;
  /** Error scopes whose outcome is not known yet. */
  private readonly open = new Set<Promise<void>>();

  constructor(private readonly device: GPUDevice) {
    device.addEventListener("uncapturederror", (event) => {
      // It will be thrown: no need to print it too.
      event.preventDefault();
      this.raise((event as GPUUncapturedErrorEvent).error, "an operation", Rank.Consequence);
    });
    void device.lost.then(({ reason, message }) => {
      this.loss = `${reason}${message === "" ? "" : `: ${message.trim()}`}`;
    });
  }

  get isLost(): boolean {
    return this.loss !== null;
  }

  /** Runs `act`; an error that it causes names `subject`, for instance `kernel "matmul"`. */
  scoped<T>(subject: string, act: () => T): T {
    this.device.pushErrorScope("out-of-memory");
    this.device.pushErrorScope("validation");
    try {
      return act();
    } finally {
      this.await(subject, this.device.popErrorScope());
      this.await(subject, this.device.popErrorScope());
    }
  }

  /** Runs `act`, which makes a buffer; `onFailure` is called where there was no room for it. */
  allocating<T>(subject: string, act: () => T, onFailure: () => void): T {
    this.device.pushErrorScope("out-of-memory");
    try {
      return act();
    } finally {
      this.await(subject, this.device.popErrorScope(), onFailure);
    }
  }

  /** @throws DeviceError where the device was lost. */
  checkAlive(): void {
    if (this.loss !== null) throw this.lostError();
  }

  /**
   * Waits until it is known how all that was sent went.
   *
   * @throws what went wrong since the last call (as a rejection).
   */
  async settle(): Promise<void> {
    if (this.open.size > 0) await Promise.all(this.open);
    this.checkAlive();
    const { fault } = this;
    this.fault = null;
    if (fault !== null) throw fault.error;
  }

  lostError(): DeviceError {
    return new DeviceError(
      `webgpu: the device was lost (${this.loss ?? "unknown"}), and the tensors on it with it. ` +
        "Make a new one with await webgpu.init(), build the model anew and load what was saved of it.",
    );
  }

  private await(subject: string, outcome: Promise<GPUError | null>, onFailure?: () => void): void {
    const settled = outcome
      .then((error) => {
        if (error === null) return;
        this.raise(error, subject, Rank.Validation);
        onFailure?.();
      })
      // The device is gone: `lost` tells.
      .catch(() => {})
      .then(() => {
        this.open.delete(settled);
      });
    this.open.add(settled);
  }

  private raise(error: GPUError, subject: string, rank: Rank): void {
    const isMemory = error.constructor.name === "GPUOutOfMemoryError";
    const actual = isMemory ? Rank.Cause : rank;
    if (this.fault !== null && this.fault.rank >= actual) return;
    this.fault = {
      rank: actual,
      error: isMemory
        ? new OutOfMemoryError(
            `webgpu: ${subject} failed for want of memory on the GPU (${error.message.trim()}). Results since the last read are ` +
              "wrong. Make batches smaller, or run under noGrad what needs no gradient.",
          )
        : new DeviceError(
            `webgpu: ${subject} failed: ${error.message.trim()}. Results since the last read are wrong. ` +
              "This is a bug in the library: please report it.",
          ),
    };
  }
}
