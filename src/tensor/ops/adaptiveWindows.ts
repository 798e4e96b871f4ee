/** Windows of which the number is given, and not the size. */
import { ArgumentError } from "../../errors.js";
import { formatSetting, type Pair } from "../window.js";

/** The output size that was asked for; null stands for the extent of the input. */
export function adaptiveSize(where: string, outputSize: unknown, height: number, width: number): Pair {
  const [rows, columns, ...rest]: readonly unknown[] = Array.isArray(outputSize)
    ? outputSize
    : [outputSize, outputSize];
  const size: readonly unknown[] = [rows === null ? height : rows, columns === null ? width : columns, ...rest];
  if (!size.every((extent) => Number.isInteger(extent) && Number(extent) >= 1) || size.length !== 2) {
    throw new ArgumentError(
      `${where}: got outputSize ${formatSetting(outputSize)}; expected a whole number of 1 or more, null to keep the extent, ` +
        `or a pair of them as [height, width]. Correct outputSize.`,
    );
  }
  return [Number(size[0]), Number(size[1])];
}

/** Start and end of each of `count` windows over an axis. */
export function adaptiveWindows(extent: number, count: number): Pair[] {
  return Array.from({ length: count }, (_, index) => [
    Math.floor((index * extent) / count),
    Math.ceil(((index + 1) * extent) / count),
  ]);
}

/** Kernel and stride of the adaptive windows where they are all alike, else null. */
export function evenWindows(extent: number, count: number): { kernel: number; stride: number } | null {
  const windows = adaptiveWindows(extent, count);
  const [[, kernel] = [0, extent], [stride] = [extent, extent]] = windows;
  const alike = windows.every(([start, end], index) => start === index * stride && end - start === kernel);
  return alike && stride > 0 ? { kernel, stride } : null;
}
