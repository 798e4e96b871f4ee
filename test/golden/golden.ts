/** The golden files: the JSON files beside this file, made by the scripts of the same name. */
import { readdirSync, readFileSync } from "node:fs";
import type { GoldenCase } from "./runCase.js";

/** Files that golden.py wrote are lists; other tests keep files of other forms here. */
export const goldenFiles = readdirSync(new URL(".", import.meta.url)).filter(
  (file) => file.endsWith(".json") && readFileSync(new URL(file, import.meta.url), "utf8").startsWith("["),
);

/** The cases of a file, by name. */
export function goldenCases(file: string): (readonly [name: string, each: GoldenCase])[] {
  const cases = JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8")) as GoldenCase[];
  return cases.map((each) => [`${each.op}: ${each.name}`, each] as const);
}
