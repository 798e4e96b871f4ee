/**
 * Time for the garbage collector: what nobody let go of is freed by finalizers, and they run between tasks only.
 *
 * @module
 */

import { importNode, isNode } from "../platform/node.js";
import { devicesCaughtUp } from "./device.js";
import { memoryStats } from "./memory.js";

/** A loop that awaits nothing but settled promises lets no other task run. It steps aside this often, in milliseconds. */
const PAUSE_EVERY = 10;

/** Growth in bytes, at the least and at the most, after which a collection is worth its time. */
const LEAST_GROWTH = 256 * 2 ** 20;
const GREATEST_GROWTH = 2 ** 30;

let lastPause = performance.now();

/** Bytes of tensors after the last collection, or the fewest since. */
let baseBytes = 0;

let collector: Promise<(() => void) | null> | null = null;

/**
 * Lets other tasks run if none did for some milliseconds. In Node, where tensors take up twice the bytes that they took up
 * after the last collection (and 256 MiB more at least, 1 GiB at most), it collects garbage first. Waits for devices that are
 * far behind with their work.
 */
export async function breathe(): Promise<void> {
  const { bytes } = memoryStats();
  baseBytes = Math.min(baseBytes, bytes);
  if (bytes - baseBytes >= Math.min(Math.max(baseBytes, LEAST_GROWTH), GREATEST_GROWTH)) {
    collector ??= findCollector();
    (await collector)?.();
    // Finalizers are queued by the collection; the first pause may end just before their turn.
    await pause();
    await pause();
    baseBytes = memoryStats().bytes;
  } else if (performance.now() - lastPause >= PAUSE_EVERY) {
    await pause();
  }
  await devicesCaughtUp();
}

/** Ends after the tasks that are due: a settled promise would not let them run. */
async function pause(): Promise<void> {
  await new Promise<void>((resolve) => {
    if (typeof setImmediate === "function") {
      setImmediate(resolve);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
  lastPause = performance.now();
}

/** The way to ask for a collection, or null where there is none. */
async function findCollector(): Promise<(() => void) | null> {
  const { gc } = globalThis;
  if (typeof gc === "function") return () => void gc();
  if (!isNode()) return null;
  try {
    const [{ setFlagsFromString }, { runInNewContext }] = await Promise.all([
      importNode("node:v8"),
      importNode("node:vm"),
    ]);
    // Only contexts made under the flag have it.
    setFlagsFromString("--expose-gc");
    const exposed: unknown = runInNewContext("gc");
    setFlagsFromString("--no-expose-gc");
    return typeof exposed === "function" ? () => void exposed() : null;
  } catch {
    // A runtime that offers Node's modules on another engine.
    return null;
  }
}
