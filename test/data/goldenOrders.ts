/** What PyTorch's loaders, samplers and splits give: test/golden/dataLoader.json, made by the script beside it. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { defaultGenerator, Generator, manualSeed } from "../../src/index.js";

/** The next 64-bit draw of each generator, after all that the case drew. */
interface Ends {
  readonly default: string;
  readonly own?: string;
}

interface Case {
  /** The seed of a generator that the call is given; null for none. The default generator starts from 0. */
  readonly own: number | null;
  readonly ends: Ends;
}

interface GoldenOrders {
  readonly loaders: readonly (Case & {
    readonly n: number;
    readonly options: { readonly batchSize: number; readonly shuffle: boolean; readonly dropLast: boolean };
    /** After how many batches a pass is left; then the file holds the head of each batch alone. */
    readonly stop: number | null;
    /** Indices for a SubsetRandomSampler. */
    readonly subset: readonly number[] | null;
    readonly length: number;
    readonly passes: readonly (readonly (readonly number[])[])[];
  })[];
  readonly randomSamplers: readonly (Case & {
    readonly n: number;
    readonly options: { readonly replacement: boolean; readonly numSamples?: number };
    readonly orders: readonly (readonly number[])[];
  })[];
  readonly subsetSamplers: readonly (Case & {
    readonly indices: readonly number[];
    readonly orders: readonly (readonly number[])[];
  })[];
  readonly splits: readonly (Case & {
    readonly n: number;
    readonly lengths: readonly number[];
    readonly parts: readonly (readonly number[])[];
  })[];
}

export const goldenOrders = JSON.parse(
  readFileSync(new URL("../golden/dataLoader.json", import.meta.url), "utf8"),
) as GoldenOrders;

/** Seeds the default generator, and makes the generator that the case has of its own, as an option. */
export function seeded({ own }: Case): { generator?: Generator } {
  manualSeed(0);
  return own === null ? {} : { generator: new Generator(own) };
}

export function expectEnds({ generator }: { generator?: Generator }, ends: Ends): void {
  expect(String(defaultGenerator.randomSeed()), "the default generator's next draw").toBe(ends.default);
  if (generator !== undefined) expect(String(generator.randomSeed()), "the generator's next draw").toBe(ends.own);
}
