/** This library on a GPU. */
import {
  conv2d,
  grad,
  manualSeed,
  nn,
  noGrad,
  ones,
  optim,
  randint,
  randn,
  setDefaultDevice,
  type Tensor,
  zeros,
} from "tapegrad";
import { LeNet5 } from "../../examples/models.js";
import { awaited, convolution, type LineName, type Side, started, type Timed } from "./lines.js";

export const tapegrad: Side = {
  name: "tapegrad",
  async prepare(line) {
    await setDefaultDevice("webgpu");
    manualSeed(0);
    return works[line]();
  },
};

const works: Record<LineName, () => Timed> = {
  "LeNet-5, first step": leNet,
  "LeNet-5, batch 64": leNet,
  "add, dispatch": () => {
    const [a, b] = [ones([16]), ones([16])];
    return started(
      (count) =>
        noGrad(() => {
          for (let i = 0; i < count; i++) a.add(b).dispose();
        }),
      finish,
    );
  },
  "matmul 512×512×512": () => {
    const [a, b] = [randn([512, 512]), randn([512, 512])];
    return awaited(() => noGrad(() => void a.matmul(b)), finish);
  },
  conv2d: () => {
    const { x, weight } = convolutionTensors();
    return awaited(() => noGrad(() => void conv2d(x, weight, null, { padding: convolution.padding })), finish);
  },
  "conv2d, input gradient": () => {
    const { x, weight } = convolutionTensors();
    return gradient(x.requiresGrad_(), x, weight);
  },
  "conv2d, weight gradient": () => {
    const { x, weight } = convolutionTensors();
    return gradient(weight.requiresGrad_(), x, weight);
  },
};

function convolutionTensors() {
  const { batch, channels, outChannels, size, kernel } = convolution;
  return { x: randn([batch, channels, size, size]), weight: randn([outChannels, channels, kernel, kernel]) };
}

/** Backward alone: the graph is kept. */
function gradient(of: Tensor, x: Tensor, weight: Tensor): Timed {
  const y = conv2d(x, weight, null, { padding: convolution.padding });
  const gradOutputs = randn(y.shape);
  return awaited(() => {
    for (const g of grad(y, [of], { gradOutputs, retainGraph: true })) g?.dispose();
  }, finish);
}

/** A training step with Adam on random images. */
function leNet(): Timed {
  const model = new LeNet5();
  const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
  const [images, labels] = [randn([64, 1, 28, 28]), randint(10, [64])];
  return awaited(() => {
    optimizer.zeroGrad();
    nn.functional.crossEntropy(model.forward(images), labels).backward();
    optimizer.step();
  }, finish);
}

/** Reads something that is computed after all that was launched. */
async function finish(): Promise<void> {
  const last = zeros([1]);
  await last.item();
  last.dispose();
}
