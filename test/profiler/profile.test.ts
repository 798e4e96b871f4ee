import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ArgumentError,
  FileError,
  manualSeed,
  memoryStats,
  nn,
  noGrad,
  ones,
  optim,
  type Profile,
  profile,
  randn,
  resetPeakMemory,
  Tensor,
  tensor,
} from "tapegrad";
import { describe, expect, it } from "vitest";
import { chromeTrace } from "../../src/profiler/chromeTrace.js";
import { Recorder } from "../../src/profiler/recorder.js";
import { kernelsFor } from "../../src/tensor/device.js";
import { opWatch } from "../../src/tensor/opWatch.js";
import { settledMemory } from "../support/collectGarbage.js";

class Net extends nn.Module {
  conv1 = new nn.Conv2d(1, 4, 3, { padding: 1 });
  conv2 = new nn.Conv2d(4, 8, 3, { padding: 1, bias: false });
  fc = new nn.Linear(8 * 4, 3);
  forward(x: Tensor): Tensor {
    x = this.conv1.forward(x).relu().maxPool2d(2);
    x = this.conv2.forward(x).relu().maxPool2d(2);
    return this.fc.forward(x.flatten(1));
  }
}

manualSeed(3);
const model = new Net();
const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
const images = randn([16, 1, 8, 8]);
const labels = tensor(
  Array.from({ length: 16 }, (_, i) => i % 3),
  { dtype: "int32" },
);

function step(): Tensor {
  optimizer.zeroGrad();
  const loss = nn.functional.crossEntropy(model.forward(images), labels);
  loss.backward();
  optimizer.step();
  return loss;
}

const rowOf = (result: Profile, name: string): Profile["rows"][number] | undefined =>
  result.rows.find((row) => row.name === name);
const counts = (result: Profile, ...names: string[]): (number | undefined)[] =>
  names.map((name) => rowOf(result, name)?.count);

describe("a step of a small network", () => {
  it("counts ops forward and backward, modules and the optimizer", async () => {
    const result = await profile(step);
    const expected: Record<string, number> = {
      conv2d: 2,
      relu: 2,
      maxPool2d: 2,
      linear: 1,
      logSoftmax: 1,
      gather: 1,
      conv2dBackward: 2,
      conv2dGrads: 1,
      conv2dWeightGrad: 1,
      reluBackward: 2,
      reluGrad: 2,
      maxPool2dBackward: 2,
      maxPool2dGrad: 2,
      linearBackward: 1,
      logSoftmaxBackward: 1,
      sgdStep: 5,
      "SGD.step": 1,
      Net: 1,
      "Net.conv1": 1,
      "Net.conv2": 1,
      "Net.fc": 1,
    };
    const found = Object.fromEntries(Object.keys(expected).map((name) => [name, rowOf(result, name)?.count]));
    expect(found).toEqual(expected);
    expect([rowOf(result, "conv2d")?.kind, rowOf(result, "conv2dBackward")?.kind]).toEqual(["op", "backward"]);
    expect([rowOf(result, "Net.fc")?.kind, rowOf(result, "SGD.step")?.kind]).toEqual(["module", "step"]);
    expect(result.gpuTimes).toBe("none");
  });

  it("times fit into the wall time, and what is inside into what is around", async () => {
    const result = await profile(step);
    const self = result.rows.reduce((sum, row) => sum + row.selfTime, 0);
    expect(self).toBeGreaterThan(0);
    expect(self).toBeLessThanOrEqual(result.wallTime);
    for (const row of result.rows) {
      expect(row.selfTime).toBeGreaterThanOrEqual(0);
      expect(row.selfTime).toBeLessThanOrEqual(row.totalTime + 1e-9);
      expect(row.deviceTime).toBe(null);
    }
    const parts = ["Net.conv1", "Net.conv2", "Net.fc"].reduce(
      (sum, name) => sum + (rowOf(result, name)?.totalTime ?? 0),
      0,
    );
    expect(rowOf(result, "Net")?.totalTime).toBeGreaterThan(parts);
  });

  it("bytes are those of memoryStats", async () => {
    await settledMemory();
    const seen: number[] = [];
    const result = await profile(() => {
      seen.push(memoryStats().bytes);
      resetPeakMemory();
      step();
      seen.push(memoryStats().bytes, memoryStats().peakBytes);
    });
    const [before = 0, after, peak] = seen;
    expect(before + result.bytesAllocated - result.bytesFreed).toBe(after);
    expect(result.peakBytes).toBe(peak);
    const rows = result.rows.reduce((sum, row) => sum + row.bytesAllocated, 0);
    expect(rows).toBe(result.bytesAllocated);
    // Two outputs of float32: [16, 4, 8, 8] and [16, 8, 4, 4].
    expect(rowOf(result, "conv2d")?.bytesAllocated).toBe(4 * 16 * (4 * 64 + 8 * 16));
    // relu reads and writes each once.
    expect(rowOf(result, "relu")?.bytesMoved).toBe(2 * 4 * 16 * (4 * 64 + 8 * 16));
  });

  it("changes no result", async () => {
    const start = Object.fromEntries(Object.entries(model.stateDict()).map(([name, value]) => [name, value.clone()]));
    const plain = step().itemSync();
    model.loadStateDict(start);
    let measured = Number.NaN;
    await profile(() => {
      measured = step().itemSync();
    });
    expect(measured).toBe(plain);
  });
});

describe("single ops", () => {
  const a = randn([8]);
  const b = ones([8]);

  it("one after the other, recorded or not, or in place, count right", async () => {
    const run = (): void => {
      a.gt(0);
      a.gt(b);
      const c = a.add(b);
      c.add_(b).mul_(2);
      c.mul_(3);
      a.cumsum(0);
      a.clone().view([2, 4]);
    };
    const names = ["gt", "add", "add_", "mul_", "cumsum", "clone", "view"];
    const expected = [2, 1, 1, 2, 1, 1, 1];
    expect(counts(await profile(run), ...names)).toEqual(expected);
    expect(counts(await profile(() => noGrad(run)), ...names)).toEqual(expected);
  });

  it("reads are rows, too, with the bytes that they move", async () => {
    const result = await profile(async () => {
      await a.data();
      a.dataSync();
    });
    expect(rowOf(result, "read")).toMatchObject({ count: 2, bytesMoved: 64 });
  });

  it("gradients are apart from the ops that they call", async () => {
    const x = randn([4, 4]).requiresGrad_();
    const result = await profile(() => x.matmul(x).sum().backward());
    expect(counts(result, "matmul", "matmulBackward", "sumBackward")).toEqual([3, 1, 1]);
    const back = rowOf(result, "matmulBackward");
    expect(back?.totalTime).toBeGreaterThan(back?.selfTime ?? 0);
  });
});

describe("what is measured is left as it was", () => {
  const kernels = kernelsFor("cpu");
  const state = (): unknown[] => [
    kernels.matmul,
    kernels.alloc,
    kernels.readSync,
    Tensor.allocate,
    optim.SGD.prototype.step,
    Object.hasOwn(model.conv1, "forward"),
    opWatch.ended,
  ];

  it("after success, asynchronous or not, and after failure", async () => {
    const before = state();
    let during: unknown[] = [];
    await profile(async () => {
      await Promise.resolve();
      during = state();
      step();
    });
    expect(state()).toEqual(before);
    during.forEach((each, index) => {
      expect(each).not.toBe(before[index]);
    }, 4);
    const failure = new Error("mine");
    await expect(
      profile(() => {
        step();
        throw failure;
      }),
    ).rejects.toBe(failure);
    expect(state()).toEqual(before);
    await expect(profile(() => Promise.reject(failure))).rejects.toBe(failure);
    expect(state()).toEqual(before);
    expect(counts(await profile(step), "conv2d")).toEqual([2]);
  });

  it("an op that fails is no harm", async () => {
    const result = await profile(() => {
      expect(() => model.forward(ones([2, 3]))).toThrow();
      step();
    });
    expect(counts(result, "conv2d", "Net", "Net.conv1")).toEqual([2, 2, 2]);
  });

  it("hooks that are added meanwhile stay", async () => {
    const layer = new nn.Linear(2, 2);
    let calls = 0;
    await profile(() => {
      layer.registerForwardHook(() => {
        calls++;
      });
    });
    layer.forward(ones([1, 2]));
    expect(calls).toBe(1);
  });
});

describe("mistakes", () => {
  it("one at a time, and a function", async () => {
    let inner: Promise<unknown> = Promise.resolve();
    await profile(async () => {
      inner = profile(step);
      await expect(inner).rejects.toThrow(
        new ArgumentError(
          "profile: got a call while another one measures; expected one at a time. Await the one before, and profile only the outer function.",
        ),
      );
    });
    await expect(profile(3 as unknown as () => void)).rejects.toThrow(
      new ArgumentError("profile: got 3; expected a function. Pass what to measure: profile(() => …)."),
    );
  });

  it("in settings of the table", async () => {
    const result = await profile(step);
    const column = "time" as "name";
    expect(() => result.table({ sortBy: column })).toThrow(
      new ArgumentError(
        'table: got sortBy "time"; expected one of name, count, selfTime, totalTime, deviceTime, bytesAllocated, bytesMoved. Correct its name, or leave it out.',
      ),
    );
    expect(() => result.table({ rowLimit: 0 })).toThrow(
      new ArgumentError("table: got rowLimit 0; expected a whole number from 1 on. Leave it out for 100."),
    );
  });
});

describe("the table", () => {
  it("is sorted, fits into 100 columns, and ends with the sum", async () => {
    const result = await profile(step);
    const lines = result.table({ sortBy: "count", rowLimit: 5 }).split("\n");
    expect(lines[0]).toMatch(/^Name +Calls +Self +Self % +Total +Allocated +Moved$/);
    expect(lines).toHaveLength(2 + 5 + 1 + 1);
    expect(lines[7]).toBe(`… and ${result.rows.length - 5} more`);
    const numbers = lines.slice(2, 7).map((line) => Number(line.slice(38).trim().split(/\s+/)[0]));
    expect(numbers).toEqual(numbers.toSorted((x, y) => y - x));
    for (const line of String(result).split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    expect(String(result)).toBe(result.table({ sortBy: "selfTime" }));
    const names = result.table({ sortBy: "name" }).split("\n");
    expect(names[2]).toMatch(/^Net /);
  });
});

interface Event {
  readonly ph: string;
  readonly name: string;
  readonly cat?: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
  readonly args: Readonly<Record<string, number>>;
}

describe("the trace", () => {
  it("is complete events that nest, and counters", async () => {
    const result = await profile(step);
    const { traceEvents } = JSON.parse(result.chromeTrace()) as { traceEvents: Event[] };
    const complete = traceEvents.filter(({ ph }) => ph === "X");
    expect(new Set(traceEvents.map(({ ph }) => ph))).toEqual(new Set(["M", "X", "C"]));
    for (const { name, pid, tid, ts, dur } of complete) {
      expect(typeof name).toBe("string");
      expect([pid, tid]).toEqual([1, 1]);
      expect(ts).toBeGreaterThanOrEqual(0);
      expect(dur).toBeGreaterThanOrEqual(0);
    }
    // The viewers' rule: events of a thread lie in one another, or apart, to the last digit.
    const open: Event[] = [];
    const around = new Map<string, Set<string>>();
    for (const event of complete.toSorted((a, b) => a.ts - b.ts || b.dur - a.dur)) {
      while (open.length > 0 && (open.at(-1)?.ts ?? 0) + (open.at(-1)?.dur ?? 0) <= event.ts) open.pop();
      const outer = open.at(-1);
      if (outer !== undefined) expect(event.ts + event.dur).toBeLessThanOrEqual(outer.ts + outer.dur);
      const parents = around.get(`${event.cat} ${event.name}`) ?? new Set();
      around.set(`${event.cat} ${event.name}`, parents.add(`${outer?.cat} ${outer?.name}`));
      open.push(event);
    }
    expect(around.get("kernel conv2d")).toEqual(new Set(["op conv2d"]));
    expect(around.get("op conv2d")).toEqual(new Set(["module Net.conv1", "module Net.conv2"]));
    expect(around.get("module Net.fc")).toEqual(new Set(["module Net"]));
    expect(around.get("op conv2dWeightGrad")).toEqual(new Set(["backward conv2dBackward"]));
    expect(around.get("op sgdStep")).toEqual(new Set(["step SGD.step"]));
    const memory = traceEvents.filter(({ ph }) => ph === "C").map(({ args }) => args.bytes ?? 0);
    expect(Math.max(...memory)).toBe(result.peakBytes);
  });

  it("draws kernels that ran at the same time on a device one behind the other", () => {
    const recorder = new Recorder(0);
    const launch = (name: string, begin: bigint, end: bigint): void => {
      recorder.deviceSpans.push({ name, op: null, launched: 2, begin, end });
    };
    launch("last", 9000n, 9125n);
    launch("first", 1000n, 3000n);
    launch("inside", 1500n, 2500n);
    launch("over its end", 2000n, 4000n);
    const { traceEvents } = JSON.parse(chromeTrace(recorder)) as { traceEvents: Event[] };
    expect(traceEvents.filter(({ ph }) => ph === "X").map(({ name, tid, ts, dur }) => [name, tid, ts, dur])).toEqual([
      ["first", 2, 2000, 2],
      ["inside", 2, 2002, 0],
      ["over its end", 2, 2002, 1],
      ["last", 2, 2008, 0.125],
    ]);
  });

  it("goes into a file", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tapegrad-profile-"));
    try {
      const result = await profile(step);
      const path = join(folder, "trace.json");
      await result.exportChromeTrace(path);
      expect(readFileSync(path, "utf8")).toBe(result.chromeTrace());
      await expect(result.exportChromeTrace(join(folder, "none", "trace.json"))).rejects.toThrow(FileError);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
