/** Running a network of examples/networks and comparing it with PyTorch's run of the same, of which golden/networks.json tells. */
import { readFileSync } from "node:fs";
import { type Device, manualSeed, nn, noGrad, optim, randint, randn, type Tensor, tensor } from "tapegrad";
import { expect } from "vitest";
import { MobileNetV2 } from "../../examples/networks/mobileNetV2.js";
import { ResNet18 } from "../../examples/networks/resNet18.js";
import { UNet } from "../../examples/networks/uNet.js";
import { VGG11 } from "../../examples/networks/vgg11.js";
import { VisionTransformer } from "../../examples/networks/visionTransformer.js";

/** A tensor: all of its elements, or what can be told of a large one. */
type Digest =
  | { readonly data: readonly number[] }
  | {
      readonly norm: number;
      /** Of elements times numbers that depend on their places. */
      readonly sum: number;
      /** The largest magnitude. */
      readonly most: number;
      /** Elements that divide it into three parts. */
      readonly some: readonly number[];
    };

type Digests = Readonly<Record<string, Digest>>;

/** One pass with gradients. */
interface Pass {
  readonly output: Digest;
  readonly loss: number;
  readonly input: Digest;
  readonly gradients: Digests;
}

export interface NetworkCase {
  readonly name: string;
  readonly network: keyof typeof networks;
  /** What the network is made with. */
  readonly args: readonly unknown[];
  readonly shape: readonly number[];
  readonly seed: number;
  readonly classes: number;
  readonly parameterCount: number;
  readonly weights: Digests;
  readonly training: Pass;
  /** After the pass in training mode. */
  readonly buffers: Digests;
  readonly evaluation: Pass;
  /** Learning rate of a training run. */
  readonly lr: number;
  /** Of its steps; none for large forms. */
  readonly losses: readonly number[];
}

const networks = { ResNet18, VGG11, MobileNetV2, UNet, VisionTransformer };

const golden = readFileSync(new URL("../golden/networks.json", import.meta.url), "utf8");
export const cases = (JSON.parse(golden) as { cases: NetworkCase[] }).cases;

/** How far a number may be from PyTorch's, as a part of the largest magnitude in its tensor. */
const TOLERANCE = 1e-4;

/** A network with its batch, as the Python script makes them. */
export interface Prepared {
  readonly model: nn.Layer;
  readonly images: Tensor;
  readonly labels: Tensor;
}

/** Makes the network and its batch from the seed. */
export function prepare({ network, args, shape, seed, classes }: NetworkCase): Prepared {
  manualSeed(seed);
  const model: nn.Layer = Reflect.construct(networks[network], args);
  const images = randn(shape);
  const [batch = 0, , ...plane] = shape;
  return { model, images, labels: randint(classes, network === "UNet" ? [batch, ...plane] : [batch]) };
}

/** As the Python script does: three channels of four beyond the corner of ReLU, one far below it. */
export function keepFromCorners(model: nn.Module): void {
  for (const module of model.modules()) {
    if (!(module instanceof nn.BatchNorm2d)) continue;
    const { weight, bias, numFeatures } = module;
    if (weight === null || bias === null) continue;
    nn.init.constant_(weight, 0.5);
    const offsets = tensor(Array.from({ length: numFeatures }, (_, channel) => (channel % 4 === 0 ? -8 : 2)));
    noGrad(() => void bias.copy_(offsets));
  }
}

/** Moves it there. */
export function moved({ model, images, labels }: Prepared, device: Device): Prepared {
  return { model: model.to(device), images: images.to(device), labels: labels.to(device) };
}

/** Expects the outputs, the loss and all gradients of one pass to be PyTorch's. */
export async function expectPass({ model, images, labels }: Prepared, pass: Pass): Promise<void> {
  model.zeroGrad();
  const input = images.clone().requiresGrad_();
  const output = model.forward(input);
  const loss = nn.functional.crossEntropy(output, labels);
  loss.backward();
  expect(Math.abs((await loss.item()) / pass.loss - 1)).toBeLessThan(TOLERANCE);
  await expectDigests({ output: pass.output }, [["output", output]]);
  await expectDigests({ input: pass.input }, [["input", input.grad]]);
  const gradients = model.namedParameters().map(([name, { grad }]) => [name, grad] as const);
  await expectDigests(pass.gradients, gradients);
}

/** Expects the losses of a training run to be PyTorch's. */
export async function expectTraining(
  { model, images, labels }: Prepared,
  { lr, losses }: Pick<NetworkCase, "lr" | "losses">,
): Promise<void> {
  const optimizer = new optim.SGD(model.train().parameters(), { lr, momentum: 0.9 });
  for (const [step, expected] of losses.entries()) {
    optimizer.zeroGrad();
    const loss = nn.functional.crossEntropy(model.forward(images), labels);
    loss.backward();
    optimizer.step();
    const got = await loss.item();
    // Where hardly any loss is left, rounding is a larger part of it.
    if (!(Math.abs(got - expected) <= 1e-3 * Math.max(expected, 0.1)))
      expect.fail(`step ${step}: got ${got}; expected ${expected}`);
  }
}

/** Expects tensors of the given names and values. */
export async function expectDigests(
  expected: Digests,
  named: readonly (readonly [string, Tensor | null])[],
): Promise<void> {
  expect(named.map(([name]) => name).sort()).toEqual(Object.keys(expected).sort());
  // What is 0 but for rounding, such as the gradient of a bias before a batch norm, has no size of its own.
  const least = 1e-3 * Math.max(...Object.values(expected).map(mostOf));
  for (const [name, tensor] of named) {
    if (tensor === null) expect.fail(`${name}: there is none`);
    expectDigest(name, await tensor.data(), expected[name] ?? { data: [] }, least);
  }
}

function expectDigest(name: string, values: ArrayLike<number>, expected: Digest, least: number): void {
  const size = Math.max(mostOf(expected), least);
  const near = (what: string, got: number, want: number, scale: number): void => {
    if (!(Math.abs(got - want) <= TOLERANCE * scale)) expect.fail(`${name}, ${what}: got ${got}; expected ${want}`);
  };
  if ("data" in expected) {
    expect(values).toHaveLength(expected.data.length);
    for (const [i, want] of expected.data.entries()) near(`element ${i}`, values[i] ?? Number.NaN, want, size);
    return;
  }
  let [squares, sum, most] = [0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? Number.NaN;
    squares += value * value;
    sum += value * ((Math.imul(i, 2654435761) >>> 0) / 2 ** 32 - 0.5);
    most = Math.max(most, Math.abs(value));
  }
  const norm = Math.max(expected.norm, least * Math.sqrt(values.length));
  near("norm", Math.sqrt(squares), expected.norm, norm);
  near("sum", sum, expected.sum, norm);
  near("largest", most, expected.most, size);
  for (const [k, want] of expected.some.entries()) {
    const i = Math.floor((k * (values.length - 1)) / 3);
    near(`element ${i}`, values[i] ?? Number.NaN, want, size);
  }
}

function mostOf(digest: Digest): number {
  return "data" in digest ? Math.max(...digest.data.map(Math.abs)) : digest.most;
}

/** Whether a network has its full size. */
export function isLarge({ losses }: NetworkCase): boolean {
  return losses.length === 0;
}
