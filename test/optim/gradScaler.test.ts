/** Gradient scaling against PyTorch: test/golden/mixedPrecision.json. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ArgumentError, amp, nn, optim, tensor } from "../../src/index.js";

interface Step {
  readonly slope: readonly (number | string)[];
  readonly weights: readonly number[];
  readonly scale: number;
  readonly growthTracker: number;
}
const golden = JSON.parse(readFileSync(new URL("../golden/mixedPrecision.json", import.meta.url), "utf8")) as {
  readonly scaling: readonly Step[];
};
const settings = { initScale: 12, growthFactor: 3, backoffFactor: 0.25, growthInterval: 2 };
const numberOf = (value: number | string): number => (value === "inf" ? Infinity : Number(value));

function start() {
  const weights = tensor([1, 2, 3], { requiresGrad: true });
  const optimizer = new optim.SGD([weights], { lr: 0.1 });
  const backward = (scaler: amp.GradScaler, slope: readonly (number | string)[]): void => {
    optimizer.zeroGrad();
    scaler.scale(weights.mul(tensor(slope.map(numberOf))).sum()).backward();
  };
  return { weights, optimizer, backward };
}

describe("GradScaler", () => {
  test("skips steps, shrinks and grows as PyTorch's, also from a state", async () => {
    const { weights, optimizer, backward } = start();
    let scaler = new amp.GradScaler(settings);
    for (const { slope, weights: expected, scale, growthTracker } of golden.scaling) {
      backward(scaler, slope);
      await scaler.step(optimizer);
      await scaler.update();
      for (const [index, value] of expected.entries()) expect(weights.dataSync()[index]).toBeCloseTo(value, 5);
      const state = scaler.stateDict();
      expect(state).toEqual({ growthFactor: 3, backoffFactor: 0.25, growthInterval: 2, scale, growthTracker });
      scaler = new amp.GradScaler();
      scaler.loadStateDict(state);
      expect(scaler.getScale()).toBe(scale);
    }
  });

  test("unscales in place before the step, once, so that gradients can be clipped", async () => {
    const { weights, optimizer, backward } = start();
    const scaler = new amp.GradScaler({ initScale: 64 });
    backward(scaler, [3, 0, 4]);
    expect(weights.grad?.toArraySync()).toEqual([192, 0, 256]);
    scaler.unscale_(optimizer);
    expect(weights.grad?.toArraySync()).toEqual([3, 0, 4]);
    nn.utils.clipGradNorm_([weights], 1);
    await scaler.step(optimizer);
    expect(weights.dataSync()[2]).toBeCloseTo(3 - 0.08, 5);
  });

  test("shrinks when any of several optimizers overflowed, and skips that one alone", async () => {
    const [first, second] = [start(), start()];
    const scaler = new amp.GradScaler({ initScale: 8 });
    first.backward(scaler, [1, 1, 1]);
    second.backward(scaler, [1, "nan", 1]);
    await scaler.step(first.optimizer);
    await scaler.step(second.optimizer);
    await scaler.update();
    expect(scaler.getScale()).toBe(4);
    expect(first.weights.toArraySync()).not.toEqual([1, 2, 3]);
    expect(second.weights.toArraySync()).toEqual([1, 2, 3]);
  });

  test("does nothing where it is not enabled", async () => {
    const { weights, optimizer, backward } = start();
    const scaler = new amp.GradScaler({ enabled: false });
    backward(scaler, [1, "inf", 1]);
    scaler.unscale_(optimizer);
    await scaler.step(optimizer);
    await scaler.update();
    expect([scaler.getScale(), scaler.isEnabled(), scaler.stateDict()]).toEqual([1, false, {}]);
    expect(weights.dataSync()[1]).toBe(-Infinity);
  });

  test("scales all losses of a list, and does not grow beyond float32", async () => {
    const { optimizer, backward } = start();
    const scaler = new amp.GradScaler({ initScale: 2 ** 127, growthInterval: 1 });
    expect(scaler.scale([tensor(1), tensor(0.5)]).map((loss) => loss.itemSync())).toEqual([2 ** 127, 2 ** 126]);
    backward(scaler, [1, 1, 1]);
    await scaler.step(optimizer);
    await scaler.update();
    expect(scaler.getScale()).toBe(2 ** 127);
    await scaler.update(16);
    expect(scaler.getScale()).toBe(16);
  });

  test.each([
    [{ initScale: 0 }, "GradScaler: got scale 0; expected a number above 0. Correct it."],
    [{ growthFactor: 1 }, "GradScaler: got growthFactor 1; expected a number above 1. Correct it."],
    [{ backoffFactor: 1 }, "GradScaler: got backoffFactor 1; expected a number between 0 and 1. Correct it."],
    [{ growthInterval: 0.5 }, "GradScaler: got growthInterval 0.5; expected a whole number above 0. Correct it."],
  ])("refuses %j", (options, text) => {
    expect(() => new amp.GradScaler(options)).toThrow(new ArgumentError(text));
  });

  test("refuses calls out of order, and what is no state", async () => {
    const { optimizer, backward } = start();
    const scaler = new amp.GradScaler();
    await expect(scaler.update()).rejects.toThrow(
      new ArgumentError(
        "GradScaler.update: got no optimizer that was stepped since the last update(); expected one. Call await step(optimizer) before.",
      ),
    );
    await expect(scaler.step(optimizer)).rejects.toThrow(
      new ArgumentError(
        "GradScaler: got an optimizer whose parameters have no gradients; expected some. Call scaler.scale(loss).backward() before.",
      ),
    );
    backward(scaler, [1, 1, 1]);
    scaler.unscale_(optimizer);
    expect(() => scaler.unscale_(optimizer)).toThrow(
      new ArgumentError(
        "GradScaler.unscale_: got an optimizer that was unscaled since the last update(); expected it once before each step. Call update() after each step.",
      ),
    );
    await scaler.step(optimizer);
    await expect(scaler.step(optimizer)).rejects.toThrow(
      new ArgumentError(
        "GradScaler.step: got an optimizer that was stepped since the last update(); expected one step before each. Call update() after it.",
      ),
    );
    expect(() => scaler.loadStateDict({})).toThrow(
      new ArgumentError("GradScaler.loadStateDict: got scale undefined; expected a number above 0. Correct it."),
    );
  });
});
