/** The mode that names the op whose gradient became NaN first. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  ArgumentError,
  AutogradError,
  autograd,
  checkpoint,
  DeviceError,
  nn,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { createReferenceKernels } from "../../src/kernels/reference/index.js";
import { kernelsFor, registerKernels } from "../../src/tensor/device.js";

// Whoever reads memory that was given back reads NaN.
beforeEach(() => registerKernels("cpu", createReferenceKernels({ poison: true })));
afterEach(() => autograd.setDetectAnomaly(false));

const leaf = (...values: number[]): Tensor => tensor(values, { requiresGrad: true });

/** The root's derivative at 0 is infinite, and 0 · ∞ is NaN. */
function rootOfZero(x: Tensor): Tensor {
  return x.mul(0).sqrt().mul(0).sum();
}

function thrownBy(fn: () => unknown): Error {
  try {
    fn();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("nothing was thrown");
}

describe("detectAnomaly", () => {
  test("names the op, the gradient and, as its cause, where the forward pass ran", () => {
    const error = thrownBy(() => autograd.detectAnomaly(() => rootOfZero(leaf(1, 2)).backward()));
    expect(error).toBeInstanceOf(AutogradError);
    expect(error.message).toBe(
      "backward of sqrt: got 2 NaN in the gradient of its input 0, of shape [2]; expected numbers. " +
        "The cause of this error is where it ran; keep its input away from there, with clamp or a small constant.",
    );
    const { message, stack } = error.cause as Error;
    expect(message).toBe("the forward pass of sqrt was here");
    expect(stack).toContain("rootOfZero");
  });

  test("names the layer's path, also of one that is computed again", () => {
    class Root extends nn.Module {
      fc = new nn.Linear(2, 1);
      forward(x: Tensor): Tensor {
        return this.fc.forward(x).sum();
      }
    }
    class Net extends nn.Module {
      roots = new nn.Sequential(new Root());
      forward(x: Tensor): Tensor {
        return this.roots.forward(x);
      }
    }
    const net = new Net();
    const run = (): void => {
      // ∞ · 0 in the gradient of the weight.
      const x = tensor([[Number.POSITIVE_INFINITY, 1]]);
      net.forward(x).mul(0).backward();
    };
    expect(thrownBy(() => autograd.detectAnomaly(run)).message).toMatch(
      /^backward of \w+ in Net\.roots\.0\.fc: got 1 NaN/,
    );
    const x = leaf(1);
    const again = (): void => checkpoint(rootOfZero, x).backward();
    expect(thrownBy(() => autograd.detectAnomaly(again)).message).toContain("backward of sqrt: got 1 NaN");
  });

  test("says that it knows no place of what ran outside", () => {
    const y = rootOfZero(leaf(1));
    const error = thrownBy(() => autograd.detectAnomaly(() => y.backward()));
    expect(error.message).toContain("Run the forward pass inside detectAnomaly, too, to be told where it ran.");
    expect(error.cause).toBeUndefined();
  });

  test("blames nobody for a NaN that was passed in, or that a hook made", () => {
    autograd.setDetectAnomaly(true);
    expect(() =>
      leaf(1)
        .mul(2)
        .backward(tensor([Number.NaN])),
    ).toThrow("backward: got a gradient of shape [1] with 1 NaN; expected numbers. Look at where it comes from.");
    const x = leaf(1);
    x.registerHook((g) => g.mul(Number.NaN));
    expect(() => x.mul(2).backward()).toThrow("registerHook: got a gradient of shape [1] with 1 NaN;");
  });

  test("leaves good gradients alone, infinite ones too, and does nothing when it is off", () => {
    const x = leaf(1, 4);
    autograd.detectAnomaly(() => x.sqrt().sum().backward());
    expect(x.grad?.toArraySync()).toEqual([0.5, 0.25]);
    const zero = leaf(0);
    autograd.detectAnomaly(() => zero.sqrt().sum().backward());
    expect(zero.grad?.itemSync()).toBe(Number.POSITIVE_INFINITY);
    const y = leaf(1);
    rootOfZero(y).backward();
    expect(y.grad?.itemSync()).toBeNaN();
  });

  test("ends with the function, whatever happens, and setDetectAnomaly goes on", () => {
    expect(() =>
      autograd.detectAnomaly(() => {
        expect(autograd.isAnomalyEnabled()).toBe(true);
        throw new Error("mine");
      }),
    ).toThrow("mine");
    expect(autograd.isAnomalyEnabled()).toBe(false);
    autograd.setDetectAnomaly(true);
    autograd.detectAnomaly(() => undefined);
    expect(autograd.isAnomalyEnabled()).toBe(true);
  });

  test("refuses an asynchronous function, what is no boolean, and a device that cannot be read at once", () => {
    expect(() => autograd.detectAnomaly(async () => 1)).toThrow(ArgumentError);
    expect(() => autograd.setDetectAnomaly("on" as never)).toThrow("setDetectAnomaly: got on; expected true or false.");
    const x = leaf(1);
    const y = x.mul(2).sum();
    Object.defineProperty(kernelsFor("cpu"), "readSync", { value: null, configurable: true });
    const run = (): void => autograd.detectAnomaly(() => y.backward());
    expect(run).toThrow(DeviceError);
    expect(run).toThrow('detectAnomaly: got a gradient on "cpu"; expected it on "cpu"');
  });
});
