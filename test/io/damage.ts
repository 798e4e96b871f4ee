/** Damage of every kind to bytes and to JSON, the same for the same seed. */
import { Generator } from "../../src/index.js";

export class Damage {
  private readonly generator: Generator;

  constructor(seed: number) {
    this.generator = new Generator(seed);
  }

  /** A whole number from 0 to n − 1. */
  below(n: number): number {
    return this.generator.random32() % n;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** The bytes with one to three changes: bits flipped, bytes set, cut out, put in or copied from elsewhere, the end cut off. */
  bytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    let out = Uint8Array.from(bytes);
    for (let left = 1 + this.below(3); left > 0; left--) {
      const at = this.below(out.length + 1);
      const length = this.below(9);
      switch (this.below(6)) {
        case 0:
          out[at] = (out[at] ?? 0) ^ (1 << this.below(8));
          break;
        case 1:
          out[at] = this.pick([0, 1, 0x7f, 0x80, 0xff, this.below(256)]);
          break;
        case 2:
          out = joined(out.subarray(0, at), out.subarray(at + length));
          break;
        case 3:
          out = joined(
            out.subarray(0, at),
            Uint8Array.from({ length }, () => this.below(256)),
            out.subarray(at),
          );
          break;
        case 4: {
          const from = this.below(out.length + 1);
          out = joined(out.subarray(0, at), out.subarray(from, from + length), out.subarray(at));
          break;
        }
        default:
          out = out.slice(0, at);
      }
    }
    return out;
  }

  /** The JSON value with one to three places in it replaced by other values, odd ones or ones from elsewhere in it. */
  json(value: unknown): unknown {
    const copy = { root: structuredClone(value) };
    for (let left = 1 + this.below(3); left > 0; left--) {
      const places = placesIn(copy);
      if (places.length === 0) break;
      const [holder, key] = this.pick(places);
      const [other, otherKey] = this.pick(places);
      const odd = [
        null,
        true,
        "",
        "F16",
        "BOOL",
        "NaN",
        0,
        1,
        2,
        -1,
        0.5,
        2 ** 31,
        2 ** 53,
        1e300,
        [],
        {},
        [0, 4],
        [4, 8],
      ];
      if (this.below(4) === 0) delete holder[key];
      else if (this.below(6) === 0) holder[this.pick(["x", "__proto__x", "dtype", "0", "tensor"])] = holder[key];
      else holder[key] = this.below(3) === 0 ? structuredClone(other[otherKey]) : this.pick(odd);
    }
    return copy.root;
  }
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

type Holder = Record<string, unknown>;

function placesIn(value: unknown, found: [Holder, string][] = []): [Holder, string][] {
  if (typeof value !== "object" || value === null) return found;
  // Long lists of numbers would be most of what is found.
  for (const key of Object.keys(value).slice(0, 40)) {
    found.push([value as Holder, key]);
    placesIn((value as Holder)[key], found);
  }
  return found;
}
