import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, expectTypeOf, test } from "vitest";
import {
  ArgumentError,
  checkpointToBlob,
  DataFormatError,
  data,
  defaultGenerator,
  FileError,
  Generator,
  load,
  loadCheckpoint,
  manualSeed,
  nn,
  optim,
  rand,
  ShapeError,
  save,
  saveCheckpoint,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { failure } from "./support.js";

const folder = mkdtempSync(join(tmpdir(), "tapegrad-checkpoint-"));
const path = join(folder, "run.checkpoint");
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => rmSync(path, { force: true }));

/** A model, its optimizer and its data, made from one seed. */
function training(seed: number, makeOptimizer: (model: nn.Module) => optim.Adam | optim.AdamW | optim.SGD) {
  manualSeed(seed);
  const model = new nn.Sequential(new nn.Linear(4, 8), new nn.BatchNorm1d(8), new nn.Dropout(0.4), new nn.Linear(8, 2));
  const samples = new data.TensorDataset(rand([20, 4]), rand([20, 2]));
  const loader = new data.DataLoader(samples, { batchSize: 3, shuffle: true });
  return { model, optimizer: makeOptimizer(model), loader };
}

/** Bits of the losses of so many epochs; calls `each` after every step. */
async function losses(
  { model, optimizer, loader }: ReturnType<typeof training>,
  epochs: number,
  each: (step: number) => Promise<void> = async () => undefined,
): Promise<number[]> {
  const found: number[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    for await (const [x, y] of loader) {
      optimizer.zeroGrad();
      const loss = nn.functional.mseLoss(model.forward(x), y);
      loss.backward();
      optimizer.step();
      found.push(await loss.item());
      await each(found.length);
    }
  }
  return found;
}

describe("training goes on bit for bit", () => {
  test.each<readonly [string, (model: nn.Module) => optim.Adam | optim.AdamW | optim.SGD]>([
    ["SGD", (model) => new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9, nesterov: true, l1: 1e-4 })],
    ["SGD without momentum", (model) => new optim.SGD(model.parameters(), { lr: 0.1 })],
    ["Adam", (model) => new optim.Adam(model.parameters(), { lr: 0.01, amsgrad: true })],
    ["AdamW", (model) => new optim.AdamW(model.parameters(), { lr: 0.01, betas: [0.8, 0.9] })],
  ])("with %s, from any step", async (_, makeOptimizer) => {
    const blobs: Blob[] = [];
    const first = training(1, makeOptimizer);
    const whole = await losses(first, 2, async (step) => {
      if (step % 3 === 1) blobs.push(await checkpointToBlob({ ...first, step }));
    });
    expect(whole).toHaveLength(14);
    for (const blob of blobs) {
      const again = training(1, makeOptimizer);
      // Everything that a checkpoint restores is different before.
      for (const parameter of again.model.parameters()) nn.init.constant_(parameter, 3);
      for (const group of again.optimizer.paramGroups) group.lr = 7;
      manualSeed(77);
      const { step } = await loadCheckpoint(blob, { ...again, step: 0 });
      expectTypeOf(step).toEqualTypeOf<number>();
      // After the seventh step the first pass has given all of its batches, and has not ended.
      const epochsLeft = step <= 7 ? 2 : 1;
      expect(await losses(again, epochsLeft)).toEqual(whole.slice(step));
    }
  });
});

describe("a checkpoint", () => {
  test("gives back numbers, texts, arrays, objects and tensors as they were", async () => {
    const values = {
      epoch: 3,
      best: Infinity,
      worst: Number.NaN,
      zero: -0,
      big: 2n ** 70n,
      name: "größe \u{1f600}",
      done: false,
      nothing: null,
      history: [
        [1, 0.1],
        [2, { loss: 0.3, tensor: "not a tensor", number: "NaN" }],
      ],
      tensor: tensor([[1, 2]], { dtype: "int32" }),
      __proto__x: { ["__proto__"]: 1 },
    };
    await saveCheckpoint(path, { ...values, left: undefined });
    const { tensor: own, ...rest } = await loadCheckpoint(path, values);
    const { tensor: _, ...wanted } = values;
    expect(rest).toEqual(wanted);
    expect(Object.is(rest.zero, -0)).toBe(true);
    expect([own.dtype, own.toArraySync()]).toEqual(["int32", [[1, 2]]]);
    expect(readdirSync(folder)).toEqual(["run.checkpoint"]);
  });

  test("restores generators, and the default one without being told", async () => {
    const own = new Generator(5);
    own.random32();
    manualSeed(8);
    rand([3]);
    await saveCheckpoint(path, { own });
    const next = [own.random32(), defaultGenerator.random32()];
    manualSeed(0);
    const other = new Generator(1);
    expect(await loadCheckpoint(path, { own: other })).toEqual({});
    expect([other.random32(), defaultGenerator.random32()]).toEqual(next);
  });

  test("names its tensors by their paths, for load() and for Python", async () => {
    const model = new nn.Linear(2, 1);
    const optimizer = new optim.Adam(model.parameters());
    model
      .forward(tensor([[1, 2]]))
      .sum()
      .backward();
    optimizer.step();
    await saveCheckpoint(path, { model, optimizer, "model.weight": tensor([9]) });
    const state = await load(path);
    expect(Object.keys(state)).toEqual([
      "model.weight",
      "model.bias",
      "optimizer.state.0.expAvg",
      "optimizer.state.0.expAvgSq",
      "optimizer.state.1.expAvg",
      "optimizer.state.1.expAvgSq",
      "model.weight'",
    ]);
    const values = await loadCheckpoint(path, { model, "model.weight": tensor([0]) });
    expect(values["model.weight"].toArraySync()).toEqual([9]);
  });

  test("may be asked for some of its entries", async () => {
    await saveCheckpoint(path, { model: new nn.Linear(2, 1), epoch: 2, seed: 5 });
    expect(await loadCheckpoint(path, { epoch: 0, later: undefined })).toEqual({ epoch: 2 });
  });
});

describe("what is refused", () => {
  const message = async (promise: Promise<unknown>): Promise<string> =>
    (await failure(promise)).message.replaceAll(path, "FILE");

  test("saving what cannot be loaded again", async () => {
    const kinds =
      "expected something with stateDict() and loadStateDict(), a generator, a tensor, or numbers, texts, arrays and plain objects of them. " +
      "Leave it out, or save what it is made from.";
    expect(await message(saveCheckpoint(path, { a: { f: () => 1 } }))).toBe(
      `saveCheckpoint: got a function as a.f; ${kinds}`,
    );
    expect(await message(saveCheckpoint(path, { m: [new Map()] }))).toBe(`saveCheckpoint: got a Map as m.0; ${kinds}`);
    const loop: unknown[] = [];
    loop.push(loop);
    expect(await message(saveCheckpoint(path, { loop }))).toMatch(
      /^saveCheckpoint: got objects more than 64 deep as loop\.0\./,
    );
    expect(await message(saveCheckpoint(path, new nn.Linear(1, 1) as never))).toBe(
      "saveCheckpoint: got Linear(inFeatures=1, outFeatures=1, bias=true); expected an object such as { model, optimizer, epoch }. Give each thing a name.",
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  test("what changes while it is saved", async () => {
    const model = new nn.Linear(1, 1);
    const saving = saveCheckpoint(path, { model });
    nn.init.zeros_(model.weight);
    expect(await message(saving)).toBe(
      'saveCheckpoint: got tensor "model.weight" changed while it was being written; expected it to stay as it is until then. ' +
        "Write await saveCheckpoint(…) before training goes on.",
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  test("files that are no checkpoints, and entries that do not fit: nothing changes", async () => {
    expect(await failure(loadCheckpoint(path, {}))).toBeInstanceOf(FileError);
    await save(path, { a: tensor([1]) });
    const none = await failure(loadCheckpoint(path, {}));
    expect(none).toBeInstanceOf(DataFormatError);
    expect(none.message.replaceAll(path, "FILE")).toBe(
      "loadCheckpoint: got no checkpoint in FILE; expected one of version 1. Read tensors by name with load(…).",
    );
    await save(path, {}, { metadata: { "tapegrad.checkpoint": "2" } });
    expect(await message(loadCheckpoint(path, {}))).toBe(
      "loadCheckpoint: got a checkpoint of version 2 in FILE; expected one of version 1. Load it with the version of tapegrad that saved it.",
    );
    await save(path, {}, { metadata: { "tapegrad.checkpoint": "1", "tapegrad.contents": "{}" } });
    expect(await message(loadCheckpoint(path, {}))).toBe(
      "loadCheckpoint: got contents that saveCheckpoint does not write in FILE; expected its own. The file is damaged: go back to another checkpoint.",
    );

    const model = new nn.Linear(2, 1);
    await saveCheckpoint(path, { model, epoch: 3 });
    const [other, wider] = [new nn.Linear(2, 1), new nn.Linear(3, 1)];
    const before = other.weight.toArraySync();
    const generator = defaultGenerator.getState();
    const missing = await failure(loadCheckpoint(path, { model: other, scheduler: other }));
    expect(missing).toBeInstanceOf(ArgumentError);
    expect(missing.message.replaceAll(path, "FILE")).toBe(
      "loadCheckpoint: got a checkpoint without scheduler in FILE; expected one of model, epoch. Leave it out, or choose another checkpoint.",
    );
    expect(await message(loadCheckpoint(path, { model: other, epoch: "3" }))).toBe(
      "loadCheckpoint: got number as epoch in FILE; expected string, which is what was passed for it. Pass something of the type that was saved.",
    );
    expect(await failure(loadCheckpoint(path, { model: wider }))).toBeInstanceOf(ShapeError);
    expect(await failure(loadCheckpoint(readFileSync(path).subarray(0, -1), { model: other }))).toBeInstanceOf(
      DataFormatError,
    );
    expect(other.weight.toArraySync()).toEqual(before);
    expect(defaultGenerator.getState()).toEqual(generator);
  });

  test("optimizers' states that are none", async () => {
    const optimizer = new optim.Adam([new nn.Linear(1, 1).weight]);
    const state = optimizer.stateDict();
    for (const wrong of [
      3,
      null,
      {},
      { ...state, paramGroups: 3 },
      { ...state, paramGroups: [null] },
      { ...state, paramGroups: [{ ...state.paramGroups[0], amsgrad: "yes" }] },
      { ...state, paramGroups: [{ ...state.paramGroups[0], speed: 1 }] },
      { ...state, state: { 0: 5 } },
    ]) {
      expect(() => optimizer.loadStateDict(wrong as never)).toThrow(
        new ArgumentError(
          "Adam.loadStateDict: got what is no state of Adam; expected { state, paramGroups } with its settings. Pass what stateDict() gave.",
        ),
      );
    }
    expect(() => optimizer.loadStateDict({ ...state, state: { 0: { step: "1" } } } as never)).toThrow(
      new ArgumentError(
        "Adam.loadStateDict: got 1 as step; expected a tensor or a number. Pass what stateDict() gave.",
      ),
    );
    expectTypeOf<Tensor>().not.toBeAny();
  });
});
