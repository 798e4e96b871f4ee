/** Files of both exporters of PyTorch: the same outputs as there, trainable, and exported again. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { exportOnnx, importOnnx, type OnnxModule, optim, type Tensor, tensor } from "../../../src/index.js";
import { asFound, expectSame, runOnnx } from "./support.js";

interface Stored {
  readonly shape: number[];
  readonly data: number[];
}

type Runs = Record<string, { readonly shape: number[]; readonly outputs: Stored[] }>;

const folder = new URL("torch/", import.meta.url);
const expected = JSON.parse(readFileSync(new URL("expected.json", folder), "utf8")) as Record<string, Runs>;

function open(file: string): Promise<OnnxModule> {
  return importOnnx(readFileSync(new URL(file, folder)));
}

/** The inputs of the script that made the files. */
function waves(shape: readonly number[]): Tensor {
  const count = shape.reduce((product, extent) => product * extent, 1);
  return tensor(
    Float32Array.from({ length: count }, (_, i) => Math.sin(i)),
    { shape },
  );
}

function stored({ shape, data }: Stored): Tensor {
  return tensor(Float32Array.from(data), { shape });
}

describe.each(["Cnn.dynamo", "Cnn.script", "Blocks.dynamo", "Blocks.script"])("%s", (file) => {
  const runs = Object.values(expected[file.split(".")[0] ?? ""] ?? {});

  test("gives what it gives in PyTorch, for several batch sizes", async () => {
    const model = await open(`${file}.onnx`);
    expect(runs).toHaveLength(2);
    for (const { shape, outputs } of runs) {
      await expectSame(asFound(model.forward(waves(shape))), outputs.map(stored), 2e-5);
    }
  });

  test("can be trained", async () => {
    const model = await open(`${file}.onnx`);
    model.train();
    const optimizer = new optim.SGD(model.parameters(), { lr: 1e-4 });
    const losses: number[] = [];
    for (let step = 0; step < 5; step++) {
      optimizer.zeroGrad();
      const outputs = [model.forward(waves(runs[1]?.shape ?? []))].flat();
      const loss = outputs.map((output) => output.square().sum()).reduce((a, b) => a.add(b));
      loss.backward();
      for (const [name, parameter] of model.namedParameters()) {
        if (parameter.grad === null) expect.fail(`${name} has no gradient`);
      }
      optimizer.step();
      losses.push(await loss.item());
    }
    expect(losses[4]).toBeLessThan(losses[0] ?? 0);
  });

  test("exported again, runs in ONNX Runtime", async () => {
    const model = await open(`${file}.onnx`);
    const bytes = await exportOnnx(model, waves(runs[1]?.shape ?? []));
    for (const { shape, outputs } of runs) {
      await expectSame(await runOnnx(bytes, [waves(shape)]), outputs.map(stored), 2e-5);
    }
    const names = (held: OnnxModule): string[] =>
      held
        .namedParameters()
        .map(([name]) => name)
        .sort();
    expect(names(await importOnnx(bytes))).toEqual(names(model));
  });
});

test("names of parameters are those of the file, made legal", async () => {
  const model = await open("Cnn.script.onnx");
  expect(
    model
      .namedParameters()
      .map(([name]) => name)
      .sort(),
  ).toEqual(["conv2.bias", "conv2.weight", "fc.bias", "fc.weight", "onnx__Conv_54", "onnx__Conv_55"]);
});
