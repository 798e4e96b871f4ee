import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nn, type Tensor } from "../../src/index.js";

/** A tensor as interchange.py writes it. */
export interface Packed {
  readonly shape: readonly number[];
  readonly values: readonly (number | string)[];
}

/** What interchange.py says of the files that it made. */
export interface Expected {
  readonly files: Readonly<Record<string, Readonly<Record<string, Packed>>>>;
  readonly input: Packed;
  readonly outputs: Readonly<Record<"net" | "everything", Packed>>;
}

/** Runs interchange.py; gives what it prints. */
export function interchange(...args: string[]): Promise<string> {
  const script = fileURLToPath(new URL("./interchange.py", import.meta.url));
  return new Promise((resolve, reject) => {
    execFile("python3", [script, ...args], (error, out, err) => (error ? reject(new Error(err)) : resolve(out)));
  });
}

export function expectedIn(folder: string): Expected {
  return JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as Expected;
}

/** The numbers of a tensor as interchange.py writes them. */
export function packed(tensor: Tensor): Packed {
  const values = [...tensor.dataSync()].map((value) => {
    if (Number.isNaN(value)) return "nan";
    if (Number.isFinite(value)) return value;
    return value > 0 ? "inf" : "-inf";
  });
  return { shape: [...tensor.shape], values };
}

/** The architecture of interchange.py's network. */
export class Net extends nn.Module {
  features = new nn.Sequential(
    new nn.Conv2d(1, 4, 3, { padding: 1 }),
    new nn.BatchNorm2d(4),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
  );
  fc = new nn.Linear(64, 3);

  forward(x: Tensor): Tensor {
    return this.fc.forward(this.features.forward(x).flatten(1));
  }
}

/** The error that a promise fails with. */
export async function failure(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("nothing was thrown");
}
