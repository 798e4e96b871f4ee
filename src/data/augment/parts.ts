/** What augmenting transforms share: draws as torchvision makes them, and checks. */
import { ArgumentError, DTypeError, ShapeError } from "../../errors.js";
import { defaultGenerator, type Generator } from "../../tensor/random.js";
import { formatShape } from "../../tensor/shape.js";
import { commonKernels, type Tensor } from "../../tensor/tensor.js";
import { checkGenerator } from "../sampler.js";

/** Settings of what draws random numbers. */
export interface RandomOptions {
  /** Where the numbers come from. Default: the default generator, which `manualSeed` seeds. */
  readonly generator?: Generator;
}

/** Draws of single numbers, each as PyTorch makes it for a tensor of one element. */
export class Draws {
  private readonly given: Generator | undefined;

  constructor(where: string, { generator }: RandomOptions) {
    checkGenerator(where, generator);
    this.given = generator;
  }

  get generator(): Generator {
    return this.given ?? defaultGenerator;
  }

  /** Evenly from [from, to), in float32. */
  uniform(from: number, to: number): number {
    const out = new Float32Array(1);
    this.generator.fillUniform(out, from, to);
    return out[0] ?? 0;
  }

  /** A whole number from 0 to `end` − 1. */
  whole(end: number): number {
    const out = new Int32Array(1);
    this.generator.fillRandint(out, 0, end);
    return out[0] ?? 0;
  }
}

/** The nearest whole number; of two the even one, as in Python. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

/** Height and width of an image [..., height, width]. @throws ShapeError where it has fewer axes. */
export function extentsOf(where: string, x: Tensor, axes = 2): readonly [height: number, width: number] {
  commonKernels(where, x);
  if (x.ndim < axes) {
    const expected = axes === 2 ? "[…, height, width]" : "[…, channels, height, width]";
    throw new ShapeError(
      `${where}: got a tensor of shape ${formatShape(x.shape)}; expected an image ${expected}. Add the missing axes with .unsqueeze(0).`,
    );
  }
  return [x.size(-2), x.size(-1)];
}

/** @throws DTypeError where an image has no fractions. */
export function checkFractions(where: string, x: Tensor): void {
  if (x.dtype === "float32" || x.dtype === "float64") return;
  throw new DTypeError(
    `${where}: got a tensor of ${x.dtype}; expected float32 or float64. Use toTensor() before it, or .float().`,
  );
}

/** @throws ArgumentError where an option is not known. */
export function checkNames<Options extends object>(
  where: string,
  options: Options,
  known: readonly (keyof Options & string)[],
): void {
  const isObject = typeof options === "object" && options !== null && !Array.isArray(options);
  const strange = isObject
    ? Object.keys(options).find((name) => !(known as readonly string[]).includes(name))
    : String(options);
  if (strange === undefined) return;
  throw new ArgumentError(
    `${where}: got ${isObject ? "the option " : ""}${strange}${isObject ? "" : " as options"}; expected an object with ${known.join(", ")}. Correct its name, or leave it out.`,
  );
}

/** @throws ArgumentError where `value` is no finite number from `least` to `most`. */
export function checkShare(where: string, name: string, value: number, least: number, most: number): void {
  if (typeof value === "number" && value >= least && value <= most && Number.isFinite(value)) return;
  const range = `${least === -Infinity ? "" : ` of ${least} or more`}${most === Infinity ? "" : ` and ${most} or less`}`;
  throw new ArgumentError(`${where}: got ${name} ${String(value)}; expected a finite number${range}. Correct ${name}.`);
}

/** A range from one number (to both sides of `center`) or a pair. @throws ArgumentError where it is neither. */
export function rangeOf(
  where: string,
  name: string,
  value: number | readonly number[],
  { center = 0, least = -Infinity, most = Infinity }: { center?: number; least?: number; most?: number } = {},
): readonly [number, number] {
  const isNumber = typeof value === "number";
  const [from, to] = isNumber ? [Math.max(center - value, least), center + value] : value;
  const isRange = from !== undefined && to !== undefined && least <= from && from <= to && to <= most;
  if (isRange && Number.isFinite(from) && Number.isFinite(to) && (isNumber ? value >= 0 : value.length === 2)) {
    return [from, to];
  }
  const limits = least === -Infinity && most === Infinity ? "" : ` within [${least}, ${most}]`;
  throw new ArgumentError(
    `${where}: got ${name} ${isNumber ? value : `[${value.join(", ")}]`}; expected a number of 0 or more, or a range [from, to]${limits}. Correct ${name}.`,
  );
}

/** A size as [height, width]. @throws ArgumentError where an extent is no whole number of 1 or more. */
export function sizeOf(where: string, size: number | readonly number[]): readonly [height: number, width: number] {
  const [height, width, ...others] = typeof size === "number" ? [size, size] : size;
  const isExtent = (extent: number | undefined): extent is number => Number.isInteger(extent) && Number(extent) >= 1;
  if (isExtent(height) && isExtent(width) && others.length === 0) return [height, width];
  throw new ArgumentError(
    `${where}: got size ${typeof size === "number" ? size : `[${size.join(", ")}]`}; expected a whole number of 1 or more, or [height, width]. Correct the size.`,
  );
}
