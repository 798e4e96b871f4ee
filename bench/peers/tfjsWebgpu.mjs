/** TensorFlow.js on a GPU. Its images have their channels last, as is usual there. */
import * as tf from "@tensorflow/tfjs";
import { awaited, convolution, started } from "../webgpu/lines.js";

const { batch, channels, outChannels, size, kernel, padding } = convolution;

export const side = {
  name: "TensorFlow.js",
  async prepare(line) {
    // It looks for a GPU when it is loaded.
    await import("@tensorflow/tfjs-backend-webgpu");
    await tf.setBackend("webgpu");
    await tf.ready();
    // Small arrays are computed on the GPU like others.
    tf.env().set("WEBGPU_CPU_FORWARD", false);
    return works[line]();
  },
};

const works = {
  "LeNet-5, first step": leNet,
  "LeNet-5, batch 64": leNet,
  "add, dispatch": () => {
    const [a, b] = [tf.ones([16]), tf.ones([16])];
    return started((count) => {
      for (let i = 0; i < count; i++) tf.add(a, b).dispose();
    }, finish);
  },
  "matmul 512×512×512": () => {
    const [a, b] = [tf.randomNormal([512, 512]), tf.randomNormal([512, 512])];
    return awaited(() => tf.tidy(() => void tf.matMul(a, b)), finish);
  },
  conv2d: () => {
    const { x, filter } = convolutionTensors();
    return awaited(() => tf.tidy(() => void tf.conv2d(x, filter, 1, "same")), finish);
  },
  "conv2d, input gradient": () => {
    const { dy, filter } = convolutionTensors();
    return awaited(
      () => run("Conv2DBackpropInput", { dy, filter }, { inputShape: [batch, size, size, channels] }),
      finish,
    );
  },
  "conv2d, weight gradient": () => {
    const { x, dy } = convolutionTensors();
    const filterShape = [kernel, kernel, channels, outChannels];
    return awaited(() => run("Conv2DBackpropFilter", { x, dy }, { filterShape }), finish);
  },
};

function convolutionTensors() {
  return {
    x: tf.randomNormal([batch, size, size, channels]),
    filter: tf.randomNormal([kernel, kernel, channels, outChannels]),
    dy: tf.randomNormal([batch, size, size, outChannels]),
  };
}

/** Gradients have no function of their own. */
function run(name, inputs, attrs) {
  const settings = { strides: 1, pad: padding, dataFormat: "NHWC", dilations: 1, ...attrs };
  tf.engine().runKernel(name, inputs, settings).dispose();
}

/** LeNet-5 as in examples/models.ts, with Adam on random images. */
function leNet() {
  const images = tf.randomNormal([64, 28, 28, 1]);
  const labels = tf.oneHot(tf.cast(tf.randomUniform([64], 0, 10), "int32"), 10);
  const layer = (shape, fanIn) => {
    const bound = 1 / Math.sqrt(fanIn);
    return {
      w: tf.variable(tf.randomUniform(shape, -bound, bound)),
      b: tf.variable(tf.randomUniform([shape.at(-1)], -bound, bound)),
    };
  };
  const conv1 = layer([5, 5, 1, 6], 25);
  const conv2 = layer([5, 5, 6, 16], 150);
  const fc1 = layer([400, 120], 400);
  const fc2 = layer([120, 84], 120);
  const fc3 = layer([84, 10], 84);
  const scaled = (x) => tf.mul(tf.tanh(x), 1.7159);
  const linear = (x, { w, b }) => tf.add(tf.matMul(x, w), b);
  const block = (x, { w, b }, pad) => tf.avgPool(scaled(tf.add(tf.conv2d(x, w, 1, pad), b)), 2, 2, "valid");
  const lossOf = () => {
    const features = tf.reshape(block(block(images, conv1, "same"), conv2, "valid"), [64, 400]);
    const logits = linear(scaled(linear(scaled(linear(features, fc1)), fc2)), fc3);
    return tf.losses.softmaxCrossEntropy(labels, logits);
  };
  const optimizer = tf.train.adam(1e-3);
  return awaited(() => void optimizer.minimize(lossOf), finish);
}

/** Reads something that is computed after all that was launched. */
async function finish() {
  const last = tf.tidy(() => tf.fill([1], 1));
  await last.data();
  last.dispose();
}
