/** Damaged files: a typed error or a correct load, and nothing else. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  checkpointToBlob,
  DataFormatError,
  data,
  load,
  loadCheckpoint,
  manualSeed,
  memoryStats,
  nn,
  optim,
  saveToBlob,
  TapegradError,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { decodeTree, encodeTree } from "../../src/io/checkpointTree.js";
import { crc32 } from "../../src/io/checksums.js";
import { settledMemory } from "../support/collectGarbage.js";
import { Damage, joined } from "./damage.js";

/** Cases for each of two ways of damaging a format. */
const CASES = 50_000;

// Nearly every case makes an error, and most of the time would go into its stack.
Error.stackTraceLimit = 0;

interface Count {
  refused: number;
  loaded: number;
}

/** Makes and loads `cases` files; what loads is checked, what does not must say so with an error of this library. */
async function fuzz<T>(
  cases: number,
  make: (index: number) => Uint8Array,
  loadOne: (bytes: Uint8Array) => Promise<T>,
  check: (loaded: T, bytes: Uint8Array) => void,
): Promise<Count> {
  const count: Count = { refused: 0, loaded: 0 };
  const before = await settledMemory();
  for (let index = 0; index < cases; index++) {
    const bytes = make(index);
    try {
      const loaded = await loadOne(bytes);
      check(loaded, bytes);
      count.loaded++;
    } catch (error) {
      if (!(error instanceof TapegradError)) {
        throw new Error(`case ${index}: ${Buffer.from(bytes).toString("base64")}`, { cause: error });
      }
      count.refused++;
    }
  }
  expect(memoryStats().tensors).toBe(before.tensors);
  return count;
}

function disposeAll(state: Readonly<Record<string, Tensor>>): void {
  for (const value of Object.values(state)) value.dispose();
}

const dense = {
  weight: tensor([
    [1.5, 2],
    [3, 4],
  ]),
  count: tensor([7], { dtype: "int32" }),
  mask: tensor([true, false]),
};

/** The numbers of a tensor by the plainest reading of its bytes. */
const readers: Readonly<Record<string, readonly [bytes: number, read: (view: DataView, at: number) => number]>> = {
  F64: [8, (view, at) => view.getFloat64(at, true)],
  F32: [4, (view, at) => view.getFloat32(at, true)],
  F16: [2, (view, at) => half(view.getUint16(at, true))],
  BF16: [2, (view, at) => bfloat(view.getUint16(at, true))],
  I64: [8, (view, at) => Number(view.getBigInt64(at, true))],
  I32: [4, (view, at) => view.getInt32(at, true)],
  I16: [2, (view, at) => view.getInt16(at, true)],
  I8: [1, (view, at) => view.getInt8(at)],
  U64: [8, (view, at) => Number(view.getBigUint64(at, true))],
  U32: [4, (view, at) => view.getUint32(at, true)],
  U16: [2, (view, at) => view.getUint16(at, true)],
  U8: [1, (view, at) => view.getUint8(at)],
  BOOL: [1, (view, at) => view.getUint8(at)],
};

function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

function bfloat(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, bits << 16);
  return view.getFloat32(0);
}

/** Compares what was loaded with the plainest reading of the file. */
function checkSafetensors(state: Readonly<Record<string, Tensor>>, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const start = 8 + Number(view.getBigUint64(0, true));
  const { __metadata__: _, ...header } = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
  let total = 0;
  const wrong: string[] = [];
  if (Object.keys(header).sort().join() !== Object.keys(state).sort().join()) wrong.push("names");
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries<{
    dtype: string;
    shape: number[];
    data_offsets: [number, number];
  }>(header)) {
    const [size, read] = readers[dtype] ?? expect.fail(`${dtype} was loaded`);
    const values = state[name]?.dataSync() ?? [];
    total += offsets[1] - offsets[0];
    if (state[name]?.shape.join() !== shape.join()) wrong.push(`shape of ${name}`);
    if (values.length * size !== offsets[1] - offsets[0]) wrong.push(`size of ${name}`);
    values.forEach((value, i) => {
      if (!Object.is(value, read(view, start + offsets[0] + i * size))) wrong.push(`${name}[${i}]`);
    });
  }
  if (total !== bytes.length - start) wrong.push("bytes that are in no tensor");
  if (wrong.length > 0) expect.fail(`loaded wrongly: ${wrong.join(", ")}`);
  disposeAll(state);
}

describe("safetensors", () => {
  test("damaged bytes", async () => {
    const whole = new Uint8Array(await (await saveToBlob(dense, { metadata: { epoch: "3" } })).arrayBuffer());
    const damage = new Damage(1);
    const count = await fuzz(CASES, () => damage.bytes(whole), load, checkSafetensors);
    expect(count.loaded).toBeGreaterThan(CASES / 50);
    expect(count.refused).toBeGreaterThan(CASES / 2);
  });

  test("damaged headers", async () => {
    const damage = new Damage(2);
    const header = {
      __metadata__: { a: "b" },
      a: { dtype: "F32", shape: [2, 1], data_offsets: [0, 8] },
      b: { dtype: "I64", shape: [1], data_offsets: [8, 16] },
      c: { dtype: "BF16", shape: [2], data_offsets: [16, 20] },
      d: { dtype: "BOOL", shape: [], data_offsets: [20, 21] },
    };
    const make = (): Uint8Array => {
      const text = new TextEncoder().encode(JSON.stringify(damage.json(header)) ?? "");
      const bytes = new Uint8Array(8 + text.length + 21);
      new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
      bytes.set(text, 8);
      return bytes;
    };
    const count = await fuzz(CASES, make, load, checkSafetensors);
    expect(count.loaded).toBeGreaterThan(CASES / 200);
    expect(count.refused).toBeGreaterThan(CASES / 2);
  });
});

describe("files of torch.save", () => {
  const whole = new Uint8Array(readFileSync(new URL("./tiny.pt", import.meta.url)));
  const loadModel = (bytes: Uint8Array) => load(bytes, { key: "model" });
  const values = {
    a: [1, 4, 2, 5, 3, 6],
    b: [2, 3],
    n: [5, -6],
    m: [1, 0],
  };

  test("damaged archives", async () => {
    const damage = new Damage(3);
    const check = (state: Readonly<Record<string, Tensor>>): void => {
      // Sums guard all that is read: what loads is what was saved.
      const loaded = Object.fromEntries(Object.entries(state).map(([name, value]) => [name, [...value.dataSync()]]));
      if (JSON.stringify(loaded) !== JSON.stringify(values)) expect.fail(`loaded ${JSON.stringify(loaded)}`);
      disposeAll(state);
    };
    const count = await fuzz(CASES, () => damage.bytes(whole), loadModel, check);
    expect(count.loaded).toBeGreaterThan(CASES / 50);
    expect(count.refused).toBeGreaterThan(CASES / 2);
  });

  test("damaged pickles in whole archives", async () => {
    const damage = new Damage(4);
    const parts = filesIn(whole);
    const pickle = parts.get("tiny/data.pkl") ?? expect.fail("no pickle");
    const make = (): Uint8Array => zip(new Map([...parts, ["tiny/data.pkl", damage.bytes(pickle)]]));
    const known = new Set([1, 2, 3, 4, 5, 6, -6, 0]);
    const check = (state: Readonly<Record<string, Tensor>>): void => {
      for (const [name, value] of Object.entries(state)) {
        const wrong = value.numel() < 1000 ? value.dataSync().find((element) => !known.has(element)) : undefined;
        if (wrong !== undefined) expect.fail(`${name} holds ${wrong}, which is in no storage`);
      }
      disposeAll(state);
    };
    const count = await fuzz(CASES, make, loadModel, check);
    expect(count.loaded).toBeGreaterThan(CASES / 100);
    expect(count.refused).toBeGreaterThan(CASES / 2);
    expect(zip(parts).length).toBeGreaterThan(0);
    check(await loadModel(zip(parts)));
  });

  test("storages that are longer or shorter than their files", async () => {
    const parts = filesIn(whole);
    const pickle = parts.get("tiny/data.pkl") ?? expect.fail("no pickle");
    // The first storage: "cpu" and its length, 6, as BININT1.
    const at = Buffer.from(pickle).indexOf(Buffer.from("cpu")) + 3;
    const place = pickle.indexOf(0x4b, at) + 1;
    expect(pickle[place]).toBe(6);
    for (const length of [5, 7, 200]) {
      const changed = pickle.with(place, length);
      await expect(loadModel(zip(new Map([...parts, ["tiny/data.pkl", changed]])))).rejects.toThrow(
        length < 6
          ? "load: got a tensor of shape [3, 2] with strides [1, 3] at 0 in the bytes; expected one within its storage of 5 elements."
          : `load: got storage "0" of 24 bytes in the bytes; expected ${4 * length}.`,
      );
    }
  });

  test("instructions at random", async () => {
    const damage = new Damage(5);
    const parts = filesIn(whole);
    const opcodes = [..."().NKMJGXc}]aesutqrhjQRb"].map((letter) => letter.charCodeAt(0));
    opcodes.push(0x80, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x93, 0x94, 0x95);
    const make = (): Uint8Array => {
      const length = 1 + damage.below(60);
      const bytes = Uint8Array.from({ length }, () => (damage.below(3) === 0 ? damage.below(4) : damage.pick(opcodes)));
      return zip(new Map([...parts, ["tiny/data.pkl", bytes]]));
    };
    const count = await fuzz(CASES / 5, make, load, disposeAll);
    expect(count.refused).toBeGreaterThan(CASES / 6);
  });
});

describe("checkpoints", () => {
  test("damaged trees", () => {
    const tensors = new Map<string, Tensor>();
    const value = { a: [1, Number.NaN, 5n, null], b: { c: tensor([1]), d: "x", e: { f: -0 } }, g: tensor([2]) };
    const json = encodeTree("here", value, "run", tensors);
    const byName = Object.fromEntries(tensors);
    expect(decodeTree(JSON.parse(JSON.stringify(json)), byName, "file")).toEqual(value);
    const damage = new Damage(7);
    let refused = 0;
    for (let index = 0; index < 2 * CASES; index++) {
      const damaged = damage.json(json) ?? null;
      try {
        // Whatever comes out is data that could have been saved.
        encodeTree("here", decodeTree(damaged, byName, "file"), "run", new Map());
      } catch (error) {
        if (!(error instanceof DataFormatError)) throw new Error(JSON.stringify(damaged), { cause: error });
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(CASES / 2);
    expect(refused).toBeLessThan(2 * CASES);
  });

  test("damaged contents", async () => {
    manualSeed(0);
    const model = new nn.Sequential(new nn.Linear(1, 1), new nn.BatchNorm1d(1));
    const optimizer = new optim.Adam(model.parameters());
    model
      .forward(tensor([[1], [2]]))
      .sum()
      .backward();
    optimizer.step();
    optimizer.zeroGrad();
    const loader = new data.DataLoader({ length: 4, get: (index) => index }, { shuffle: true });
    const run = { model, optimizer, loader, epoch: 3, best: Infinity, notes: ["a"] };
    const blob = await checkpointToBlob(run);
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const start = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
    const saved = JSON.parse(header.__metadata__["tapegrad.contents"]);
    const generator = JSON.stringify(saved.defaultGenerator);
    const damage = new Damage(6);
    const make = (): Uint8Array => {
      const contents = JSON.stringify(damage.json(saved.contents));
      const rest = damage.below(20) === 0 ? JSON.stringify(damage.json(saved.defaultGenerator)) : generator;
      header.__metadata__["tapegrad.contents"] = `{"contents":${contents},"defaultGenerator":${rest}}`;
      const text = new TextEncoder().encode(JSON.stringify(header));
      const length = new Uint8Array(8);
      new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
      return joined(length, text, bytes.subarray(start));
    };
    let loaded = 0;
    let refused = 0;
    for (let index = 0; index < CASES / 10; index++) {
      const damaged = make();
      // Tensors that nobody holds are given back between tasks.
      if (index % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      try {
        const { epoch, best, notes } = await loadCheckpoint(damaged, {
          model,
          optimizer,
          loader,
          epoch: 0,
          best: 0,
          notes: [""],
        });
        if (typeof (epoch ?? 0) !== "number" || typeof (best ?? 0) !== "number" || !Array.isArray(notes ?? [])) {
          expect.fail(`case ${index} gave ${JSON.stringify({ epoch, best, notes })}`);
        }
        loaded++;
      } catch (error) {
        if (!(error instanceof TapegradError))
          throw new Error(`case ${index}: ${Buffer.from(damaged)}`, { cause: error });
        refused++;
      }
    }
    expect(loaded).toBeGreaterThan(CASES / 1000);
    expect(refused).toBeGreaterThan(CASES / 40);
    expect(await loadCheckpoint(bytes, run)).toEqual({ epoch: 3, best: Infinity, notes: ["a"] });
    await expect(loadCheckpoint(bytes.subarray(0, -1), run)).rejects.toThrow(DataFormatError);
  });
});

/** The files of an archive without anything odd. */
function filesIn(bytes: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const files = new Map<string, Uint8Array>();
  let at = view.getUint32(bytes.length - 6, true);
  while (view.getUint32(at, true) === 0x02014b50) {
    const [size, nameLength, extra] = [
      view.getUint32(at + 24, true),
      view.getUint16(at + 28, true),
      view.getUint16(at + 30, true),
    ];
    const header = view.getUint32(at + 42, true);
    const start = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
    files.set(
      new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength)),
      bytes.slice(start, start + size),
    );
    at += 46 + nameLength + extra;
  }
  return files;
}

/** The plainest archive of files. */
function zip(files: ReadonlyMap<string, Uint8Array>): Uint8Array<ArrayBuffer> {
  const locals: Uint8Array[] = [];
  const centrals: Uint8Array[] = [];
  let at = 0;
  for (const [name, content] of files) {
    const nameBytes = new TextEncoder().encode(name);
    const local = new DataView(new ArrayBuffer(30));
    local.setUint32(0, 0x04034b50, true);
    local.setUint16(26, nameBytes.length, true);
    const central = new DataView(new ArrayBuffer(46));
    central.setUint32(0, 0x02014b50, true);
    central.setUint32(16, crc32(content), true);
    central.setUint32(20, content.length, true);
    central.setUint32(24, content.length, true);
    central.setUint16(28, nameBytes.length, true);
    central.setUint32(42, at, true);
    locals.push(new Uint8Array(local.buffer), nameBytes, content);
    centrals.push(new Uint8Array(central.buffer), nameBytes);
    at += 30 + nameBytes.length + content.length;
  }
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, files.size, true);
  end.setUint16(10, files.size, true);
  end.setUint32(
    12,
    centrals.reduce((sum, part) => sum + part.length, 0),
    true,
  );
  end.setUint32(16, at, true);
  return joined(...locals, ...centrals, new Uint8Array(end.buffer));
}
