/**
 * A machine for the few pickle instructions that torch.save writes. It builds plain values and nothing else: a name in the
 * file stands for one of the functions that it was given, or the file is refused.
 *
 * @see https://docs.python.org/3/library/pickletools.html
 * @module
 */
import { DataFormatError } from "../../errors.js";

/** What a pickle can hold here. Dictionaries are maps; lists and tuples are arrays; big whole numbers are bigints. */
export type Pickled = null | boolean | number | bigint | string | Pickled[] | Map<PickledKey, Pickled> | object;

/** What a dictionary's key can be. */
export type PickledKey = null | boolean | number | bigint | string;

/** A function of Python's that a pickle may call, by what it does here. */
export type Callable = (args: readonly Pickled[]) => Pickled;

/** What the machine may know of the world. */
export interface World {
  /** What a name of a module stands for: a {@link Callable}, or a value; undefined where it is none of the known ones. */
  global(module: string, name: string): Callable | object | undefined;
  /** What a reference to something outside of the pickle stands for. */
  persistent(id: Pickled): Pickled;
}

const MARK = Symbol("mark");

/** Lists, dictionaries and calls in one pickle: a tensor takes five, and a file shall not fill the memory with empty ones. */
const MAX_OBJECTS = 2 ** 22;

/**
 * The value that a pickle makes.
 *
 * @throws DataFormatError for instructions and names that are not known, and wherever the pickle is damaged.
 */
export function unpickle(bytes: Uint8Array, world: World, file: string): Pickled {
  return new Machine(bytes, world, file).run();
}

class Machine {
  private at = 0;
  private objects = 0;
  private readonly view: DataView;
  private readonly stack: (Pickled | typeof MARK)[] = [];
  private readonly memo = new Map<number, Pickled>();

  constructor(
    private readonly bytes: Uint8Array,
    private readonly world: World,
    private readonly file: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  run(): Pickled {
    for (;;) {
      const at = this.at;
      const opcode = this.take(1).getUint8(0);
      if (opcode === 0x2e) {
        const result = this.pop();
        if (this.stack.length > 0) throw this.bad(`${this.stack.length} values too many`, "one");
        return result;
      }
      this.step(opcode, at);
    }
  }

  /** One instruction; the names in the comments are pickletools'. */
  private step(opcode: number, at: number): void {
    const { stack } = this;
    switch (opcode) {
      case 0x80: // PROTO
        this.take(1);
        return;
      case 0x95: // FRAME
        this.take(8);
        return;
      case 0x28: // MARK
        stack.push(MARK);
        return;
      case 0x4e: // NONE
        stack.push(null);
        return;
      case 0x88: // NEWTRUE
        stack.push(true);
        return;
      case 0x89: // NEWFALSE
        stack.push(false);
        return;
      case 0x4b: // BININT1
        stack.push(this.take(1).getUint8(0));
        return;
      case 0x4d: // BININT2
        stack.push(this.take(2).getUint16(0, true));
        return;
      case 0x4a: // BININT
        stack.push(this.take(4).getInt32(0, true));
        return;
      case 0x8a: // LONG1
        stack.push(this.long(this.take(1).getUint8(0)));
        return;
      case 0x47: // BINFLOAT
        stack.push(this.take(8).getFloat64(0, false));
        return;
      case 0x58: // BINUNICODE
        stack.push(this.text(this.take(4).getUint32(0, true)));
        return;
      case 0x8c: // SHORT_BINUNICODE
        stack.push(this.text(this.take(1).getUint8(0)));
        return;
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        this.make([]);
        return;
      case 0x7d: // EMPTY_DICT
        this.make(new Map());
        return;
      case 0x61: // APPEND
        this.append([this.pop()]);
        return;
      case 0x65: // APPENDS
        this.append(this.popToMark());
        return;
      case 0x73: // SETITEM
        this.setItems([this.pop(), this.pop()].reverse());
        return;
      case 0x75: // SETITEMS
        this.setItems(this.popToMark());
        return;
      case 0x74: // TUPLE
        this.make(this.popToMark());
        return;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        this.make(Array.from({ length: opcode - 0x84 }, () => this.pop()).reverse());
        return;
      case 0x71: // BINPUT
        this.memo.set(this.take(1).getUint8(0), this.top());
        return;
      case 0x72: // LONG_BINPUT
        this.memo.set(this.take(4).getUint32(0, true), this.top());
        return;
      case 0x94: // MEMOIZE
        this.memo.set(this.memo.size, this.top());
        return;
      case 0x68: // BINGET
        this.get(this.take(1).getUint8(0));
        return;
      case 0x6a: // LONG_BINGET
        this.get(this.take(4).getUint32(0, true));
        return;
      case 0x63: // GLOBAL
        this.global(this.line(), this.line());
        return;
      case 0x93: {
        // STACK_GLOBAL
        const [name, module] = [this.pop(), this.pop()];
        this.global(module, name);
        return;
      }
      case 0x51: // BINPERSID
        this.make(this.world.persistent(this.pop()));
        return;
      case 0x52: {
        // REDUCE
        const [args, callable] = [this.pop(), this.pop()];
        if (typeof callable !== "function" || !Array.isArray(args)) {
          throw this.bad("a call of what is no function", "a function and its arguments");
        }
        this.make((callable as Callable)(args));
        return;
      }
      case 0x62: // BUILD
        // Attributes of an ordered dictionary, such as the versions of a state dict's modules.
        this.pop();
        if (!(this.top() instanceof Map)) throw this.bad("attributes of what is no dictionary", "a dictionary");
        return;
      default:
        throw new DataFormatError(
          `load: got the pickle instruction 0x${opcode.toString(16).padStart(2, "0")} at byte ${at} of ${this.file}; ` +
            "expected those that a dictionary of tensors needs, since nothing else is ever run. Save model.state_dict() alone.",
        );
    }
  }

  private take(length: number): DataView {
    const start = this.at;
    if (start + length > this.bytes.length) throw this.bad("an end in the middle of an instruction", "a whole pickle");
    this.at += length;
    return new DataView(this.view.buffer, this.view.byteOffset + start, length);
  }

  private text(length: number): string {
    const view = this.take(length);
    try {
      const bytes = new Uint8Array(view.buffer, view.byteOffset, length);
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw this.bad("a text that is not UTF-8", "UTF-8");
    }
  }

  private line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw this.bad("a name without an end", "a line");
    const text = this.text(end - this.at);
    this.at++;
    return text;
  }

  private long(length: number): number | bigint {
    const view = this.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(view.getUint8(i));
    value = BigInt.asIntN(8 * length, value);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  private make(object: Pickled): void {
    this.objects++;
    if (this.objects > MAX_OBJECTS) throw this.bad(`${this.objects} lists and dictionaries`, `at most ${MAX_OBJECTS}`);
    this.stack.push(object);
  }

  private top(): Pickled {
    const top = this.stack.at(-1);
    if (top === undefined || top === MARK) throw this.bad("an instruction without a value", "one before it");
    return top as Pickled;
  }

  private pop(): Pickled {
    const top = this.top();
    this.stack.pop();
    return top;
  }

  private popToMark(): Pickled[] {
    const mark = this.stack.lastIndexOf(MARK);
    if (mark < 0) throw this.bad("an instruction without a mark", "one before it");
    const values = this.stack.splice(mark) as Pickled[];
    return values.slice(1);
  }

  private get(key: number): void {
    const value = this.memo.get(key);
    if (value === undefined)
      throw this.bad(`a reference to value ${key}, which is not there`, "one that was put there");
    this.stack.push(value);
  }

  private append(values: readonly Pickled[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw this.bad("items of what is no list", "a list");
    for (const value of values) list.push(value);
  }

  private setItems(values: readonly Pickled[]): void {
    const dictionary = this.top();
    if (!(dictionary instanceof Map) || values.length % 2 !== 0) {
      throw this.bad("items of what is no dictionary", "a dictionary, keys and values");
    }
    for (let i = 0; i < values.length; i += 2) {
      const [key, value] = values.slice(i, i + 2);
      if (
        key === undefined ||
        value === undefined ||
        typeof key === "function" ||
        (typeof key === "object" && key !== null)
      ) {
        throw this.bad("a key that is neither text nor number", "one of them");
      }
      dictionary.set(key, value);
    }
  }

  private global(module: Pickled, name: Pickled): void {
    if (typeof module !== "string" || typeof name !== "string") throw this.bad("a name that is no text", "a text");
    const found = this.world.global(module, name);
    if (found === undefined) {
      throw new DataFormatError(
        `load: got the name ${JSON.stringify(`${module}.${name}`.slice(0, 200))} in ${this.file}; expected those that a dictionary of tensors needs, ` +
          "since nothing else is ever run. Save model.state_dict() alone, with plain numbers and texts beside it at most.",
      );
    }
    this.stack.push(found);
  }

  private bad(got: string, expected: string): DataFormatError {
    return new DataFormatError(
      `load: got ${got} before byte ${this.at} of the pickle in ${this.file}; expected ${expected}. The file is damaged: make or copy it again.`,
    );
  }
}
