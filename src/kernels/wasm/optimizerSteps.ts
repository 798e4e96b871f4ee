import type { Dense, KernelSet, L1Mode } from "../kernelSet.js";
import type { Loops } from "../reference/index.js";
import { elementCount } from "../strides.js";
import * as id from "./assembly/kernelIds.js";
import type { Engine } from "./engine.js";
import { addressOf } from "./memory.js";

/** Optimizer steps of float32 parameters, each in one pass. */
export function optimizerKernels(engine: Engine, fallback: Loops): Pick<KernelSet, "sgdStep" | "adamStep"> {
  function writeArrays(arrays: readonly (Dense | null)[]): void {
    arrays.forEach((array, slot) => {
      engine.words[slot] = array === null ? 0 : addressOf(array);
    });
  }

  function writePenalties(hyper: { lr: number; maximize: boolean; l1: number; l1Mode: L1Mode }): void {
    const { fractions } = engine;
    fractions[12] = hyper.maximize ? -1 : 1;
    fractions[13] = hyper.l1Mode === "subgradient" ? hyper.l1 : 0;
    fractions[14] = hyper.l1Mode === "proximal" ? hyper.lr * hyper.l1 : 0;
  }

  function run(kernel: number, parameter: Dense, cost: number): void {
    const count = elementCount(parameter.shape);
    engine.words[7] = count;
    engine.launch(kernel, Math.ceil(count / 4), cost * count, 1024);
  }

  return {
    sgdStep(parameter, grad, momentumBuffer, hyper) {
      if (parameter.dtype !== "float32") {
        fallback.sgdStep(parameter, grad, momentumBuffer, hyper);
        return;
      }
      writeArrays([parameter, grad, momentumBuffer]);
      writePenalties(hyper);
      const { words, fractions } = engine;
      words[3] = hyper.firstStep ? 1 : 0;
      words[4] = hyper.nesterov ? 1 : 0;
      fractions[8] = hyper.lr;
      fractions[9] = hyper.momentum;
      fractions[10] = 1 - hyper.dampening;
      fractions[11] = hyper.weightDecay;
      run(id.SGD_STEP, parameter, 2);
    },

    adamStep(parameter, grad, m, v, vMax, hyper) {
      if (parameter.dtype !== "float32") {
        fallback.adamStep(parameter, grad, m, v, vMax, hyper);
        return;
      }
      writeArrays([parameter, grad, m, v, vMax]);
      writePenalties(hyper);
      const { fractions } = engine;
      fractions[8] = hyper.beta1;
      fractions[9] = 1 - hyper.beta1;
      fractions[10] = hyper.beta2;
      fractions[11] = 1 - hyper.beta2;
      fractions[15] = hyper.decoupled ? 0 : hyper.weightDecay;
      fractions[16] = hyper.decoupled ? 1 - hyper.lr * hyper.weightDecay : 1;
      fractions[17] = -hyper.lr / (1 - hyper.beta1 ** hyper.step);
      fractions[18] = 1 / Math.sqrt(1 - hyper.beta2 ** hyper.step);
      fractions[19] = hyper.eps;
      run(id.ADAM_STEP, parameter, 4);
    },
  };
}
