/** PyTorch in a process of its own, told by lines of JSON what to do. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

interface Answer {
  readonly version?: string;
  readonly seconds?: number;
  readonly error?: string;
}

/** A running bench/pytorch.py. */
export class PyTorch {
  private constructor(
    readonly version: string,
    private readonly child: ChildProcessWithoutNullStreams,
    private readonly answers: AsyncIterator<string>,
  ) {}

  /** Starts it; rejects with the reason where there is no Python, or no PyTorch in it. */
  static async start(python: string, threads: number): Promise<PyTorch> {
    const script = fileURLToPath(new URL("pytorch.py", import.meta.url));
    const child = spawn(python, [script, String(threads)]);
    let complaint = "";
    child.stderr.on("data", (text) => {
      complaint += String(text);
    });
    const failed = new Promise<never>((_, reject) => {
      child.once("error", reject);
      child.once("close", () => reject(new Error(complaint.trim().split("\n").at(-1) ?? "it ended")));
    });
    // After the start, a broken pipe shows as the end of its answers.
    failed.catch(() => undefined);
    child.stdin.on("error", () => undefined);
    const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
    const first = await Promise.race([failed, answers.next()]);
    if (first.done) return failed;
    const { version = "of unknown version" } = JSON.parse(first.value) as Answer;
    return new PyTorch(version, child, answers);
  }

  async prepare(name: string): Promise<void> {
    await this.ask({ prepare: name });
  }

  /** Does the work so many times, and tells how many milliseconds that took. */
  async run(times: number): Promise<number> {
    const { seconds = Number.NaN } = await this.ask({ run: times });
    return seconds * 1000;
  }

  /** Ends it. */
  stop(): void {
    this.child.stdin.end();
  }

  private async ask(request: object): Promise<Answer> {
    this.child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.answers.next();
    if (done) throw new Error("PyTorch's process ended before its time");
    const answer = JSON.parse(value) as Answer;
    if (answer.error !== undefined) throw new Error(`PyTorch: ${answer.error}`);
    return answer;
  }
}
