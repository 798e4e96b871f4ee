/** What the pickles of torch.save may name: ordered dictionaries, storages, tensors and their kinds. */
import { DataFormatError } from "../../errors.js";
import { MAX_ELEMENTS } from "../../tensor/shape.js";
import { type ElementKind, elementTypes } from "../elementTypes.js";
import type { Callable, Pickled, PickledKey, World } from "./pickle.js";

/** More axes no library makes. */
const MAX_AXES = 64;

/** Elements of one kind in a file of the archive. */
export class TorchStorage {
  constructor(
    /** The name of its file. */
    readonly key: string,
    /** Null: bytes, whose kind the tensor tells. */
    readonly kind: ElementKind | null,
    /** Number of elements; of bytes, where the kind is not told. */
    readonly length: number,
  ) {}
}

/** A tensor as a pickle describes it: a view of a storage. */
export class TorchTensor {
  constructor(
    readonly storage: TorchStorage,
    readonly kind: ElementKind,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
    readonly offset: number,
  ) {}
}

/** A name that stands for a kind of elements: a class of storages, or a dtype. */
class Kind {
  constructor(readonly kind: ElementKind | null) {}
}

const storageKinds: Readonly<Record<string, ElementKind>> = {
  DoubleStorage: "float64",
  FloatStorage: "float32",
  HalfStorage: "float16",
  BFloat16Storage: "bfloat16",
  LongStorage: "int64",
  IntStorage: "int32",
  ShortStorage: "int16",
  CharStorage: "int8",
  ByteStorage: "uint8",
  BoolStorage: "bool",
};

/** The names that pickles in `file` may use. */
export function torchWorld(file: string): World {
  const bad = (got: string, expected: string): DataFormatError =>
    new DataFormatError(
      `load: got ${got} in ${file}; expected ${expected}. The file is damaged, or was not made by torch.save.`,
    );

  const isCount = (value: Pickled | undefined): value is number =>
    Number.isSafeInteger(value) && (value as number) >= 0;
  const areCounts = (value: Pickled | undefined): value is number[] =>
    Array.isArray(value) && value.length <= MAX_AXES && value.every(isCount);

  function tensor(storage: Pickled | undefined, kind: ElementKind | null, args: readonly Pickled[]): TorchTensor {
    const [offset, shape, strides] = args;
    if (!(storage instanceof TorchStorage) || kind === null) throw bad("a tensor without a storage", "one");
    if (!isCount(offset) || !areCounts(shape) || !areCounts(strides) || shape.length !== strides.length) {
      throw bad("a tensor with a shape or strides that are none", "whole numbers of 0 or more, one for each axis");
    }
    const count = shape.reduce((product, extent) => product * extent, 1);
    const last = shape.reduce((sum, extent, axis) => sum + (extent - 1) * (strides[axis] ?? 0), offset);
    const length = storage.kind === null ? Math.floor(storage.length / elementTypes[kind].bytes) : storage.length;
    if (!(count <= MAX_ELEMENTS) || (count > 0 ? !(last < length) : offset > length)) {
      throw bad(
        `a tensor of shape [${shape.join(", ")}] with strides [${strides.join(", ")}] at ${offset}`,
        `one within its storage of ${length} elements`,
      );
    }
    return new TorchTensor(storage, kind, shape, strides, offset);
  }

  const callables: Readonly<Record<string, Callable>> = {
    "collections.OrderedDict": (args) => {
      if (args.length > 0) throw bad("an ordered dictionary with arguments", "none");
      return new Map<PickledKey, Pickled>();
    },
    "torch.Size": (args) => {
      if (!areCounts(args[0])) throw bad("a torch.Size that is none", "whole numbers of 0 or more");
      return args[0];
    },
    "torch._utils._rebuild_tensor_v2": ([storage, ...layout]) =>
      tensor(storage, storage instanceof TorchStorage ? storage.kind : null, layout),
    "torch._utils._rebuild_tensor_v3": ([storage, ...layout]) => {
      const dtype = layout[5];
      return tensor(storage, dtype instanceof Kind ? dtype.kind : null, layout);
    },
    "torch._utils._rebuild_parameter": ([data]) => {
      if (!(data instanceof TorchTensor)) throw bad("a parameter without a tensor", "one");
      return data;
    },
  };

  return {
    global(module, name) {
      const path = `${module}.${name}`;
      if (Object.hasOwn(callables, path)) return callables[path];
      if (path === "torch.storage.UntypedStorage") return new Kind(null);
      if (module !== "torch") return undefined;
      if (Object.hasOwn(storageKinds, name)) return new Kind(storageKinds[name] ?? null);
      return Object.hasOwn(elementTypes, name) ? new Kind(name as ElementKind) : undefined;
    },
    persistent(id) {
      const [what, kind, key, , length] = Array.isArray(id) ? id : [];
      if (what !== "storage" || !(kind instanceof Kind) || typeof key !== "string" || !isCount(length)) {
        throw bad("a reference to what is no storage", "a storage, its kind, its name and its length");
      }
      return new TorchStorage(key, kind.kind, length);
    },
  };
}
