/** LeNet-5 in TensorFlow.js, on its backend for CPUs in plain JavaScript: the WASM backend computes no gradients. */
import * as tf from "@tensorflow/tfjs";

/** What is measured: a training step with Adam on random images, which gives its loss. */
export async function prepare(batch) {
  await tf.setBackend("cpu");
  const images = tf.randomNormal([batch, 28, 28, 1]);
  const labels = tf.oneHot(tf.randomUniform([batch], 0, 10, "int32"), 10);
  const weight = (shape, fanIn) => tf.variable(tf.randomUniform(shape, -1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn)));
  const layer = (shape, fanIn) => ({ w: weight(shape, fanIn), b: weight([shape.at(-1)], fanIn) });
  const conv1 = layer([5, 5, 1, 6], 25);
  const conv2 = layer([5, 5, 6, 16], 150);
  const fc1 = layer([400, 120], 400);
  const fc2 = layer([120, 84], 120);
  const fc3 = layer([84, 10], 84);
  const scaled = (x) => tf.tanh(x).mul(1.7159);
  const linear = (x, { w, b }) => x.matMul(w).add(b);
  const pool = (x) => tf.avgPool(x, 2, 2, "valid");
  const lossOf = () => {
    let x = pool(scaled(tf.conv2d(images, conv1.w, 1, "same").add(conv1.b)));
    x = pool(scaled(tf.conv2d(x, conv2.w, 1, "valid").add(conv2.b)));
    x = scaled(linear(x.reshape([batch, 400]), fc1));
    return tf.losses.softmaxCrossEntropy(labels, linear(scaled(linear(x, fc2)), fc3));
  };
  const optimizer = tf.train.adam(1e-3);
  return () => {
    const loss = optimizer.minimize(lossOf, true);
    const value = loss.dataSync()[0];
    loss.dispose();
    return value;
  };
}

export const version = tf.version.tfjs;
