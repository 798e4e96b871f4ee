/** Which arrays of a file are learnt, which go along with training, and which stay what they are. */
import { PARAMETERS, STATISTICS } from "../opset.js";
import type { StringStringEntryProto } from "../proto/onnx_pb.js";
import type { NodeOfFile } from "./node.js";
import type { Elements } from "./tensors.js";

export type Role = "parameter" | "statistic" | "constant";

/** Inputs of operators that are settings, though they have fractions. */
const settings: Readonly<Record<string, readonly number[]>> = {
  Clip: [1, 2],
  Dropout: [1, 2],
  Pad: [2],
};

/** Files of this library say it; of other files, arrays with fractions are learnt unless they are single numbers or settings. */
export function rolesOf(
  nodes: readonly NodeOfFile[],
  arrays: ReadonlyMap<string, Elements>,
  metadata: readonly StringStringEntryProto[],
): Map<string, Role> {
  const roles = new Map<string, Role>();
  const said = (key: string): readonly string[] | null => namesIn(metadata.find((entry) => entry.key === key)?.value);
  const [parameters, statistics] = [said(PARAMETERS), said(STATISTICS)];
  const isFloat = (name: string): boolean => /^float/.test(arrays.get(name)?.dtype ?? "");
  if (parameters !== null && statistics !== null) {
    for (const name of parameters) if (isFloat(name)) roles.set(name, "parameter");
    for (const name of statistics) if (arrays.has(name)) roles.set(name, "statistic");
    return roles;
  }
  for (const { op, inputs } of nodes) {
    inputs.forEach((name, index) => {
      const elements = arrays.get(name);
      if (elements === undefined || !isFloat(name)) return;
      if (op === "BatchNormalization" && index >= 3) roles.set(name, "statistic");
      else if (elements.shape.length > 0 && settings[op]?.includes(index) !== true && !roles.has(name)) {
        roles.set(name, "parameter");
      }
    });
  }
  return roles;
}

function namesIn(text: string | undefined): readonly string[] | null {
  if (text === undefined) return null;
  try {
    const names: unknown = JSON.parse(text);
    return Array.isArray(names) && names.every((name) => typeof name === "string") ? names : null;
  } catch {
    return null;
  }
}

/** Names for the state dict: without signs that paths do not have, and different from one another. */
export function legalNames(names: readonly string[]): Map<string, string> {
  const taken = new Set<string>();
  const counts = new Map<string, number>();
  return new Map(
    names.map((name) => {
      const signs = name.replace(/[^A-Za-z0-9_.]/g, "_").replace(/\.{2,}/g, ".");
      const legal = signs.replace(/^\.|\.$/g, "") || "array";
      let unique = legal;
      for (let count = counts.get(legal) ?? 1; taken.has(unique); count++) {
        unique = `${legal}_${count}`;
        counts.set(legal, count + 1);
      }
      taken.add(unique);
      return [name, unique];
    }),
  );
}
