/** What a log is made of, before it is written in one format or another. */
import type { Shape } from "../../tensor/shape.js";
import type { Histogram } from "./histogram.js";

/** One thing that was logged, at one step. */
export interface Entry {
  readonly tag: string;
  /** One of several curves of the same tag, which TensorBoard draws as runs of their own. */
  readonly series?: string;
  readonly step: number;
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly content: Content;
}

export type Content =
  | { readonly kind: "scalar"; readonly value: number }
  | { readonly kind: "histogram"; readonly histogram: Histogram }
  | { readonly kind: "image"; readonly image: EncodedImage }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "graph"; readonly nodes: readonly ModelNode[] };

/** A picture as PNG. */
export interface EncodedImage {
  readonly width: number;
  readonly height: number;
  /** Of one pixel: 1 grey, 3 RGB, 4 RGBA. */
  readonly channels: number;
  readonly png: Uint8Array;
}

/** An op, a parameter or an input of a model. */
export interface ModelNode {
  /** Names of the modules around it and its own, joined by slashes; unique in its graph. */
  readonly name: string;
  readonly op: string;
  /** Names of the nodes that it takes tensors from. */
  readonly inputs: readonly string[];
  /** Shape of the tensor that it gives. */
  readonly shape: Shape;
}
