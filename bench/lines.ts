/** What is measured: each line makes its tensors and returns what is timed. bench/pytorch.py has the same under the same names. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { conv2d, data, manualSeed, nn, noGrad, optim, rand, randint, randn, type Tensor } from "tapegrad";
import { Cnn, LeNet5, Scratch } from "../examples/models.js";
import { MobileNetV2 } from "../examples/networks/mobileNetV2.js";
import { ResNet18 } from "../examples/networks/resNet18.js";
import { UNet } from "../examples/networks/uNet.js";
import { VGG11 } from "../examples/networks/vgg11.js";
import { VisionTransformer } from "../examples/networks/visionTransformer.js";
import { PyTorchExample, ResNet } from "./networks.js";

/** Does the work so many times. */
export type Work = (times: number) => void | Promise<void>;

export interface Line {
  /** As in bench/pytorch.py, and in the table. */
  readonly name: string;
  readonly prepare: () => Work | Promise<Work>;
  /** Unit of the time of one go. Default: milliseconds. */
  readonly unit?: "ms" | "µs";
  /** Images that one go handles; the table then shows thousands of images per second, not times. */
  readonly images?: number;
}

const { crossEntropy, nllLoss, mseLoss } = nn.functional;

/**
 * Whole training steps on one random batch: zeroGrad, forward, loss, backward, Adam.
 *
 * @param plane extents of the labels of an image; default: one for each image
 */
function training(
  name: string,
  make: () => nn.Layer,
  batchShape: readonly number[],
  lossOf: (output: Tensor, labels: Tensor) => Tensor,
  plane: readonly number[] = [],
): Line {
  const [batch = 0] = batchShape;
  return {
    name: `${name}, batch ${batch}`,
    prepare: () => {
      manualSeed(0);
      const model = make();
      const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
      const images = randn([...batchShape]);
      const labels = randint(10, [batch, ...plane]);
      return (times) => {
        for (let i = 0; i < times; i++) {
          optimizer.zeroGrad();
          lossOf(model.forward(images), labels).backward();
          optimizer.step();
        }
      };
    },
  };
}

/** One op without the tape. What it makes is given back at once. */
function op<T extends readonly [Tensor, ...Tensor[]]>(
  name: string,
  makeInputs: () => T,
  run: (...inputs: T) => Tensor,
): Line {
  return {
    name,
    prepare: () => {
      manualSeed(0);
      const inputs = makeInputs();
      return (times) => {
        for (let i = 0; i < times; i++) {
          noGrad(() => {
            run(...inputs);
          });
        }
      };
    },
  };
}

function adam(): Line {
  return {
    name: "Adam, 1 M weights",
    prepare: () => {
      const weights = new nn.Parameter(randn([1_000_000]));
      const optimizer = new optim.Adam([weights], { lr: 1e-3 });
      mseLoss(weights, randn([1_000_000])).backward();
      return (times) => {
        for (let i = 0; i < times; i++) optimizer.step();
      };
    },
  };
}

/** Adds in a row before the chain is dropped and begun anew. */
const chainLength = 1000;

function smallAdd(): Line {
  return {
    name: "add, 16 elements, taped",
    unit: "µs",
    prepare: () => {
      const a = randn([16]).requiresGrad_();
      const b = randn([16]);
      return async (times) => {
        let sum = a;
        for (let i = 1; i <= times; i++) {
          sum = sum.add(b);
          if (i % chainLength !== 0) continue;
          sum = a;
          // Finalizers, which free what nobody holds, run between tasks.
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
    },
  };
}

const mnistCount = 60_000;

function loading(): Line {
  return {
    name: "DataLoader of 64, images/s",
    images: mnistCount,
    prepare: async () => {
      const digits = new data.MNIST({ normalize: { mean: 0.1307, std: 0.3081 } });
      await digits.load();
      const loader = new data.DataLoader(digits, { batchSize: 64, shuffle: true });
      return async (times) => {
        for (let i = 0; i < times; i++) {
          let count = 0;
          for await (const [, labels] of loader) count += labels.numel();
          if (count !== mnistCount) throw new Error(`the loader gave ${count} images`);
        }
      };
    },
  };
}

/** A process that imports the built package, computes one loss and ends. */
function start(): Line {
  return {
    name: "start to first loss",
    prepare: () => {
      const cwd = fileURLToPath(new URL("..", import.meta.url));
      if (!existsSync(`${cwd}/dist/index.js`)) throw new Error("the package is not built: npm run build does that");
      return (times) => {
        for (let i = 0; i < times; i++) execFileSync(process.execPath, ["bench/start.mjs"], { cwd, stdio: "pipe" });
      };
    },
  };
}

export const lines: readonly Line[] = [
  training("scratch", () => new Scratch(), [1000, 1, 28, 28], nllLoss),
  training("LeNet-5", () => new LeNet5(), [100, 1, 28, 28], crossEntropy),
  training("pytorch/examples", () => new PyTorchExample(), [64, 1, 28, 28], nllLoss),
  training("cnn", () => new Cnn(), [64, 1, 28, 28], crossEntropy),
  training("ResNet", () => new ResNet(), [64, 3, 32, 32], crossEntropy),
  training("ResNet-18", () => new ResNet18(), [4, 3, 32, 32], crossEntropy),
  training("VGG-11", () => new VGG11(), [16, 3, 32, 32], crossEntropy),
  training("MobileNetV2", () => new MobileNetV2(), [8, 3, 32, 32], crossEntropy),
  training("U-Net", () => new UNet(3, 10, { width: 32 }), [2, 3, 64, 64], crossEntropy, [64, 64]),
  training("ViT", () => new VisionTransformer(), [8, 3, 32, 32], crossEntropy),
  op(
    "conv2d 8 to 16, 10×32×32",
    () => [randn([10, 8, 32, 32]), randn([16, 8, 3, 3])],
    (x, weight) => conv2d(x, weight),
  ),
  op(
    "matmul 512×512×512",
    () => [randn([512, 512]), randn([512, 512])],
    (a, b) => a.matmul(b),
  ),
  op(
    "add, 1 M elements",
    () => [rand([1_000_000]), rand([1_000_000])],
    (a, b) => a.add(b),
  ),
  op(
    "sum, 1 M elements",
    () => [rand([1_000_000])],
    (a) => a.sum(),
  ),
  op(
    "softmax, 1000×1000",
    () => [randn([1000, 1000])],
    (a) => a.softmax(1),
  ),
  adam(),
  smallAdd(),
  loading(),
  start(),
];
