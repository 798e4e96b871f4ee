/** The table of cases that every kernel set must pass: each kernel of the contract, on many geometries and dtypes. */
import type { KernelCase } from "./bench.js";
import { elementwiseCases } from "./elementwiseCases.js";
import { matrixCases, matrixWrapCase } from "./matrixCases.js";
import { reduceAndIndexCases } from "./reduceCases.js";
import { trainingCases } from "./trainingCases.js";
import { windowCases } from "./windowCases.js";

export const kernelCases: readonly KernelCase[] = [
  ...elementwiseCases,
  ...reduceAndIndexCases,
  ...matrixCases,
  matrixWrapCase,
  ...windowCases,
  ...trainingCases,
];
