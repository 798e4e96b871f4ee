import { importNode } from "../../platform/node.js";
import { joined } from "./png.js";

const newline = 10;

/**
 * A file that grows by whole records. It is opened for each writing, so that nothing is left open, whether anybody closes
 * it or not.
 */
export class LogFile {
  private waiting: Uint8Array[] = [];
  private waitingBytes = 0;
  private isNew = true;

  /**
   * @param head what a new file begins with
   * @param isText whether records are lines, of which the last may have been cut short by an earlier process
   */
  constructor(
    readonly path: string,
    private readonly head: Uint8Array,
    private readonly isText: boolean,
  ) {}

  add(record: Uint8Array): void {
    this.waiting.push(record);
    this.waitingBytes += record.length;
  }

  /** Appends all that waits, if that is `leastBytes` or more. A new file is made in any case. */
  async write(leastBytes: number): Promise<void> {
    const { path } = this;
    const fs = await importNode("node:fs/promises");
    if (this.isNew) {
      const { dirname } = await importNode("node:path");
      await fs.mkdir(dirname(path), { recursive: true });
      const head = await this.beginning();
      await fs.appendFile(path, head);
      this.isNew = false;
    }
    const { waiting } = this;
    if (waiting.length === 0 || this.waitingBytes < leastBytes) return;
    this.waiting = [];
    this.waitingBytes = 0;
    await fs.appendFile(path, joined(waiting));
  }

  private async beginning(): Promise<Uint8Array> {
    const fs = await importNode("node:fs/promises");
    const handle = await fs.open(this.path, "a+");
    try {
      const { size } = await handle.stat();
      if (size === 0) return this.head;
      const last = new Uint8Array(1);
      await handle.read(last, 0, 1, size - 1);
      return this.isText && last[0] !== newline ? Uint8Array.of(newline) : new Uint8Array();
    } finally {
      await handle.close();
    }
  }
}
