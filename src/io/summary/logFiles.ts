import { TapegradError } from "../../errors.js";
import { importNode } from "../../platform/node.js";
import { reasonOf } from "../../platform/reasonOf.js";
import { FileError } from "../fileError.js";
import type { Content, Entry } from "./entry.js";
import { LogFile } from "./logFile.js";
import { csvHead, csvLine, jsonLine } from "./text.js";

/** A kind of log file. */
export type LogFormat = "tensorboard" | "csv" | "jsonl";

/** As many bytes are written at the latest, however many entries are yet to come. */
const gatheredBytes = 2 ** 20;

let writerCount = 0;

/** The files of one log, which are written in the background. */
export class LogFiles {
  /** Which of this process's logs it is, so that no two share an event file. */
  private readonly number = writerCount++;
  private readonly files = new Map<string, Promise<LogFile>>();
  private work: Promise<void> = Promise.resolve();
  private queued = 0;
  private failure: Error | null = null;

  constructor(
    private readonly folder: string,
    private readonly formats: ReadonlySet<LogFormat>,
    private readonly suffix: string,
  ) {
    this.enqueue(async () => {
      for (const format of formats) await this.fileFor(format, "");
    });
  }

  /** Writes an entry when its content is there and all earlier ones are written. */
  add(about: Omit<Entry, "content">, content: Content | Promise<Content>): void {
    // It waits for its turn: until then its failure must not count as nobody's.
    if (content instanceof Promise) content.catch(() => undefined);
    this.enqueue(async () => {
      const entry: Entry = { ...about, content: await content };
      for (const format of this.formats) {
        const file = await this.fileFor(format, entry.series === undefined ? "" : runOf(entry.tag, entry.series));
        const record = await recordIn(format, entry);
        if (record !== null) file.add(record);
      }
    });
  }

  /** @throws FileError where a file could not be written. */
  checkFailure(): void {
    if (this.failure !== null) throw this.failure;
  }

  /** Resolves when all is written. */
  async flush(): Promise<void> {
    // What is added meanwhile is waited for, too.
    for (let work: Promise<void> | null = null; work !== this.work; ) {
      work = this.work;
      await work;
    }
    this.checkFailure();
  }

  private enqueue(step: () => Promise<void>): void {
    this.queued++;
    this.work = this.work.then(async () => {
      this.queued--;
      if (this.failure !== null) return;
      try {
        await step();
        // What comes in one go is written in one go.
        const isLast = this.queued === 0;
        for (const file of this.files.values()) await (await file).write(isLast ? 0 : gatheredBytes);
      } catch (error) {
        this.failure = error instanceof TapegradError ? error : unwritable(this.folder, error);
      }
    });
  }

  /** The file of a format; event files are apart for each run. */
  private fileFor(format: LogFormat, run: string): Promise<LogFile> {
    const key = format === "tensorboard" ? `${format} ${run}` : format;
    const file = this.files.get(key) ?? this.newFile(format, run);
    this.files.set(key, file);
    return file;
  }

  private async newFile(format: LogFormat, run: string): Promise<LogFile> {
    const { join } = await importNode("node:path");
    const { hostname } = await importNode("node:os");
    if (format === "csv") return new LogFile(join(this.folder, "scalars.csv"), utf8(csvHead), true);
    if (format === "jsonl") return new LogFile(join(this.folder, "events.jsonl"), utf8(""), true);
    const now = Date.now() / 1000;
    const name = `events.out.tfevents.${Math.floor(now)}.${hostname()}.${process.pid}.${this.number}${this.suffix}`;
    const { versionRecord } = await events();
    return new LogFile(join(this.folder, run, name), versionRecord(now), false);
  }
}

/** The folder of one of several curves, named as PyTorch names it. */
function runOf(tag: string, series: string): string {
  return `${tag}_${series}`.replaceAll(/[/\\]/g, "_");
}

/** What encodes events is loaded when it is needed: most scripts write none. */
function events(): Promise<typeof import("./event.js")> {
  return import("./event.js");
}

async function recordIn(format: LogFormat, entry: Entry): Promise<Uint8Array | null> {
  if (format === "tensorboard") return (await events()).eventRecord(entry);
  const line = format === "csv" ? csvLine(entry) : jsonLine(entry);
  return line === null ? null : utf8(line);
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function unwritable(logDir: string, cause: unknown): FileError {
  return new FileError(
    `SummaryWriter: got ${reasonOf(cause)}; expected to write to ${logDir}. Choose a folder that can be written.`,
    { cause },
  );
}
