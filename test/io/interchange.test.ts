/** Files that go back and forth between this library and the real PyTorch and safetensors. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  ArgumentError,
  DataFormatError,
  DTypeError,
  load,
  loadMetadata,
  memoryStats,
  nn,
  optim,
  randn,
  save,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { settledMemory } from "../support/collectGarbage.js";
import { type Expected, expectedIn, failure, interchange, Net, type Packed, packed } from "./support.js";

const folder = mkdtempSync(join(tmpdir(), "tapegrad-interchange-"));
const at = (name: string): string => join(folder, name);
let expected: Expected;

beforeAll(async () => {
  await interchange("make", folder);
  expected = expectedIn(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

function unpack({ shape, values }: Packed): Tensor {
  return tensor(Float32Array.from(values, Number), { shape });
}

function expectClose(got: Packed, wanted: Packed): void {
  expect(got.shape).toEqual(wanted.shape);
  got.values.forEach((value, i) => {
    const other = Number(wanted.values[i]);
    expect(Math.abs(Number(value) - other)).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(other)));
  });
}

const files = ["kinds", "extremes", "net", "half"].flatMap((name) => [`${name}.pt`, `${name}.safetensors`]);
const others = ["views.pt", "plain.pt", "protocol5.pt", "noSums.pt", "metadata.safetensors"];

describe("what PyTorch writes", () => {
  test.each([...files, ...others])("%s loads with just its names, shapes and values", async (name) => {
    const state = await load(at(name));
    const wanted = expected.files[name] ?? {};
    expect(Object.keys(state).sort()).toEqual(Object.keys(wanted).sort());
    for (const [key, value] of Object.entries(wanted)) {
      const own = state[key] as Tensor;
      // Written down as float64 there.
      const rounded =
        own.dtype === "float32"
          ? { ...value, values: value.values.map((v) => (typeof v === "number" ? Math.fround(v) : v)) }
          : value;
      expect({ key, ...packed(own) }).toEqual({ key, ...rounded });
    }
  });

  test("kinds of elements become the dtypes that hold them", async () => {
    for (const name of ["kinds.pt", "kinds.safetensors"]) {
      const state = await load(at(name));
      expect(
        Object.fromEntries(
          Object.entries(state)
            .map(([key, value]) => [key, value.dtype])
            .sort(),
        ),
      ).toEqual({
        bfloat16: "float32",
        bool: "bool",
        float16: "float32",
        float32: "float32",
        float64: "float64",
        int16: "int32",
        int32: "int32",
        int64: "int32",
        int8: "int32",
        uint16: "int32",
        uint32: "int32",
        uint64: "int32",
        uint8: "int32",
      });
    }
  });

  test.each([
    ["net.pt", undefined, "net"],
    ["net.safetensors", undefined, "net"],
    ["everything.pt", "model", "everything"],
    ["everything.pt", ["deep", "ema"], "everything"],
  ] as const)("%s makes the same architecture give the same outputs (key %j)", async (name, key, outputs) => {
    const model = new Net();
    expect(model.loadStateDict(await load(at(name), key === undefined ? {} : { key }))).toEqual({
      missingKeys: [],
      unexpectedKeys: [],
    });
    model.eval();
    expectClose(packed(model.forward(unpack(expected.input))), expected.outputs[outputs]);
  });

  test("tensors that share memory there share it here, and take it once", async () => {
    const before = (await settledMemory()).bytes;
    const state = await load(at("views.pt"));
    const { "tied.a": a, "tied.b": b } = state;
    a?.fill_(5);
    expect([...(b?.dataSync() ?? [])]).toEqual([5, 5, 5, 5, 5, 5]);
    // 24 of base, 6 tied, 2 of the parameter, 1.
    expect(memoryStats().bytes - before).toBe(4 * (24 + 6 + 2 + 1));
    for (const value of Object.values(state)) value.dispose();
    expect(memoryStats().bytes).toBe(before);
  });

  test("texts beside the tensors are read without them", async () => {
    expect(await loadMetadata(at("metadata.safetensors"))).toEqual({ epoch: "3" });
    expect(await loadMetadata(at("net.safetensors"))).toEqual({});
  });
});

describe("what is refused", () => {
  const cure = "Save model.state_dict() alone";
  test.each([
    [
      "everything.pt",
      DataFormatError,
      `got a dictionary as "model" in FILE; expected tensors by name. Choose a dictionary in it: load(…, { key: "model" }) or "model", "optimizer", "epoch", "loss", "name", "none", "flags", "size", "large", "negative" and 1 more.`,
    ],
    [
      "wholeModel.pt",
      DataFormatError,
      `got the name "__main__.Net" in FILE; expected those that a dictionary of tensors needs, since nothing else is ever run. ${cure}, with plain numbers and texts beside it at most.`,
    ],
    [
      "legacy.pt",
      DataFormatError,
      "got a bare pickle in FILE, as torch.save wrote before PyTorch 1.6; expected a zip archive. Load it in Python and save it with torch.save again.",
    ],
    ["tensor.pt", DataFormatError, `got a tensor in FILE; expected tensors by name. ${cure}.`],
    ["number.pt", DataFormatError, `got a number as "n" in FILE; expected tensors by name. ${cure}.`],
    [
      "complex.pt",
      DataFormatError,
      `got the name "torch.ComplexFloatStorage" in FILE; expected those that a dictionary of tensors needs, since nothing else is ever run. ${cure}, with plain numbers and texts beside it at most.`,
    ],
    [
      "tooLarge.pt",
      DTypeError,
      "got 2147483648 in tooLarge/data/0 of FILE; expected whole numbers from -2147483648 to 2147483647, which int32 holds. Save that tensor as a float, or leave it out.",
    ],
    [
      "tooLarge.safetensors",
      DTypeError,
      `got 2147483648 in tensor "a" of FILE; expected whole numbers from -2147483648 to 2147483647, which int32 holds. Save that tensor as a float, or leave it out.`,
    ],
    [
      "float8.safetensors",
      DTypeError,
      `got tensor "a" of F8_E4M3 in FILE; expected one of F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8, BOOL. Save it as one of these.`,
    ],
    ["expected.json", DataFormatError, `got ${0} bytes`],
  ] as const)("%s", async (name, Kind, message) => {
    const before = await settledMemory();
    const error = await failure(load(at(name)));
    expect(error).toBeInstanceOf(Kind);
    const text = error.message.replaceAll(at(name), "FILE");
    if (name === "expected.json")
      expect(text).toMatch(
        /^load: got \d+ bytes that begin with 7b 22 .* in FILE; expected safetensors, or a zip archive of torch.save. Choose another file.$/,
      );
    else expect(text).toBe(`load: ${message}`);
    expect(memoryStats()).toMatchObject({ tensors: before.tensors, bytes: before.bytes });
  });

  test("TorchScript, whose archives hold code", async () => {
    const error = await failure(load(at("script.pt")));
    expect(error).toBeInstanceOf(DataFormatError);
    expect(error.message).toMatch(
      /^load: got the name "__torch__\..*expected those that a dictionary of tensors needs/,
    );
  });

  test("keys that are not there, or where there are none", async () => {
    const wrong = await failure(load(at("everything.pt"), { key: ["deep", "mean"] }));
    expect(wrong).toBeInstanceOf(ArgumentError);
    expect(wrong.message).toBe(
      `load: got the key "deep.mean"; expected one of "ema" in ${at("everything.pt")}. Choose one of them.`,
    );
    expect((await failure(load(at("net.safetensors"), { key: "model" }))).message).toBe(
      `load: got key "model" for ${at("net.safetensors")}; expected none, because safetensors hold no dictionaries of dictionaries. Leave it out.`,
    );
    expect(await failure(load(at("everything.pt"), { key: 3 as never }))).toBeInstanceOf(ArgumentError);
  });
});

describe("what PyTorch reads", () => {
  test("networks that were loaded from it, and trained on here; every dtype; texts", async () => {
    const model = new Net();
    model.loadStateDict(await load(at("net.pt")));
    await save(at("net.safetensors"), model.stateDict());
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    for (let step = 0; step < 3; step++) {
      optimizer.zeroGrad();
      nn.functional
        .crossEntropy(model.forward(randn([4, 1, 8, 8])), tensor([0, 1, 2, 0], { dtype: "int32" }))
        .backward();
      optimizer.step();
    }
    await save(at("trained.safetensors"), model.stateDict());
    const dtypes = {
      float64: tensor([[0.1, -0]], { dtype: "float64" }),
      float32: tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]).transpose(0, 1),
      int32: tensor(7, { dtype: "int32" }),
      bool: tensor([true, false, true]),
      empty: tensor([[], []]),
      'größe \u{1f600} "': tensor([Number.NaN, Infinity]),
    };
    await save(at("dtypes.safetensors"), dtypes, { metadata: { note: "ü" } });

    const found = JSON.parse(await interchange("read", folder)) as {
      readonly dtypes: Record<string, unknown>;
      readonly metadata: unknown;
    } & Record<"net.safetensors" | "trained.safetensors", Packed>;
    expect(found.metadata).toEqual({ note: "ü" });
    const names = {
      float16: "torch.float16",
      float64: "torch.float64",
      float32: "torch.float32",
      int32: "torch.int32",
      bool: "torch.bool",
    };
    expect(found.dtypes).toEqual(
      Object.fromEntries(
        Object.entries(dtypes).map(([key, value]) => [key, { dtype: names[value.dtype], ...packed(value) }]),
      ),
    );
    const input = Float32Array.from({ length: 128 }, (_, i) => -1 + (2 * i) / 127);
    const x = tensor(input, { shape: [2, 1, 8, 8] });
    model.eval();
    expectClose(packed(model.forward(x)), found["trained.safetensors"]);
    model.loadStateDict(await load(at("net.pt")));
    expectClose(packed(model.forward(x)), found["net.safetensors"]);
  });
});
