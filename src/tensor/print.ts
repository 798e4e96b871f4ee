import type { Tensor } from "./tensor.js";

export function formatTensor(x: Tensor): string {
  return `tensor(${JSON.stringify(x.toArraySync())})`;
}
