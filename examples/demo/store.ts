/** What the browser keeps of the run until the page is opened again. */
import { del, get, set } from "idb-keyval";
import type { Device } from "tapegrad";

const key = "tapegrad demo: run";

/** A saved run, and where it was trained. */
export interface Kept {
  readonly device: Device;
  readonly blob: Blob;
}

/** What was kept, or null. */
export async function kept(): Promise<Kept | null> {
  return (await get<Kept>(key)) ?? null;
}

export function keep(run: Kept): Promise<void> {
  return set(key, run);
}

export function forget(): Promise<void> {
  return del(key);
}
