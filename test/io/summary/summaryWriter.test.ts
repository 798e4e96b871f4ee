/** Logs as TensorBoard's own reader finds them, and histograms as PyTorch's writer makes them. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  ArgumentError,
  DTypeError,
  FileError,
  isGradEnabled,
  memoryStats,
  nn,
  noGrad,
  rand,
  ShapeError,
  SummaryWriter,
  type Tensor,
  tensor,
  zeros,
} from "tapegrad";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { settledMemory } from "../../support/collectGarbage.js";
import { failure } from "../support.js";

type Numbers = readonly (number | string)[];
interface Histogram {
  readonly bucket_limit: readonly number[];
  readonly bucket: readonly number[];
  readonly min: number | string;
}
interface Picture {
  readonly step: number;
  readonly width: number;
  readonly height: number;
  readonly pixels: unknown;
}
interface Run {
  readonly scalars: Readonly<Record<string, readonly Numbers[]>>;
  readonly histograms: Readonly<Record<string, Histogram>>;
  readonly images: Readonly<Record<string, Picture>>;
  readonly texts: Readonly<Record<string, string>>;
  readonly graph: readonly (readonly [name: string, op: string, inputs: string[], shape: number[]])[] | null;
}

const folder = mkdtempSync(join(tmpdir(), "tapegrad-summary-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (...names: string[]): string => join(folder, ...names);
let runs: Readonly<Record<string, Run>>;
let histograms: Readonly<Record<string, Histogram>>;
let graphModel: nn.Module;

/** Values whose buckets are compared with PyTorch's; null stands for its own limits. */
const values: Readonly<Record<string, readonly [bins: number | null, values: number[]]>> = {
  growing: [null, Array.from({ length: 500 }, (_, k) => Math.fround(Math.sin(k) * 10 ** ((k % 9) - 4)))],
  limits: [null, [0, 0, 1e-12, -1e-12, 1.1e-12, 5e-13, 1, -1]],
  alike: [null, [3, 3, 3]],
  even: [10, Array.from({ length: 200 }, (_, k) => Math.fround(Math.cos(k * k)))],
  evenAlike: [4, [2.5, 2.5]],
  evenEnds: [4, [0, 1, 2, 3, 4, 4]],
};

/** Its layers have no parameters, one, several; two of them run twice. */
class Model extends nn.Module {
  blocks = [new nn.Conv2d(1, 2, 3, { padding: 1 }), new nn.Conv2d(2, 2, 3, { padding: 1 })] as const;
  act = new nn.ReLU();
  drop = new nn.Dropout(0.5);
  fc = new nn.Linear(8, 3);
  forward(x: Tensor): Tensor {
    for (const block of this.blocks) x = this.act.forward(block.forward(x));
    return this.fc.forward(this.drop.forward(x.maxPool2d(2).flatten(1)));
  }
}

/** A log that stops within a record. */
function cut(name: string, from: string, bytesLess: number): void {
  mkdirSync(at(name));
  const bytes = readFileSync(from);
  writeFileSync(at(name, "events.out.tfevents.1.cut"), bytes.subarray(0, bytes.length - bytesLess));
}

/** Kills a process that logs without end. */
async function killed(name: string): Promise<void> {
  const script = fileURLToPath(new URL("./loggingChild.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", script, at(name)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
}

function eventFile(...names: string[]): string {
  const files = readdirSync(at(...names)).filter((name) => name.startsWith("events.out.tfevents."));
  expect(files).toHaveLength(1);
  return at(...names, files[0] ?? "");
}

beforeAll(async () => {
  const writer = new SummaryWriter(at("all"), { formats: ["tensorboard", "csv", "jsonl"], filenameSuffix: ".end" });
  writer.addScalar("loss/train", 0.1, 5, { wallTime: 1000.25 });
  writer.addScalar("loss/train", tensor([[2]]), 6, { wallTime: 1001 });
  writer.addScalar('a "tag", with all', Number.NaN, -1, { wallTime: 1 });
  writer.addScalar("großer Wert", 1e300, 2 ** 40, { wallTime: 2 });
  writer.addScalars("both", { train: 1, test: tensor(2) }, 3, { wallTime: 4 });
  for (const [name, [bins, given]] of Object.entries(values)) {
    writer.addHistogram(name, tensor(given, { dtype: "float64" }), 0, bins === null ? {} : { bins });
  }
  writer.addHistogram("notFinite", tensor([1, Number.NaN, Infinity, 2, 1e30]), 0);
  writer.addHistogram("whole", tensor([1, 2], { dtype: "int32" }), 0);
  const changed = tensor([1, 1]);
  writer.addHistogram("copied", changed);
  changed.fill_(7);

  const grey = tensor([[[0, 1, 0.5]]]);
  writer.addImage("grey", grey, 7);
  writer.addImage("beyond", tensor([[[-1, 2, Number.NaN]]]));
  writer.addImage("bytes", tensor([[[0, 128, 255, 256]]], { dtype: "int32" }));
  writer.addImage("colours", tensor([[[1]], [[0.2]], [[0]]]));
  writer.addImage("rgba", tensor([[[1, 0.2, 0, 0.4]]]), 0, { dataFormats: "HWC" });
  writer.addImage(
    "plane",
    tensor([
      [0, 1, 0],
      [1, 0, 0],
    ]).narrow(1, 0, 2),
    0,
    { dataFormats: "HW" },
  );
  const ten = tensor(
    Float32Array.from({ length: 10 }, (_, k) => k / 255),
    { shape: [10, 1, 1, 1] },
  );
  writer.addImages("grid", ten);
  writer.addImages("gridLast", ten.permute([0, 2, 3, 1]), 0, { dataFormats: "NHWC" });
  writer.addText("note", "**bold**, ü", 2);
  graphModel = new Model();
  writer.addGraph(graphModel, rand([1, 1, 4, 4]));
  await writer.close();

  cut("cutSum", eventFile("all"), 2);
  cut("cutHead", eventFile("all", "both_train"), 30);
  await killed("killed");
  writeFileSync(at("values.json"), JSON.stringify(values));
  const script = fileURLToPath(new URL("./read.py", import.meta.url));
  const out = await new Promise<string>((resolve, reject) => {
    execFile("python3", [script, folder], { maxBuffer: 2 ** 28 }, (error, out, err) =>
      error ? reject(new Error(err)) : resolve(out),
    );
  });
  ({ runs, histograms } = JSON.parse(out));
});

const all = (): Run => runs.all as Run;

describe("TensorBoard reads", () => {
  test("scalars, with their steps and times", () => {
    expect(all().scalars).toEqual({
      "loss/train": [
        [1000.25, 5, Math.fround(0.1)],
        [1001, 6, 2],
      ],
      'a "tag", with all': [[1, -1, "nan"]],
      "großer Wert": [[2, 2 ** 40, "inf"]],
    });
  });

  test("several curves, each as a run", () => {
    expect(runs["all/both_train"]?.scalars).toEqual({ both: [[4, 3, 1]] });
    expect(runs["all/both_test"]?.scalars).toEqual({ both: [[4, 3, 2]] });
  });

  test.each(Object.keys(values))("the histogram of %s with the buckets that PyTorch makes", (name) => {
    const [got, wanted] = [all().histograms[name], histograms[name]];
    expect(got?.bucket).toEqual(wanted?.bucket);
    expect(got?.bucket_limit).toHaveLength(wanted?.bucket_limit.length ?? 0);
    got?.bucket_limit.forEach((limit, k) => {
      expect(limit).toBeCloseTo(wanted?.bucket_limit[k] ?? Number.NaN, 12);
    });
    for (const sum of ["min", "max", "num", "sum", "sum_squares"] as const) {
      const [own, theirs] = [got, wanted].map((found) => Number(found?.[sum as "min"]));
      expect(Math.abs((own ?? 0) - (theirs ?? 0))).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(theirs ?? 0)));
    }
  });

  test("a histogram of values that are not finite: they are in no bucket, but counted", () => {
    const { min, bucket, ...rest } = all().histograms.notFinite as Histogram;
    expect([min, rest]).toMatchObject(["nan", { max: "nan", num: 5, sum: "nan", sum_squares: "nan" }]);
    expect(bucket.reduce((sum, count) => sum + count, 0)).toBe(2);
  });

  test("histograms of whole numbers, and of tensors that were changed afterwards", () => {
    expect(all().histograms.whole).toMatchObject({ min: 1, max: 2, num: 2 });
    expect(all().histograms.copied).toMatchObject({ min: 1, max: 1 });
  });

  test.each<[string, unknown]>([
    ["grey", [[0, 255, 128]]],
    ["beyond", [[0, 255, 0]]],
    ["bytes", [[0, 128, 255, 255]]],
    ["colours", [[[255, 51, 0]]]],
    ["rgba", [[[255, 51, 0, 102]]]],
    [
      "plane",
      [
        [0, 255],
        [255, 0],
      ],
    ],
    [
      "grid",
      [
        [0, 1, 2, 3, 4, 5, 6, 7],
        [8, 9, 0, 0, 0, 0, 0, 0],
      ],
    ],
    [
      "gridLast",
      [
        [0, 1, 2, 3, 4, 5, 6, 7],
        [8, 9, 0, 0, 0, 0, 0, 0],
      ],
    ],
  ])("the picture %s", (name, pixels) => {
    const picture = all().images[name];
    expect(picture?.pixels).toEqual(pixels);
    const rows = pixels as unknown[][];
    expect([picture?.height, picture?.width]).toEqual([rows.length, rows[0]?.length]);
    if (name === "grey") expect(picture?.step).toBe(7);
  });

  test("texts", () => expect(all().texts).toEqual({ "note/text_summary": "**bold**, ü" }));

  test("the graph of a model: ops under the modules that ran them, joined as they ran", () => {
    expect(all().graph).toEqual([
      ["input", "input", [], [1, 1, 4, 4]],
      ["Model/blocks/0/weight", "parameter", [], [2, 1, 3, 3]],
      ["Model/blocks/0/bias", "parameter", [], [2]],
      ["Model/blocks/1/weight", "parameter", [], [2, 2, 3, 3]],
      ["Model/blocks/1/bias", "parameter", [], [2]],
      ["Model/fc/weight", "parameter", [], [3, 8]],
      ["Model/fc/bias", "parameter", [], [3]],
      ["Model/blocks/0/conv2d", "conv2d", ["input", "Model/blocks/0/weight", "Model/blocks/0/bias"], [1, 2, 4, 4]],
      ["Model/act/relu", "relu", ["Model/blocks/0/conv2d"], [1, 2, 4, 4]],
      [
        "Model/blocks/1/conv2d",
        "conv2d",
        ["Model/act/relu", "Model/blocks/1/weight", "Model/blocks/1/bias"],
        [1, 2, 4, 4],
      ],
      ["Model/act/relu_1", "relu", ["Model/blocks/1/conv2d"], [1, 2, 4, 4]],
      ["Model/maxPool2d", "maxPool2d", ["Model/act/relu_1"], [1, 2, 2, 2]],
      ["Model/view", "view", ["Model/maxPool2d"], [1, 8]],
      ["Model/fc/linear", "linear", ["Model/view", "Model/fc/weight", "Model/fc/bias"], [1, 3]],
      ["output", "output", ["Model/fc/linear"], [1, 3]],
    ]);
  });
});

describe("a log that ends suddenly", () => {
  test("is read up to its last whole record", () => {
    expect(runs.cutSum?.scalars).toEqual(all().scalars);
    // The graph was the last.
    expect([runs.cutSum?.graph, runs.cutSum?.texts]).toEqual([null, all().texts]);
    expect(runs.cutHead?.scalars).toEqual({});
  });

  test("of a killed process has all that was flushed", () => {
    const found = runs.killed?.scalars.loss ?? [];
    expect(found.length).toBeGreaterThanOrEqual(100);
    expect(found.map(([, step]) => step)).toEqual(found.map((_, k) => k));
    expect(found.map(([, , value]) => value)).toEqual(found.map((_, k) => Math.fround(1 / (k + 1))));
    const lines = readFileSync(at("killed", "events.jsonl"), "utf8").split("\n").slice(0, 100);
    expect(lines.map((line) => JSON.parse(line).step)).toEqual(lines.map((_, k) => k));
  });
});

describe("logs as text", () => {
  test("CSV has a row for each scalar", () => {
    expect(readFileSync(at("all", "scalars.csv"), "utf8")).toBe(
      "step,wall_time,tag,value\n" +
        "5,1000.25,loss/train,0.1\n" +
        "6,1001,loss/train,2\n" +
        '-1,1,"a ""tag"", with all",NaN\n' +
        `${2 ** 40},2,großer Wert,1e+300\n` +
        "3,4,both/train,1\n" +
        "3,4,both/test,2\n",
    );
  });

  test("JSON lines have all of it", () => {
    const lines = readFileSync(at("all", "events.jsonl"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines[0]).toEqual({ step: 5, wallTime: 1000.25, tag: "loss/train", kind: "scalar", value: 0.1 });
    expect(lines[2].value).toBe("NaN");
    expect(lines[5]).toEqual({ step: 3, wallTime: 4, tag: "both/test", kind: "scalar", value: 2 });
    const find = (tag: string) => lines.find((line) => line.tag === tag);
    expect(find("evenEnds")).toMatchObject({
      kind: "histogram",
      min: 0,
      max: 4,
      num: 6,
      sum: 14,
      sumSquares: 46,
      bucketLimits: [0, 1, 2, 3, 4],
      bucketCounts: [0, 1, 1, 1, 3],
    });
    expect(find("grey")).toMatchObject({
      kind: "image",
      step: 7,
      width: 3,
      height: 1,
      png: expect.stringMatching(/^iVBORw0KGgo/),
    });
    expect(find("note")).toMatchObject({ kind: "text", text: "**bold**, ü" });
    expect(find("graph").nodes).toHaveLength(15);
  });

  test("a second writer goes on with the files of the first, also where a line was cut short", async () => {
    for (const [step, torn] of [
      [0, ""],
      [1, '2,5,"lo'],
      [2, ""],
    ] as const) {
      const writer = new SummaryWriter(at("twice"), { formats: ["csv"] });
      writer.addScalar("loss", step, step, { wallTime: 9 });
      await writer.close();
      appendFileSync(at("twice", "scalars.csv"), torn);
    }
    expect(readFileSync(at("twice", "scalars.csv"), "utf8")).toBe(
      'step,wall_time,tag,value\n0,9,loss,0\n1,9,loss,1\n2,5,"lo\n2,9,loss,2\n',
    );
  });
});

test("two writers of one folder write to files of their own", async () => {
  const [one, two] = [new SummaryWriter(at("pair")), new SummaryWriter(at("pair"))];
  await Promise.all([one.close(), two.close()]);
  expect(readdirSync(at("pair"))).toHaveLength(2);
});

test("flush waits for all that was added, in order, also while it waits", async () => {
  await using writer = new SummaryWriter(at("order"), { formats: ["csv"] });
  writer.addScalar("slow", rand([1]), 0);
  const flushed = writer.flush();
  writer.addScalar("fast", 1, 1);
  await flushed;
  const rows = readFileSync(at("order", "scalars.csv"), "utf8").trimEnd().split("\n");
  expect(rows.map((row) => row.split(",")[0])).toEqual(["step", "0", "1"]);
});

test("addGraph leaves the model, its modes and memory as they were", async () => {
  await using writer = new SummaryWriter(at("graph"));
  const model = new nn.Sequential(new nn.Linear(2, 2), new nn.BatchNorm1d(2), new nn.Dropout()) as nn.Layer;
  model.modules()[2]?.eval();
  const [frozen] = model.parameters();
  frozen?.requiresGrad_(false);
  const input = rand([300, 2]);
  const modes = model.modules().map((module) => module.training);
  const [state] = [JSON.stringify(await Promise.all(model.buffers().map((buffer) => buffer.toArray())))];
  const before = await settledMemory();
  noGrad(() => writer.addGraph(model, [input]));
  expect(memoryStats().bytes).toBe(before.bytes);
  expect(model.modules().map((module) => module.training)).toEqual(modes);
  expect(JSON.stringify(await Promise.all(model.buffers().map((buffer) => buffer.toArray())))).toBe(state);
  expect([frozen?.requiresGrad, input.requiresGrad, isGradEnabled()]).toEqual([false, false, true]);
  expect(Object.keys(model)).not.toContain("forward");
});

describe("refuses", () => {
  const open = (): SummaryWriter => new SummaryWriter(at("refused"));
  const number = 3 as unknown as Tensor;

  test.each<[string, () => unknown, Error]>([
    [
      "a folder that is no path",
      () => new SummaryWriter(7 as unknown as string),
      new ArgumentError(
        'SummaryWriter: got 7 as logDir; expected the path of a folder. Pass one such as "runs/first".',
      ),
    ],
    [
      "a format that is not known",
      () => new SummaryWriter(at("x"), { formats: ["csv", "xml" as "csv"] }),
      new ArgumentError(
        'SummaryWriter: got formats ["csv", "xml"]; expected an array of at least one of "tensorboard", "csv", "jsonl". Correct formats.',
      ),
    ],
    [
      "no formats",
      () => new SummaryWriter(at("x"), { formats: [] }),
      new ArgumentError(
        'SummaryWriter: got formats []; expected an array of at least one of "tensorboard", "csv", "jsonl". Correct formats.',
      ),
    ],
    [
      "a format that is no array",
      () => new SummaryWriter(at("x"), { formats: "csv" as unknown as ["csv"] }),
      new ArgumentError(
        'SummaryWriter: got formats "csv"; expected an array of at least one of "tensorboard", "csv", "jsonl". Correct formats.',
      ),
    ],
    [
      "an option that is not known",
      () => new SummaryWriter(at("x"), { format: "csv" } as object),
      new ArgumentError(
        'SummaryWriter: got the option "format"; expected only formats, filenameSuffix. Correct its name, or leave it out.',
      ),
    ],
    [
      "a suffix that leads elsewhere",
      () => new SummaryWriter(at("x"), { filenameSuffix: "/.." }),
      new ArgumentError(
        'SummaryWriter: got filenameSuffix "/.."; expected the end of a file\'s name, without slashes. Correct it.',
      ),
    ],
    [
      "an empty tag",
      () => open().addScalar("", 1),
      new ArgumentError('addScalar: got "" as the tag; expected a name. Pass one such as "loss/train".'),
    ],
    [
      "a step that is no whole number",
      () => open().addScalar("loss", 1, 0.5),
      new ArgumentError("addScalar: got step 0.5; expected a whole number. Correct step."),
    ],
    [
      "a time that is none",
      () => open().addScalar("loss", 1, 0, { wallTime: Number.NaN }),
      new ArgumentError(
        "addScalar: got wallTime NaN; expected seconds since 1970. Pass Date.now() / 1000, or leave it out.",
      ),
    ],
    [
      "a value that is no number",
      () => open().addScalar("loss", "1" as unknown as number),
      new ArgumentError(
        'addScalar: got "1" as a value; expected a number or a tensor with one element. Convert it with Number(…).',
      ),
    ],
    [
      "several elements as a scalar",
      () => open().addScalar("loss", zeros([2, 3])),
      new ShapeError(
        "addScalar: got a tensor of shape [2, 3] with 6 elements; expected exactly one. Reduce it with .mean() or .sum().",
      ),
    ],
    [
      "several curves without names",
      () => open().addScalars("loss", {}),
      new ArgumentError(
        'addScalars: got no values by name for "loss"; expected an object such as { train: 0.5, test: 0.7 }. Use addScalar for a single value.',
      ),
    ],
    [
      "a histogram of a number",
      () => open().addHistogram("weights", number),
      new ArgumentError("addHistogram: got 3; expected a tensor. Make one with tensor(…)."),
    ],
    [
      "a histogram of nothing",
      () => open().addHistogram("weights", zeros([0, 2])),
      new ShapeError(
        "addHistogram: got a tensor of shape [0, 2] without elements; expected one element at least. Leave the call out.",
      ),
    ],
    [
      "no buckets",
      () => open().addHistogram("weights", zeros([2]), 0, { bins: 0 }),
      new ArgumentError("addHistogram: got bins 0; expected a whole number of 1 or more. Correct bins."),
    ],
    [
      "a picture of a batch",
      () => open().addImage("digit", zeros([8, 1, 28, 28])),
      new ShapeError(
        "addImage: got a tensor of shape [8, 1, 28, 28] as CHW; expected 3 axes without zeros, with 1 channel (grey), 3 (RGB) or 4 (RGBA). Reshape it, or name its axes in dataFormats.",
      ),
    ],
    [
      "channels that are no colours",
      () => open().addImages("maps", zeros([1, 16, 5, 5])),
      new ShapeError(
        "addImages: got a tensor of shape [1, 16, 5, 5] as NCHW; expected 4 axes without zeros, with 1 channel (grey), 3 (RGB) or 4 (RGBA). Reshape it, or name its axes in dataFormats.",
      ),
    ],
    [
      "an order of axes that is not known",
      () => open().addImage("digit", zeros([1, 2, 2]), 0, { dataFormats: "WHC" as "CHW" }),
      new ArgumentError(
        'addImage: got dataFormats "WHC"; expected one of "CHW", "HWC", "HW". Name the axes in their order.',
      ),
    ],
    [
      "a picture of bools",
      () => open().addImage("digit", zeros([1, 2, 2], { dtype: "bool" })),
      new DTypeError(
        "addImage: got a tensor of bool; expected fractions from 0 to 1, or int32 from 0 to 255. Cast it with .float().",
      ),
    ],
    [
      "a text that is none",
      () => open().addText("note", 5 as unknown as string),
      new ArgumentError("addText: got 5 as the text; expected a string. Convert it with String(…)."),
    ],
    [
      "a graph of no model",
      () => open().addGraph({} as nn.Module, zeros([1])),
      new ArgumentError(
        "addGraph: got something else as the model; expected a Module. Pass the model before its input.",
      ),
    ],
    [
      "a graph without input",
      () => open().addGraph(new nn.ReLU(), []),
      new ArgumentError(
        "addGraph: got inputs that are not tensors; expected what forward takes. Pass a tensor, or several in an array.",
      ),
    ],
    [
      "pictures where only numbers are written",
      () => new SummaryWriter(at("x"), { formats: ["csv"] }).addImage("digit", zeros([1, 2, 2])),
      new ArgumentError(
        'addImage: got formats ["csv"], which hold nothing but scalars; expected "tensorboard" or "jsonl" beside it. Add one of them to the formats.',
      ),
    ],
  ])("%s", (_, call, error) => {
    expect(call).toThrow(error);
  });

  test("entries after close", async () => {
    const writer = open();
    await writer.close();
    expect(() => writer.addScalar("loss", 1)).toThrow(
      new ArgumentError(
        "addScalar: got an entry for a log that is closed; expected an open one. Close it after the last entry, or make a new SummaryWriter.",
      ),
    );
    await writer.close();
  });

  test("a folder that cannot be written: at the next call", async () => {
    writeFileSync(at("file"), "");
    const writer = new SummaryWriter(at("file", "log"));
    writer.addScalar("loss", 1);
    const error = await failure(writer.flush());
    expect(error).toBeInstanceOf(FileError);
    expect(error.message).toBe(
      `SummaryWriter: got ENOTDIR: not a directory, mkdir '${at("file", "log")}'; expected to write to ${at("file", "log")}. Choose a folder that can be written.`,
    );
    expect(() => writer.addScalar("loss", 1)).toThrow(error);
    expect(await failure(writer.close())).toBe(error);
  });

  test("a tensor that was given back", () => {
    const gone = zeros([2000]);
    gone.dispose();
    expect(() => open().addHistogram("weights", gone)).toThrow(/given back by dispose\(\)/);
  });
});
