import { ArgumentError, ShapeError } from "../../errors.js";
import { checkCount, checkOptions } from "../../nn/arguments.js";
import type { Module } from "../../nn/module.js";
import { isNode } from "../../platform/node.js";
import { formatShape } from "../../tensor/shape.js";
import { commonKernels, Tensor } from "../../tensor/tensor.js";
import { formatSetting } from "../../tensor/window.js";
import { FileError } from "../fileError.js";
import type { Content } from "./entry.js";
import { evenHistogram, growingHistogram } from "./histogram.js";
import { LogFiles, type LogFormat } from "./logFiles.js";
import { modelGraph } from "./modelGraph.js";
import { pictureLayout, pictureOf } from "./pixels.js";
import { encodePng } from "./png.js";

const logFormats: readonly string[] = ["tensorboard", "csv", "jsonl"] satisfies LogFormat[];

/** Settings of {@link SummaryWriter}. */
export interface SummaryWriterOptions {
  /**
   * What to write: `"tensorboard"` event files, `"csv"` for `scalars.csv` with the columns step, wall_time, tag and value,
   * `"jsonl"` for `events.jsonl` with one object in each line. Default `["tensorboard"]`.
   */
  readonly formats?: readonly LogFormat[];
  /** The end of the event files' names. Default none. */
  readonly filenameSuffix?: string;
}

/** What every entry can be given. */
export interface EntryOptions {
  /** When it happened, in seconds since 1970. Default: now. */
  readonly wallTime?: number;
}

/** Settings of {@link SummaryWriter.addHistogram}. */
export interface HistogramOptions extends EntryOptions {
  /** `"tensorflow"`, whose limits grow by a tenth each, or the number of buckets of one width. Default `"tensorflow"`. */
  readonly bins?: "tensorflow" | number;
}

/** Settings of {@link SummaryWriter.addImage}. */
export interface ImageOptions extends EntryOptions {
  /** The axes in their order: C channels, H rows, W columns. Default `"CHW"`. */
  readonly dataFormats?: "CHW" | "HWC" | "HW";
}

/** Settings of {@link SummaryWriter.addImages}. */
export interface ImagesOptions extends EntryOptions {
  /** The axes in their order: N images, C channels, H rows, W columns. Default `"NCHW"`. */
  readonly dataFormats?: "NCHW" | "NHWC" | "NHW";
}

/**
 * Logs of a training, in files that TensorBoard shows: `tensorboard --logdir runs`. Node only.
 *
 * Calls return at once: tensors are copied, and written in the background in the order of the calls. Records are appended
 * whole, so that a process that is killed leaves a file that can be read. Wrong arguments throw where they are passed; a
 * failure of writing is thrown by the next call. Await {@link flush} or {@link close} before `process.exit()`.
 *
 * @see https://pytorch.org/docs/stable/tensorboard.html
 */
export class SummaryWriter {
  /** The folder with the logs. */
  readonly logDir: string;
  private readonly formats: ReadonlySet<LogFormat>;
  private readonly files: LogFiles;
  private isClosed = false;

  /**
   * @param logDir folder to write to, made where it is not there; default `runs/` and the time
   * @throws ArgumentError where `logDir` is no path, or a format is not known.
   * @throws FileError where there are no files.
   */
  constructor(logDir: string | null = null, options: SummaryWriterOptions = {}) {
    checkOptions("SummaryWriter", options, ["formats", "filenameSuffix"]);
    const { formats = ["tensorboard"], filenameSuffix = "" } = options;
    if (logDir !== null && (typeof logDir !== "string" || logDir === "")) {
      throw new ArgumentError(
        `SummaryWriter: got ${formatSetting(logDir)} as logDir; expected the path of a folder. Pass one such as "runs/first".`,
      );
    }
    const strange = Array.isArray(formats) ? formats.find((format) => !logFormats.includes(format)) : formats;
    if (strange !== undefined || formats.length === 0) {
      throw new ArgumentError(
        `SummaryWriter: got formats ${formatSetting(formats)}; expected an array of at least one of ${logFormats.map(formatSetting).join(", ")}. Correct formats.`,
      );
    }
    if (typeof filenameSuffix !== "string" || /[/\\]/.test(filenameSuffix)) {
      throw new ArgumentError(
        `SummaryWriter: got filenameSuffix ${formatSetting(filenameSuffix)}; expected the end of a file's name, without slashes. Correct it.`,
      );
    }
    if (!isNode()) {
      throw new FileError(
        `SummaryWriter: got ${formatSetting(logDir)} where there are no files; expected Node. Log in a script that Node runs.`,
      );
    }
    this.logDir = logDir ?? `runs/${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}`;
    this.formats = new Set(formats);
    this.files = new LogFiles(this.logDir, this.formats, filenameSuffix);
  }

  /**
   * One number of a curve: a loss at a step.
   *
   * @param value a number, or a tensor with one element; it may be NaN
   * @throws ShapeError where the tensor has more or fewer.
   * @see https://pytorch.org/docs/stable/tensorboard.html#torch.utils.tensorboard.writer.SummaryWriter.add_scalar
   */
  addScalar(tag: string, value: number | Tensor, step = 0, options: EntryOptions = {}): void {
    checkOptions("addScalar", options, ["wallTime"]);
    this.check("addScalar", tag, step, options);
    this.files.add({ tag, step, ...timeOf(options) }, scalar("addScalar", value));
  }

  /**
   * A point of several curves in one chart, for values by the name of their curve. In TensorBoard each curve is a run of
   * its own, in a folder within the log's.
   *
   * @see https://pytorch.org/docs/stable/tensorboard.html#torch.utils.tensorboard.writer.SummaryWriter.add_scalars
   */
  addScalars(
    mainTag: string,
    values: Readonly<Record<string, number | Tensor>>,
    step = 0,
    options: EntryOptions = {},
  ): void {
    checkOptions("addScalars", options, ["wallTime"]);
    this.check("addScalars", mainTag, step, options);
    if (typeof values !== "object" || values === null || values instanceof Tensor || Object.keys(values).length === 0) {
      throw new ArgumentError(
        `addScalars: got no values by name for ${formatSetting(mainTag)}; expected an object such as { train: 0.5, test: 0.7 }. Use addScalar for a single value.`,
      );
    }
    const contents = Object.entries(values).map(([series, value]) => [series, scalar("addScalars", value)] as const);
    const time = timeOf(options);
    for (const [series, content] of contents) this.files.add({ tag: mainTag, series, step, ...time }, content);
  }

  /**
   * How the elements of a tensor (weights, gradients) are distributed.
   *
   * @throws ShapeError where it has no elements.
   * @throws ArgumentError where it is no tensor, or `bins` is not one of its kinds.
   * @see https://pytorch.org/docs/stable/tensorboard.html#torch.utils.tensorboard.writer.SummaryWriter.add_histogram
   */
  addHistogram(tag: string, values: Tensor, step = 0, options: HistogramOptions = {}): void {
    checkOptions("addHistogram", options, ["wallTime", "bins"]);
    this.check("addHistogram", tag, step, options);
    const { bins = "tensorflow" } = options;
    if (bins !== "tensorflow") checkCount("addHistogram", "bins", bins);
    this.checkRich("addHistogram");
    commonKernels("addHistogram", values);
    if (values.numel() === 0) {
      throw new ShapeError(
        `addHistogram: got a tensor of shape ${formatShape(values.shape)} without elements; expected one element at least. Leave the call out.`,
      );
    }
    const content = values.data().then((data): Content => {
      const histogram = bins === "tensorflow" ? growingHistogram(data) : evenHistogram(data, bins);
      return { kind: "histogram", histogram };
    });
    this.files.add({ tag, step, ...timeOf(options) }, content);
  }

  /**
   * A picture: [C, H, W] with 1 channel (grey), 3 (RGB) or 4 (RGBA); fractions from 0 to 1, or int32 from 0 to 255. Values
   * are rounded to whole 255ths, and cut to that range.
   *
   * @throws ShapeError where the shape does not fit `dataFormats`.
   * @throws DTypeError for bool.
   * @see https://pytorch.org/docs/stable/tensorboard.html#torch.utils.tensorboard.writer.SummaryWriter.add_image
   */
  addImage(tag: string, image: Tensor, step = 0, options: ImageOptions = {}): void {
    this.addPicture("addImage", tag, image, step, options, options.dataFormats ?? "CHW", ["CHW", "HWC", "HW"]);
  }

  /**
   * Several pictures [N, C, H, W] as one, eight in a row; otherwise as {@link addImage}.
   *
   * @see https://pytorch.org/docs/stable/tensorboard.html#torch.utils.tensorboard.writer.SummaryWriter.add_images
   */
  addImages(tag: string, images: Tensor, step = 0, options: ImagesOptions = {}): void {
    this.addPicture("addImages", tag, images, step, options, options.dataFormats ?? "NCHW", ["NCHW", "NHWC", "NHW"]);
  }

  /**
   * A text, which TensorBoard reads as Markdown.
   *
   * @see https://pytorch.org/docs/stable/tensorboard.html#torch.utils.tensorboard.writer.SummaryWriter.add_text
   */
  addText(tag: string, text: string, step = 0, options: EntryOptions = {}): void {
    checkOptions("addText", options, ["wallTime"]);
    this.check("addText", tag, step, options);
    this.checkRich("addText");
    if (typeof text !== "string") {
      throw new ArgumentError(
        `addText: got ${formatSetting(text)} as the text; expected a string. Convert it with String(…).`,
      );
    }
    this.files.add({ tag, step, ...timeOf(options) }, { kind: "text", text });
  }

  /**
   * The ops of a model, grouped by its modules, as TensorBoard draws them. The model runs once, in evaluation mode.
   *
   * @param input what `forward` takes: a tensor, or an array of them
   * @throws TapegradError where the model does not take the input.
   * @see https://pytorch.org/docs/stable/tensorboard.html#torch.utils.tensorboard.writer.SummaryWriter.add_graph
   */
  addGraph(model: Module, input: Tensor | readonly Tensor[]): void {
    this.check("addGraph", "graph", 0, {});
    this.checkRich("addGraph");
    const nodes = modelGraph("addGraph", model, Array.isArray(input) ? input : [input]);
    this.files.add({ tag: "graph", step: 0, ...timeOf({}) }, { kind: "graph", nodes });
  }

  /**
   * Resolves when all that was added lies in the files.
   *
   * @throws FileError (as a rejection) where a file could not be written.
   */
  async flush(): Promise<void> {
    await this.files.flush();
  }

  /** Waits as {@link flush} does. Nothing can be added afterwards. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.flush();
  }

  /** {@link close}, at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private addPicture(
    where: string,
    tag: string,
    tensor: Tensor,
    step: number,
    options: ImageOptions | ImagesOptions,
    order: string,
    orders: readonly string[],
  ): void {
    checkOptions(where, options, ["wallTime", "dataFormats"]);
    this.check(where, tag, step, options);
    this.checkRich(where);
    commonKernels(where, tensor);
    const layout = pictureLayout(where, tensor.shape, tensor.dtype, order, orders);
    const content = tensor.data().then(async (data): Promise<Content> => {
      const { pixels, width, height, channels } = pictureOf(data, layout);
      return { kind: "image", image: await encodePng(pixels, width, height, channels) };
    });
    this.files.add({ tag, step, ...timeOf(options) }, content);
  }

  private check(where: string, tag: string, step: number, { wallTime = 0 }: EntryOptions): void {
    this.files.checkFailure();
    if (this.isClosed) {
      throw new ArgumentError(
        `${where}: got an entry for a log that is closed; expected an open one. Close it after the last entry, or make a new SummaryWriter.`,
      );
    }
    if (typeof tag !== "string" || tag === "") {
      throw new ArgumentError(
        `${where}: got ${formatSetting(tag)} as the tag; expected a name. Pass one such as "loss/train".`,
      );
    }
    checkCount(where, "step", step, -Infinity);
    if (typeof wallTime !== "number" || !Number.isFinite(wallTime)) {
      throw new ArgumentError(
        `${where}: got wallTime ${formatSetting(wallTime)}; expected seconds since 1970. Pass Date.now() / 1000, or leave it out.`,
      );
    }
  }

  /** Checks that a file is written that holds more than numbers. */
  private checkRich(where: string): void {
    if (this.formats.has("tensorboard") || this.formats.has("jsonl")) return;
    throw new ArgumentError(
      `${where}: got formats ["csv"], which hold nothing but scalars; expected "tensorboard" or "jsonl" beside it. Add one of them to the formats.`,
    );
  }
}

function scalar(where: string, value: number | Tensor): Content | Promise<Content> {
  if (typeof value === "number") return { kind: "scalar", value };
  if (!(value instanceof Tensor)) {
    throw new ArgumentError(
      `${where}: got ${formatSetting(value)} as a value; expected a number or a tensor with one element. Convert it with Number(…).`,
    );
  }
  commonKernels(where, value);
  if (value.numel() !== 1) {
    throw new ShapeError(
      `${where}: got a tensor of shape ${formatShape(value.shape)} with ${value.numel()} elements; expected exactly one. Reduce it with .mean() or .sum().`,
    );
  }
  return value.item().then((number) => ({ kind: "scalar", value: number }));
}

function timeOf({ wallTime = Date.now() / 1000 }: EntryOptions): { wallTime: number } {
  return { wallTime };
}
