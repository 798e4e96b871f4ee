import type { KernelSet } from "../kernelSet.js";
import { elementCount } from "../strides.js";
import { BERNOULLI, TWISTER_WORDS } from "./assembly/kernelIds.js";
import type { Engine } from "./engine.js";
import { addressOf } from "./memory.js";

const STATE_BYTES = 4 * TWISTER_WORDS;

/** Random masks, drawn on one thread. */
export function randomKernels(engine: Engine): Required<Pick<KernelSet, "bernoulli">> {
  return {
    bernoulli(words, drawn, threshold, value, out) {
      let left = drawn;
      engine.withScratch(2 * STATE_BYTES, (scratch) => {
        const state = new Int32Array(engine.buffer, scratch, TWISTER_WORDS);
        state.set(words);
        engine.put(0, [scratch, drawn, scratch + STATE_BYTES, addressOf(out), elementCount(out.shape)]);
        engine.put(5, [Math.floor(threshold / 2 ** 32), threshold % 2 ** 32]);
        engine.fractions[7] = value;
        engine.launch(BERNOULLI, 1, 0);
        words.set(state);
        left = engine.words[1] ?? drawn;
      });
      return left;
    },
  };
}
