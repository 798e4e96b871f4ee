/** The networks of examples/networks give PyTorch's outputs, gradients, running statistics and losses. */
import { nn } from "tapegrad";
import { describe, expect, test } from "vitest";
import { cases, expectDigests, expectPass, expectTraining, isLarge, keepFromCorners, prepare } from "./networkCase.js";

describe.each(cases.map((each) => [each.name, each] as const))("%s", (_, each) => {
  test("has PyTorch's weights from the same seed, its outputs and its gradients", async () => {
    const prepared = prepare(each);
    const { model } = prepared;
    await expectDigests(each.weights, model.namedParameters());
    if (isLarge(each)) keepFromCorners(model);
    await expectPass(prepared, each.training);
    const buffers = model.namedBuffers().filter(([, { dtype }]) => dtype === "float32");
    await expectDigests(each.buffers, buffers);
    model.eval();
    await expectPass(prepared, each.evaluation);
    await expectTraining(prepared, each);
  });
});

/** Lists compute nothing, and attention calls the function of its last layer. */
const uncalledKinds: Readonly<Record<string, readonly string[]>> = {
  UNet: ["ModuleList", "ModuleList", "ModuleList"],
  VisionTransformer: ["Linear", "Linear"],
};

test.each(cases.filter((each) => !isLarge(each)).map((each) => [each.name, each] as const))(
  "%s has a summary",
  (_, each) => {
    const { model } = prepare(each);
    const [, ...image] = each.shape;
    const { rows, parameterCount } = nn.summary(model, [1, ...image]);
    expect(parameterCount).toBe(each.parameterCount);
    expect(rows[0]?.outputShape?.slice(0, 2)).toEqual([1, each.classes]);
    const uncalled = rows.filter(({ outputShape }) => outputShape === null).map(({ kind }) => kind);
    expect(uncalled).toEqual(uncalledKinds[each.network] ?? []);
  },
);

test("there are full and small forms of each", () => {
  const count = (wanted: boolean): number =>
    new Set(cases.filter(({ losses }) => (losses.length === 50) === wanted).map(({ network }) => network)).size;
  expect([count(true), count(false)]).toEqual([5, 5]);
});
