import type { Tensor } from "./tensor.js";

/** Is told of each op that can be recorded as it ends: its name, and what it gives. Null but while somebody measures. */
export const opWatch: { ended: ((name: string, output: Tensor) => void) | null } = { ended: null };
