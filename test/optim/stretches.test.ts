/** Large parameters are stepped stretch by stretch: to the bit as small ones. */
import { expect, test } from "vitest";
import { manualSeed, nn, optim, randn, type Tensor } from "../../src/index.js";

const LENGTH = 70_001;
const HALF = 40_000;

test.each<[string, (params: Tensor[]) => { step(): void }]>([
  ["RMSprop", (params) => new optim.RMSprop(params, { momentum: 0.9, centered: true, l1: 0.1, weightDecay: 0.1 })],
  ["plain RMSprop", (params) => new optim.RMSprop(params)],
  ["Adagrad", (params) => new optim.Adagrad(params, { lrDecay: 0.1, maximize: true })],
  ["NAdam", (params) => new optim.NAdam(params, { weightDecay: 0.1, decoupledWeightDecay: true })],
  ["Adadelta", (params) => new optim.Adadelta(params, { l1: 0.1 })],
  ["Adamax", (params) => new optim.Adamax(params, { weightDecay: 0.1 })],
  ["RAdam", (params) => new optim.RAdam(params, { betas: [0.5, 0.5], weightDecay: 0.1, decoupledWeightDecay: true })],
])("%s", (_name, make) => {
  manualSeed(1);
  const [values, ...grads] = Array.from({ length: 4 }, () => randn([LENGTH]));
  const parts = [
    [0, HALF],
    [HALF, LENGTH - HALF],
  ] as const;
  const whole = new nn.Parameter((values as Tensor).clone());
  const halves = parts.map(([start, length]) => new nn.Parameter((values as Tensor).narrow(0, start, length).clone()));
  const [one, two] = [make([whole]), make(halves)];
  for (const grad of grads) {
    whole.grad = grad.clone();
    parts.forEach(([start, length], i) => {
      const half = halves[i];
      if (half) half.grad = grad.narrow(0, start, length).clone();
    });
    one.step();
    two.step();
  }
  const expected = halves.flatMap((half) => Array.from(half.dataSync()));
  expect(Array.from(whole.dataSync())).toEqual(expected);
  expect(expected).not.toContain(Number.NaN);
});
