/** jax-js on a GPU: products of matrices. */
import { blockUntilReady, defaultDevice, init, numpy as np, random } from "@jax-js/jax";

export const side = {
  name: "jax-js",
  prepare: (line) => (line.startsWith("matmul") ? matmul(512) : null),
};

async function matmul(size) {
  const devices = await init("webgpu");
  if (!devices.includes("webgpu")) throw new Error("jax-js finds no GPU");
  defaultDevice("webgpu");
  const a = random.normal(random.key(0), [size, size]);
  const b = random.normal(random.key(1), [size, size]);
  await blockUntilReady([a, b]);
  return async (times) => {
    const start = performance.now();
    for (let i = 0; i < times; i++) {
      // It computes nothing that nobody waits for.
      const product = np.matmul(a.ref, b.ref);
      await blockUntilReady(product);
      product.dispose();
    }
    return performance.now() - start;
  };
}
