/** A mode that finds the op whose gradient became NaN first. */
import { ArgumentError, AutogradError, DeviceError } from "../errors.js";
import type { GradNode } from "./autograd.js";
import { refusePromise } from "./scopes.js";
import { formatShape } from "./shape.js";
import type { Tensor } from "./tensor.js";
import { isTracing, setTracing } from "./trace.js";

/**
 * Runs `fn`, forward and backward pass, so that a backward pass stops where a gradient becomes NaN: its error names the op and
 * the layer that it ran in, and the error's `cause` has the stack of its forward pass. That is slow: each op notes where it
 * runs, and each gradient is read. On the CPU only, for gradients elsewhere cannot be read without waiting.
 *
 * @throws AutogradError in a backward pass, where a gradient has a NaN.
 * @throws DeviceError in a backward pass, where gradients are not on the CPU.
 * @throws ArgumentError where `fn` is asynchronous; {@link setDetectAnomaly} goes with await.
 * @see https://pytorch.org/docs/stable/autograd.html#anomaly-detection
 */
export function detectAnomaly<T>(fn: () => T): T {
  const before = isTracing();
  setTracing(true);
  try {
    return refusePromise("detectAnomaly", fn());
  } finally {
    setTracing(before);
  }
}

/**
 * Switches on, or off, what {@link detectAnomaly} does for one function.
 *
 * @throws ArgumentError where `mode` is no boolean.
 * @see https://pytorch.org/docs/stable/autograd.html#torch.autograd.set_detect_anomaly
 */
export function setDetectAnomaly(mode: boolean): void {
  if (typeof mode !== "boolean") {
    throw new ArgumentError(
      `setDetectAnomaly: got ${String(mode)}; expected true or false. Use detectAnomaly for a function.`,
    );
  }
  setTracing(mode);
}

/** Whether backward passes look for NaN. */
export function isAnomalyEnabled(): boolean {
  return isTracing();
}

/** Checks a gradient that is nobody's fault on the tape: the one that a pass begins with, or one that a hook gave. */
export function checkGiven(where: string, g: Tensor): void {
  if (!isTracing()) return;
  const count = countNaN(g);
  if (count === 0) return;
  throw new AutogradError(
    `${where}: got a gradient of shape ${formatShape(g.shape)} with ${count} NaN; expected numbers. Look at where it comes from.`,
  );
}

/** Checks what an op's backward gave for its input `index`. */
export function checkPropagated(node: GradNode, index: number, g: Tensor): void {
  if (!isTracing()) return;
  const count = countNaN(g);
  if (count === 0) return;
  const layer = node.trace?.layer() ?? "";
  throw new AutogradError(
    `backward of ${node.name}${layer === "" ? "" : ` in ${layer}`}: got ${count} NaN in the gradient of its input ${index}, of shape ${formatShape(g.shape)}; expected numbers. ` +
      (node.trace === null
        ? "Run the forward pass inside detectAnomaly, too, to be told where it ran."
        : "The cause of this error is where it ran; keep its input away from there, with clamp or a small constant."),
    node.trace === null ? {} : { cause: node.trace.error },
  );
}

function countNaN(g: Tensor): number {
  if (g.kernels.readSync === null) {
    throw new DeviceError(
      `detectAnomaly: got a gradient on "${g.device}"; expected it on "cpu", where it can be read without waiting. Move the model and its data with .to("cpu") to look for NaN.`,
    );
  }
  let count = 0;
  for (const value of g.dataSync()) if (Number.isNaN(value)) count++;
  return count;
}
