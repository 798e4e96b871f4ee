/** The contents of ONNX files as plain objects, so that only proto/codec.ts knows how they are laid out in bytes. */

export type AttributeInit =
  | { readonly name: string; readonly kind: "int"; readonly value: bigint }
  | { readonly name: string; readonly kind: "float"; readonly value: number }
  | { readonly name: string; readonly kind: "string"; readonly value: string }
  | { readonly name: string; readonly kind: "ints"; readonly value: readonly bigint[] };

export interface NodeInit {
  readonly name: string;
  readonly opType: string;
  readonly input: string[];
  readonly output: string[];
  readonly attribute: AttributeInit[];
}

export interface InitializerInit {
  readonly name: string;
  readonly dataType: number;
  readonly dims: bigint[];
  readonly rawData: Uint8Array;
}

/** An extent, or the name of one that is open. */
export type DimensionInit = { readonly value: bigint } | { readonly param: string };

export interface ValueInfoInit {
  readonly name: string;
  readonly elemType: number;
  readonly dims: DimensionInit[];
}

export interface GraphInit {
  readonly name: string;
  readonly node: NodeInit[];
  readonly initializer: InitializerInit[];
  readonly input: ValueInfoInit[];
  readonly output: ValueInfoInit[];
  /** Texts that go with the model. */
  readonly metadata: Readonly<Record<string, string>>;
}
