/** Damaged ONNX files: a typed error or a module, and nothing else. */

import { readFileSync } from "node:fs";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { exportOnnx, importOnnx, nn, noGrad, randn, TapegradError } from "../../../src/index.js";
import { type ModelProto, ModelProtoSchema } from "../../../src/io/onnx/proto/onnx_pb.js";
import { Damage } from "../damage.js";

/** Cases of damaged bytes of the smallest file; larger ones take longer, and come less often. */
const CASES = 90_000;
const FEWER = 5_000;

// Nearly every case makes an error, and most of the time would go into its stack.
Error.stackTraceLimit = 0;

interface Count {
  refused: number;
  loaded: number;
  ran: number;
}

/** Imports `cases` files. Every hundredth of those that can be is run too, on an input of the right shape. */
async function fuzz(cases: number, make: () => Uint8Array, shape: readonly number[]): Promise<Count> {
  const count: Count = { refused: 0, loaded: 0, ran: 0 };
  const x = randn(shape);
  for (let index = 0; index < cases; index++) {
    const bytes = make();
    try {
      const model = await importOnnx(bytes);
      count.loaded++;
      if (count.loaded % 100 === 0 && model.inputNames.length === 1) {
        noGrad(() => model.forward(x));
        count.ran++;
      }
    } catch (error) {
      if (!(error instanceof TapegradError)) {
        throw new Error(`case ${index}: ${Buffer.from(bytes).toString("base64")}`, { cause: error });
      }
      count.refused++;
    }
  }
  return count;
}

/** A whole network in a few hundred bytes. */
async function small(): Promise<Uint8Array> {
  const model = new nn.Sequential(
    new nn.Conv2d(1, 2, 2),
    new nn.BatchNorm2d(2),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(2, 2),
  );
  return exportOnnx(model, randn([2, 1, 3, 3]));
}

test("damaged bytes", async () => {
  const damage = new Damage(11);
  const whole = await exportOnnx(new nn.Sequential(new nn.Linear(2, 2), new nn.ReLU()), randn([1, 2]));
  const count = await fuzz(CASES, () => damage.bytes(whole), [1, 2]);
  expect(count.refused).toBeGreaterThan(CASES / 5);
  expect(count.loaded).toBeGreaterThan(CASES / 50);
  expect(count.ran).toBeGreaterThan(10);
});

test("damaged bytes of a file of PyTorch", async () => {
  const damage = new Damage(12);
  const whole = new Uint8Array(readFileSync(new URL("torch/Cnn.script.onnx", import.meta.url)));
  const count = await fuzz(FEWER, () => damage.bytes(whole), [1, 1, 14, 14]);
  expect(count.refused).toBeGreaterThan(FEWER / 20);
});

test("whole files with other contents", async () => {
  const damage = new Damage(13);
  const whole = fromBinary(ModelProtoSchema, await small());
  const numbers = [-1n, 0n, 1n, 2n, 3n, 7n, 1000000n, 2n ** 31n, 2n ** 62n, -(2n ** 63n)];
  const make = (): Uint8Array => {
    const model = fromBinary(ModelProtoSchema, toBinary(ModelProtoSchema, whole));
    for (let i = damage.below(3); i >= 0; i--) change(model, damage, numbers);
    return toBinary(ModelProtoSchema, model);
  };
  const count = await fuzz(FEWER, make, [2, 1, 3, 3]);
  expect(count.refused).toBeGreaterThan(FEWER / 10);
  expect(count.loaded).toBeGreaterThan(FEWER / 10);
});

function change({ graph, opsetImport }: ModelProto, damage: Damage, numbers: readonly bigint[]): void {
  const node = damage.pick(graph?.node ?? []);
  const array = damage.pick(graph?.initializer ?? []);
  const attribute = node.attribute.length > 0 ? damage.pick(node.attribute) : null;
  const names = (graph?.node ?? []).flatMap(({ input, output }) => [...input, ...output]);
  const ways: (() => void)[] = [
    () => node.input.splice(damage.below(node.input.length + 1), damage.below(2), damage.pick(names)),
    () => node.output.splice(damage.below(node.output.length + 1), damage.below(2), damage.pick(names)),
    () => array.dims.splice(damage.below(array.dims.length + 1), damage.below(2), damage.pick(numbers)),
    () => {
      node.opType = damage.pick([
        "Conv",
        "Add",
        "Slice",
        "Reshape",
        "Pad",
        "Gather",
        "Expand",
        "Loop",
        "Shape",
        "MaxPool",
      ]);
    },
    () => {
      array.dataType = damage.below(20);
    },
    () => {
      array.rawData = array.rawData.slice(damage.below(9));
    },
    () => attribute?.ints.splice(damage.below(attribute.ints.length + 1), damage.below(2), damage.pick(numbers)),
    () => {
      if (attribute !== null) attribute.type = damage.below(15);
    },
    () => {
      if (attribute !== null) attribute.i = damage.pick(numbers);
    },
    () => graph?.node.reverse(),
    () => graph?.output.splice(0, damage.below(2)),
    () => {
      const [own] = opsetImport;
      if (own !== undefined) own.version = damage.pick(numbers);
    },
  ];
  damage.pick(ways)();
}

describe("errors", () => {
  const whole = small();
  const changed = async (edit: (model: ModelProto) => void): Promise<Uint8Array> => {
    const model = fromBinary(ModelProtoSchema, await whole);
    edit(model);
    return toBinary(ModelProtoSchema, model);
  };
  test.each<[string, () => Promise<Uint8Array>, string]>([
    ["no bytes", async () => new Uint8Array(), "importOnnx: got no graph; expected a model with a graph."],
    [
      "other bytes",
      async () => new TextEncoder().encode("hello, I am no model"),
      "importOnnx: got 20 bytes that are no ONNX file (",
    ],
    [
      "an unknown operator",
      () => changed(({ graph }) => Object.assign(graph?.node[2] ?? {}, { opType: "Loop" })),
      'importOnnx: got the operator "Loop" at "2.Relu"; expected one of Abs, Add, And,',
    ],
    [
      "an operator of somebody else",
      () => changed(({ graph }) => Object.assign(graph?.node[2] ?? {}, { domain: "com.microsoft" })),
      'importOnnx: got the operator "com.microsoft.Relu" at "2.Relu"; expected one of',
    ],
    [
      "an opset that is too new",
      () =>
        changed((model) =>
          model.opsetImport.splice(0, 1, ...create(ModelProtoSchema, { opsetImport: [{ version: 99n }] }).opsetImport),
        ),
      "importOnnx: got operators of version 99; expected a version (opset) from 9 to 24. Export the model with one of them.",
    ],
    [
      "weights that are cut short",
      () => changed(({ graph }) => Object.assign(graph?.initializer[0] ?? {}, { rawData: new Uint8Array(3) })),
      'importOnnx: got 3 bytes for the array "0.weight" of shape [2, 1, 2, 2]; expected 32. The file is damaged: make it again.',
    ],
    [
      "weights that are elsewhere",
      () => changed(({ graph }) => Object.assign(graph?.initializer[0] ?? {}, { dataLocation: 1 })),
      'importOnnx: got the array "0.weight", whose elements are in another file; expected them in the model\'s own.',
    ],
    [
      "texts for weights",
      () => changed(({ graph }) => Object.assign(graph?.initializer[0] ?? {}, { dataType: 8 })),
      'importOnnx: got elements of type STRING in the array "0.weight"; expected numbers or bools.',
    ],
    [
      "nodes out of order",
      () => changed(({ graph }) => graph?.node.reverse()),
      /importOnnx: got Gemm "5.Gemm", which reads ".*"; expected values that are inputs or were made before./.source,
    ],
  ])("%s", async (_, make, message) => {
    const error = await importOnnx(await make()).then(
      () => expect.fail("nothing was thrown"),
      (reason: unknown) => reason as Error,
    );
    expect(error.name).toBe("DataFormatError");
    if (message.includes(".*")) expect(error.message).toMatch(new RegExp(message));
    else expect(error.message).toContain(message);
  });

  test("inputs that do not fit; nodes are named", async () => {
    const model = await importOnnx(await whole);
    expect(() => model.forward()).toThrow("got 0 inputs; expected 1: input. Pass a tensor for each.");
    expect(() => model.forward(randn([2, 3, 3, 3]))).toThrow(/^Conv "0.Conv": conv2d: got 3 channels in the input/);
    await expect(importOnnx("model.onnx" as never)).rejects.toThrow(
      "importOnnx: got string; expected the bytes of a file",
    );
  });
});
