/**
 * Where a loader is: enough to go on with the same samples in the same order.
 *
 * @module
 */
import { ArgumentError } from "../errors.js";
import type { Generator, GeneratorState } from "../tensor/random.js";

/** One pass over the samples. */
export interface Pass {
  /** What it drew when it began: the seeds of its batches come from it. From 0 to 2³² − 1. */
  readonly seed: number;
  /** Batches that it has handed out. */
  given: number;
  /** Batches that it has drawn from its sampler: more than given, where some are in the making. */
  drawn: number;
  /** Whether the sampler was asked for another one and had none: that may have drawn from a generator too. */
  over: boolean;
  /** The generators, the default one first, as they were before it drew its first batch. */
  generators: readonly GeneratorState[];
}

/** What the `stateDict` of a loader gives, as plain data. */
export interface DataLoaderState {
  /** The pass that has begun and not ended, or null between passes. */
  readonly pass: Readonly<Pass> | null;
  /** The generators of the loader and its sampler as they are now, without the default one. */
  readonly generators: readonly GeneratorState[];
}

/**
 * Draws once more what a pass had drawn when its state was saved, with the generators as they were then, and puts them back.
 *
 * @returns the batches that had been drawn and not given
 * @throws ArgumentError where there are not as many.
 */
export function drawnBefore<T>(order: Iterator<T>, pass: Pass, generators: readonly Generator[]): T[] {
  const { given, drawn } = pass;
  const before = generators.map((generator) => generator.getState());
  const waiting: T[] = [];
  try {
    setStates(generators, pass.generators);
    for (let index = 0; index < drawn; index++) {
      const next = order.next();
      if (next.done === true) {
        throw new ArgumentError(
          `DataLoader: got a pass of ${index} batches; expected at least the ${drawn} that were drawn before. Make the loader as it was when its state was saved.`,
        );
      }
      if (index >= given) waiting.push(next.value);
    }
    if (pass.over) order.next();
  } finally {
    setStates(generators, before);
  }
  return waiting;
}

/** Sets each generator to the state in the same place. */
export function setStates(generators: readonly Generator[], states: readonly GeneratorState[]): void {
  generators.forEach((generator, index) => {
    const state = states[index];
    if (state !== undefined) generator.setState(state);
  });
}

/** @throws ArgumentError where it is not the state of a loader with so many generators of its own. */
export function checkLoaderState(state: DataLoaderState, generators: number): void {
  const bad = (got: string, expected: string): ArgumentError =>
    new ArgumentError(
      `DataLoader.loadStateDict: got ${got}; expected ${expected}. Make the loader as it was when its state was saved.`,
    );
  if (typeof state !== "object" || state === null || !Array.isArray(state.generators)) {
    throw bad(String(state), "what stateDict() gave");
  }
  const { pass } = state;
  if (state.generators.length !== generators) {
    throw bad(`the state of ${state.generators.length} generators`, `that of ${generators}`);
  }
  if (pass === null) return;
  const { seed, given, drawn, over } = pass ?? {};
  if (!isCount(given) || !isCount(drawn) || drawn < given || typeof over !== "boolean") {
    throw bad("a pass without the number of its batches", "what stateDict() gave");
  }
  const began = drawn === 0 && !over ? 0 : generators + 1;
  if (!Array.isArray(pass.generators) || pass.generators.length !== began) {
    throw bad(`a pass that began with ${pass.generators?.length} generators`, `${began}`);
  }
  if (!isCount(seed) || seed >= 2 ** 32) throw bad("a pass without its seed", "what stateDict() gave");
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
