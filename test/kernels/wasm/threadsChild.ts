/** Starts a worker, lets it fall asleep, and has nothing more to do. */
import { createWasmKernels } from "../../../src/kernels/wasm/index.js";

const kernels = createWasmKernels({ threads: 2, alwaysShare: true });
const buffer = kernels.alloc("float32", 1 << 20);
const x = { buffer, dtype: "float32", shape: [1 << 20], strides: [1], offset: 0 } as const;
kernels.fill(x, 1);
setTimeout(() => {
  kernels.fill(x, 2);
  console.log(`${kernels.threads} threads: done`);
}, 300);
