import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import {
  ArgumentError,
  DataFormatError,
  FileError,
  load,
  loadMetadata,
  memoryStats,
  nn,
  ReleasedTensorError,
  randn,
  save,
  saveToBlob,
  TapegradError,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.js";
import { settledMemory } from "../support/collectGarbage.js";
import { failure } from "./support.js";

const folder = mkdtempSync(join(tmpdir(), "tapegrad-safetensors-"));
const path = join(folder, "model.safetensors");
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => rmSync(path, { force: true }));

/** A file with this header, which may be text or JSON, and so many bytes of data. */
function file(header: unknown, dataBytes = 0, length?: number): Uint8Array<ArrayBuffer> {
  const text =
    header instanceof Uint8Array
      ? header
      : new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length ?? text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const entry = (begin: number, end: number, shape = [(end - begin) / 4]) => ({
  dtype: "F32",
  shape,
  data_offsets: [begin, end],
});

describe("a round trip", () => {
  const state = {
    weight: tensor([
      [1.5, -0],
      [Number.NaN, Infinity],
    ]),
    wide: tensor([[0.1, 1 / 3]], { dtype: "float64" }),
    count: tensor(3, { dtype: "int32" }),
    mask: tensor([true, false, true]),
    empty: zeros([0, 3]),
    column: tensor([
      [1, 2],
      [3, 4],
    ]).select(1, 1),
    spread: tensor([1, 2]).expand([3, 2]),
    __proto__x: tensor([1]),
    ["__proto__"]: tensor([2]),
    'quote " and \n, größe, \u{1f600}': tensor([4]),
  };

  test.each([
    ["a path", async () => path],
    ["a file: URL", async () => pathToFileURL(path)],
    ["a text that is one", async () => pathToFileURL(path).href],
    ["a blob", async () => new Blob([readFileSync(path)])],
    ["an ArrayBuffer", async () => Uint8Array.from(readFileSync(path)).buffer],
    ["bytes inside a larger buffer", async () => readFileSync(path)],
    ["a data: URL", async () => `data:;base64,${readFileSync(path).toString("base64")}`],
  ] as const)("through %s keeps names, order, dtypes, shapes and bits", async (_, source) => {
    await save(path, state, { metadata: { made: "here" } });
    const loaded = await load(await source());
    expect(Object.keys(loaded)).toEqual(Object.keys(state));
    for (const [name, value] of Object.entries(state)) {
      const own = loaded[name] as Tensor;
      expect([name, own.dtype, own.shape, own.requiresGrad]).toEqual([name, value.dtype, value.shape, false]);
      expect(new Uint8Array(own.dataSync().buffer)).toEqual(new Uint8Array(value.dataSync().buffer));
    }
    expect(await loadMetadata(await source())).toEqual({ made: "here" });
  });

  test("of a blob gives the bytes of the file", async () => {
    await save(path, state);
    expect(new Uint8Array(await (await saveToBlob(state)).arrayBuffer())).toEqual(new Uint8Array(readFileSync(path)));
  });

  test("of an empty dictionary, and of tensors larger than a piece", async () => {
    await save(path, {});
    expect(await load(path)).toEqual({});
    const large = { a: randn([1100, 1000]), odd: randn([3, 7]), b: randn([2_000_003]).narrow(0, 1, 2_000_001) };
    await save(path, large);
    const loaded = await load(path);
    for (const [name, value] of Object.entries(large)) expect(await loaded[name]?.ne(value).sum().item()).toBe(0);
  });

  test("puts wide elements first, on multiples of their size, and leaves nothing beside the file", async () => {
    await save(path, { mask: tensor([true]), wide: tensor([1], { dtype: "float64" }), narrow: tensor([1]) });
    const bytes = readFileSync(path);
    const length = Number(bytes.readBigUInt64LE(0));
    expect(length % 8).toBe(0);
    expect(JSON.parse(bytes.subarray(8, 8 + length).toString())).toEqual({
      mask: { dtype: "BOOL", shape: [1], data_offsets: [12, 13] },
      wide: { dtype: "F64", shape: [1], data_offsets: [0, 8] },
      narrow: { dtype: "F32", shape: [1], data_offsets: [8, 12] },
    });
    expect(readdirSync(folder)).toEqual(["model.safetensors"]);
  });

  test("writes through a link, and clears away what a killed process left", async () => {
    mkdirSync(join(folder, "real"), { recursive: true });
    const real = join(folder, "real", "x");
    writeFileSync(real, "old");
    writeFileSync(join(folder, "real", "x.part"), "left");
    const link = join(folder, "link");
    symlinkSync(real, link);
    await save(link, { a: tensor([1]) });
    expect(Object.keys(await load(real))).toEqual(["a"]);
    expect(Object.keys(await load(link))).toEqual(["a"]);
    expect(readdirSync(join(folder, "real"))).toEqual(["x"]);
    rmSync(link);
    rmSync(join(folder, "real"), { recursive: true });
  });
});

describe("an address", () => {
  const servers: Server[] = [];
  afterAll(() => {
    for (const server of servers) server.close();
  });

  test("is fetched", async () => {
    await save(path, { a: tensor([1, 2]) });
    const server = createServer((request, response) => {
      if (request.url === "/model") response.end(readFileSync(path));
      else response.writeHead(404).end();
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect((await load(`${base}/model`)).a?.toArraySync()).toEqual([1, 2]);
    expect((await load(new URL(`${base}/model`))).a?.toArraySync()).toEqual([1, 2]);
    const error = await failure(load(`${base}/other`));
    expect(error).toBeInstanceOf(FileError);
    expect(error.message).toBe(
      `load: got HTTP 404; expected to read ${base}/other. Check that it is there and may be read.`,
    );
  });
});

describe("saving refuses", () => {
  test.each([
    ["a tensor", tensor([1]), "save: got a tensor; expected an object of tensors by name. Pass model.stateDict()."],
    [
      "a model",
      new nn.Linear(1, 1),
      "save: got Linear(inFeatures=1, outFeatures=1, bias=true); expected an object of tensors by name. Pass model.stateDict().",
    ],
    [
      "what is no tensor",
      { epoch: 3 },
      'save: got 3 as "epoch"; expected a tensor. Leave it out, or put texts into metadata.',
    ],
    [
      "a name that the format needs",
      { __metadata__: tensor([1]) },
      'save: got the name "__metadata__"; expected one that safetensors can have. Rename that tensor.',
    ],
    [
      "half a character",
      { "\ud800": tensor([1]) },
      'save: got the name "\\ud800"; expected one that safetensors can have. Rename that tensor.',
    ],
  ])("%s", async (_, state, message) => {
    const error = await failure(save(path, state as never));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toBe(message);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("metadata that are no texts, unknown options, and what is no path", async () => {
    expect((await failure(save(path, {}, { metadata: { epoch: 3 } as never }))).message).toBe(
      'save: got metadata in which "epoch" is 3; expected texts by name. Write numbers as String(…).',
    );
    expect(await failure(save(path, {}, { meta: {} } as never))).toBeInstanceOf(ArgumentError);
    expect((await failure(save({} as never, {}))).message).toBe(
      "save: got {} as the path; expected a path or a file: URL. Pass it before what is to be saved.",
    );
    expect(await failure(save("", {}))).toBeInstanceOf(ArgumentError);
  });

  test("a folder that is not there", async () => {
    const error = await failure(save(join(folder, "missing", "x"), { a: tensor([1]) }));
    expect(error).toBeInstanceOf(FileError);
    expect(error.message).toMatch(
      /^save: got ENOENT.*; expected to write .*missing\/x\. Choose a folder that is there and can be written\.$/,
    );
  });

  test("a tensor that was given back, and one that changes meanwhile: the old file stays", async () => {
    const gone = tensor([1]);
    gone.dispose();
    expect(await failure(save(path, { gone }))).toBeInstanceOf(ReleasedTensorError);
    await save(path, { a: tensor([1]) });
    const a = tensor([2]);
    const saving = save(path, { a });
    a.fill_(3);
    const error = await failure(saving);
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toBe(
      'save: got tensor "a" changed while it was being written; expected it to stay as it is until then. Write await save(…) before training goes on.',
    );
    expect((await load(path)).a?.toArraySync()).toEqual([1]);
    expect(readdirSync(folder)).toEqual(["model.safetensors"]);
  });
});

describe("loading refuses", () => {
  const cut = "The file is damaged or cut off: make or copy it again.";
  test.each<[string, Uint8Array, string]>([
    [
      "nothing",
      new Uint8Array(0),
      "got 0 bytes that begin with nothing in the bytes; expected safetensors, or a zip archive of torch.save. Choose another file.",
    ],
    [
      "something else",
      Uint8Array.of(1, 2, 3),
      "got 3 bytes that begin with 01 02 03 in the bytes; expected safetensors, or a zip archive of torch.save. Choose another file.",
    ],
    [
      "a header beyond the end",
      file({}, 0, 100),
      `got 10 bytes with a header of 100 in the bytes; expected at least 108. ${cut}`,
    ],
    [
      "a huge header",
      file({}, 0, 100_000_001),
      `got a header of 100000001 bytes in the bytes; expected at most 100000000. ${cut}`,
    ],
    [
      "an endless header",
      file({}, 0, Number.MAX_SAFE_INTEGER),
      `got a header of ${Number.MAX_SAFE_INTEGER} bytes in the bytes; expected at most 100000000. ${cut}`,
    ],
    [
      "bad JSON",
      file('{"a":'),
      `got a header that is no JSON (Unexpected end of JSON input) in the bytes; expected an object of tensors by name. ${cut}`,
    ],
    [
      "bad UTF-8",
      file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)),
      `got a header that is not UTF-8 in the bytes; expected JSON in UTF-8. ${cut}`,
    ],
    [
      "metadata that are no texts",
      file({ __metadata__: { a: 1 } }),
      `got __metadata__ of other things than texts in the bytes; expected texts by name. ${cut}`,
    ],
    [
      "metadata that are none",
      file({ __metadata__: null }),
      `got __metadata__ of other things than texts in the bytes; expected texts by name. ${cut}`,
    ],
    [
      "a tensor that is none",
      file({ a: 3 }),
      `got tensor "a" without just dtype, shape and data_offsets in the bytes; expected those three. ${cut}`,
    ],
    [
      "more than it should have",
      file({ a: { ...entry(0, 4), x: 1 } }, 4),
      `got tensor "a" without just dtype, shape and data_offsets in the bytes; expected those three. ${cut}`,
    ],
    [
      "an unknown dtype",
      file({ a: { ...entry(0, 4), dtype: "F99" } }, 4),
      `got tensor "a" of dtype "F99" in the bytes; expected one that the format has. ${cut}`,
    ],
    [
      "a dtype of Object.prototype",
      file({ a: { ...entry(0, 4), dtype: "constructor" } }, 4),
      `got tensor "a" of dtype "constructor" in the bytes; expected one that the format has. ${cut}`,
    ],
    [
      "a negative extent",
      file({ a: entry(0, 4, [-1]) }, 4),
      `got tensor "a" with shape [-1] in the bytes; expected at most 64 whole numbers of 0 or more. ${cut}`,
    ],
    [
      "part of an extent",
      file({ a: entry(0, 4, [1.5]) }, 4),
      `got tensor "a" with shape [1.5] in the bytes; expected at most 64 whole numbers of 0 or more. ${cut}`,
    ],
    [
      "an overflowing shape",
      file({ a: entry(0, 0, [2 ** 52, 2 ** 52]) }),
      `got tensor "a" with 0 bytes in the bytes; expected ${2 ** 106} for F32 of shape [${2 ** 52}, ${2 ** 52}]. ${cut}`,
    ],
    [
      "bytes that do not fit the shape",
      file({ a: entry(0, 4, [2]) }, 4),
      `got tensor "a" with 4 bytes in the bytes; expected 8 for F32 of shape [2]. ${cut}`,
    ],
    [
      "an end before the beginning",
      file({ a: { ...entry(0, 4), data_offsets: [4, 0] } }, 4),
      `got tensor "a" with data_offsets [4,0] in the bytes; expected the places where it begins and ends. ${cut}`,
    ],
    [
      "an overlap",
      file({ a: entry(0, 8), b: entry(4, 12) }, 12),
      `got tensor "b" at byte 4 of the data, within the one before it in the bytes; expected 8: no byte in two tensors. ${cut}`,
    ],
    [
      "a hole",
      file({ a: entry(0, 4), b: entry(8, 12) }, 12),
      `got tensor "b" at byte 8 of the data, behind a hole in the bytes; expected 4: every byte in a tensor. ${cut}`,
    ],
    [
      "a hole at the beginning",
      file({ b: entry(4, 8) }, 8),
      `got tensor "b" at byte 4 of the data, behind a hole in the bytes; expected 0: every byte in a tensor. ${cut}`,
    ],
    [
      "too little data",
      file({ a: entry(0, 8) }, 4),
      `got 4 bytes of data in the bytes; expected the 8 that the header speaks of. ${cut}`,
    ],
    [
      "too much data",
      file({ a: entry(0, 4) }, 5),
      `got 5 bytes of data in the bytes; expected the 4 that the header speaks of. ${cut}`,
    ],
    [
      "a name twice",
      file(`{"a":${JSON.stringify(entry(0, 4))},"a" :${JSON.stringify(entry(0, 4))}}`, 4),
      `got a name that comes twice in the bytes; expected each once. ${cut}`,
    ],
    [
      "a name twice, written in two ways",
      file(`{"a":${JSON.stringify(entry(0, 4))},"\\u0061":${JSON.stringify(entry(0, 4))}}`, 4),
      `got a name that comes twice in the bytes; expected each once. ${cut}`,
    ],
    [
      "a shape twice",
      file('{"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}', 4),
      `got a name that comes twice in the bytes; expected each once. ${cut}`,
    ],
    [
      "a text twice",
      file('{"__metadata__":{"x":"1","x":"1"}}'),
      `got a name that comes twice in the bytes; expected each once. ${cut}`,
    ],
    [
      "a bool that is none",
      (() => {
        const bytes = file({ a: { dtype: "BOOL", shape: [1], data_offsets: [0, 1] } }, 1);
        bytes[bytes.length - 1] = 2;
        return bytes;
      })(),
      `got the byte 2 in tensor "a" of the bytes; expected 0 or 1, since its elements are bools. The file is damaged: make or copy it again.`,
    ],
  ])("%s", async (_, bytes, message) => {
    const before = await settledMemory();
    const error = await failure(load(bytes));
    expect(error).toBeInstanceOf(DataFormatError);
    expect(error.message).toBe(`load: ${message}`);
    expect(memoryStats()).toMatchObject({ tensors: before.tensors, bytes: before.bytes });
  });

  test("names and texts that look like keys are none", async () => {
    const odd = { 'a":{"a":': entry(0, 4), "\\": entry(4, 8), dtype: entry(8, 12), __metadata__: { x: '"x":' } };
    expect(Object.keys(await load(file(odd, 12)))).toEqual(['a":{"a":', "\\", "dtype"]);
  });

  test("missing files, and what is no source", async () => {
    const missing = await failure(load(join(folder, "missing")));
    expect(missing).toBeInstanceOf(FileError);
    expect(missing.message).toMatch(
      /^load: got ENOENT.*; expected to read .*missing\. Check that it is there and may be read\.$/,
    );
    expect(await failure(load(folder))).toBeInstanceOf(FileError);
    for (const source of [3, null, undefined, {}, [1]]) {
      const error = await failure(load(source as never));
      expect(error).toBeInstanceOf(ArgumentError);
      expect(error.message).toMatch(
        /^load: got .*; expected a path, a URL, a Blob, an ArrayBuffer or a Uint8Array\. Pass one of them\.$/,
      );
    }
    expect(await failure(loadMetadata(Uint8Array.of(0x80, 2, 3)))).toBeInstanceOf(TapegradError);
  });
});
