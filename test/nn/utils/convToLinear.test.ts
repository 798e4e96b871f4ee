/** A convolution and the linear layer that does the same. */
import fc from "fast-check";
import { ArgumentError, manualSeed, memoryStats, nn, noGrad, rand, randn, ShapeError, tensor } from "tapegrad";
import { expect, test } from "vitest";

const { convToLinear } = nn.utils;

function expectSame(conv: nn.Conv2d, inputShape: readonly number[], batch = 2): void {
  const x = randn([batch, ...inputShape], { dtype: conv.weight.dtype });
  const linear = convToLinear(conv, inputShape);
  const [got, wanted] = [linear.forward(x.flatten(1)), conv.forward(x).flatten(1)];
  expect(got.shape).toEqual(wanted.shape);
  const most = wanted.abs().max().itemSync();
  expect(got.sub(wanted).abs().max().itemSync()).toBeLessThanOrEqual(2e-6 * Math.max(1, most));
}

test("reference case 5: the matrix for zero and for circular padding", () => {
  manualSeed(0);
  for (const padding of [0, 1]) {
    expectSame(new nn.Conv2d(3, 4, 3, { padding, bias: false }), [3, 7, 9]);
  }
  expectSame(new nn.Conv2d(2, 3, 3, { padding: 1, paddingMode: "circular", bias: false }), [2, 5, 5]);
});

test("the matrix has the kernel in it, moved by one place from row to row", async () => {
  const conv = new nn.Conv2d(1, 1, [1, 2], { padding: [0, 1], bias: false });
  conv.weight = new nn.Parameter(tensor([[[[3, 5]]]]));
  const { weight, bias } = convToLinear(conv, [1, 1, 3]);
  expect(await weight.toArray()).toEqual([
    [5, 0, 0],
    [3, 5, 0],
    [0, 3, 5],
    [0, 0, 3],
  ]);
  expect(bias).toBeNull();
});

test("taps that read the same element are added up", async () => {
  const conv = new nn.Conv2d(1, 1, [1, 3], { padding: [0, 1], paddingMode: "replicate" });
  conv.weight = new nn.Parameter(tensor([[[[3, 5, 7]]]]));
  conv.bias = new nn.Parameter(tensor([2]));
  const { weight, bias } = convToLinear(conv, [1, 1, 2]);
  expect(await weight.toArray()).toEqual([
    [8, 7],
    [3, 12],
  ]);
  expect(await bias?.toArray()).toEqual([2, 2]);
});

test("any setting of the convolution", () => {
  const settings = fc.record({
    channels: fc.integer({ min: 1, max: 2 }),
    out: fc.integer({ min: 1, max: 2 }),
    groups: fc.integer({ min: 1, max: 2 }),
    kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 })),
    padding: fc.oneof(
      fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 })),
      fc.constantFrom("same" as const, "valid" as const),
    ),
    dilation: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
    bias: fc.boolean(),
    paddingMode: fc.constantFrom("zeros" as const, "reflect" as const, "replicate" as const, "circular" as const),
    extents: fc.tuple(fc.integer({ min: 5, max: 7 }), fc.integer({ min: 5, max: 7 })),
    dtype: fc.constantFrom("float32" as const, "float64" as const),
  });
  fc.assert(
    fc.property(settings, ({ channels, out, groups, kernel, extents, stride, ...rest }) => {
      const options = { ...rest, groups, stride: rest.padding === "same" ? 1 : stride };
      expectSame(new nn.Conv2d(channels * groups, out * groups, kernel, options), [channels * groups, ...extents]);
    }),
    { numRuns: 150 },
  );
});

test("it takes nothing from the generator, leaves nothing behind and shares nothing", () => {
  const conv = new nn.Conv2d(1, 2, 3);
  manualSeed(3);
  const wanted = rand([1]).itemSync();
  manualSeed(3);
  const before = memoryStats().bytes;
  const linear = convToLinear(conv, [1, 8, 8]);
  const own = 4 * (72 * 64 + 72);
  expect(memoryStats().bytes - before).toBe(own);
  expect(rand([1]).itemSync()).toBe(wanted);
  const held = linear.weight.sum().itemSync();
  noGrad(() => conv.weight.fill_(0));
  expect(linear.weight.sum().itemSync()).toBe(held);
  linear
    .forward(rand([1, 64]))
    .sum()
    .backward();
  expect(linear.weight.grad?.shape).toEqual([72, 64]);
  expect(conv.weight.grad).toBeNull();
});

const conv = new nn.Conv2d(3, 4, 3);
test.each<[string, () => unknown, Error]>([
  [
    "a layer of another kind",
    () => convToLinear(new nn.Linear(1, 1) as unknown as nn.Conv2d, [1, 2, 2]),
    new ArgumentError(
      "convToLinear: got something else as the layer; expected a Conv2d. Pass the layer before the shape.",
    ),
  ],
  [
    "a shape with batch",
    () => convToLinear(conv, [1, 3, 8, 8]),
    new ShapeError(
      "convToLinear: got inputShape [1, 3, 8, 8]; expected [3, height, width], for a convolution of 3 channels. Leave out the batch.",
    ),
  ],
  [
    "other channels",
    () => convToLinear(conv, [1, 8, 8]),
    new ShapeError(
      "convToLinear: got inputShape [1, 8, 8]; expected [3, height, width], for a convolution of 3 channels. Leave out the batch.",
    ),
  ],
  [
    "no shape",
    () => convToLinear(conv, 8 as unknown as number[]),
    new ShapeError(
      "convToLinear: got inputShape 8; expected [3, height, width], for a convolution of 3 channels. Leave out the batch.",
    ),
  ],
])("refuses %s", (_, call, error) => {
  expect(call).toThrow(error);
});

test("refuses an image that is smaller than the kernel", () => {
  expect(() => convToLinear(conv, [3, 2, 8])).toThrow(/^Conv2d\(3, 4, .*unfold: got/);
});
