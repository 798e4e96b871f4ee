/** LeNet-5 in jax-js, on its WASM backend, compiled by its jit. Adam is written out. */
import { readFileSync } from "node:fs";
import {
  blockUntilReady,
  defaultDevice,
  init,
  jit,
  lax,
  nn,
  numpy as np,
  random,
  tree,
  valueAndGrad,
} from "@jax-js/jax";

/** What is measured: a training step with Adam on random images, which gives its loss. */
export async function prepare(batch) {
  await init("wasm");
  defaultDevice("wasm");
  let key = 0;
  const weight = (shape, fanIn) =>
    random.uniform(random.key(key++), shape, { minval: -1 / Math.sqrt(fanIn), maxval: 1 / Math.sqrt(fanIn) });
  const layer = (shape, fanIn, outputs) => ({ w: weight(shape, fanIn), b: weight([outputs], fanIn) });
  let weights = {
    conv1: layer([6, 1, 5, 5], 25, 6),
    conv2: layer([16, 6, 5, 5], 150, 16),
    fc1: layer([400, 120], 400, 120),
    fc2: layer([120, 84], 120, 84),
    fc3: layer([84, 10], 84, 10),
  };
  let mean = tree.map((p) => np.zeros(p.shape), tree.ref(weights));
  let square = tree.map((p) => np.zeros(p.shape), tree.ref(weights));
  const images = random.normal(random.key(100), [batch, 1, 28, 28]);
  const labels = nn.oneHot(
    np.array(
      Array.from({ length: batch }, (_, i) => i % 10),
      { dtype: np.int32 },
    ),
    10,
  );

  const scaled = (x) => np.tanh(x).mul(1.7159);
  const linear = (x, { w, b }) => np.matmul(x, w).add(b);
  const convolution = (x, { w, b }, padding) => lax.conv(x, w, [1, 1], padding).add(b.reshape([1, -1, 1, 1]));
  const pool = (x) => {
    const [n, channels, height, width] = x.shape;
    return np.mean(x.reshape([n, channels, height / 2, 2, width / 2, 2]), [3, 5]);
  };
  const lossOf = ({ conv1, conv2, fc1, fc2, fc3 }, x, y) => {
    x = pool(scaled(convolution(x, conv1, "SAME")));
    x = pool(scaled(convolution(x, conv2, "VALID")));
    x = scaled(linear(x.reshape([batch, 400]), fc1));
    const logits = linear(scaled(linear(x, fc2)), fc3);
    return nn
      .logSoftmax(logits)
      .mul(y)
      .sum()
      .mul(-1 / batch);
  };
  const step = jit((weights, mean, square, x, y, rate, correction) => {
    const [loss, grads] = valueAndGrad(lossOf)(tree.ref(weights), x, y);
    mean = tree.map((m, g) => m.mul(0.9).add(g.mul(0.1)), mean, tree.ref(grads));
    square = tree.map((v, g) => v.mul(0.999).add(np.square(g).mul(0.001)), square, grads);
    weights = tree.map(
      (p, m, v) => p.sub(m.mul(rate.ref).div(np.sqrt(v).mul(correction.ref).add(1e-8))),
      weights,
      tree.ref(mean),
      tree.ref(square),
    );
    rate.dispose();
    correction.dispose();
    return { loss, weights, mean, square };
  });
  let t = 0;
  return async () => {
    t++;
    const rate = np.array(1e-3 / (1 - 0.9 ** t));
    const correction = np.array(1 / Math.sqrt(1 - 0.999 ** t));
    const next = step(weights, mean, square, images.ref, labels.ref, rate, correction);
    ({ weights, mean, square } = next);
    await blockUntilReady(tree.ref({ weights, mean, square }));
    return next.loss.item ? next.loss.item() : (await next.loss.data())[0];
  };
}

const manifest = new URL("node_modules/@jax-js/jax/package.json", import.meta.url);
export const version = JSON.parse(readFileSync(manifest, "utf8")).version;
