/** The methods of tensors, as types: checked by `npm run check`. What can be seen at run time is checked by `npm test` too. */
import { describe, expect, expectTypeOf, it } from "vitest";
import * as tapegrad from "../../src/index.js";
import { arange, ones, Tensor, tensor } from "../../src/index.js";
import * as ops from "../../src/tensor/ops/index.js";

type Ops = typeof ops;

/** The names in `F` of what is no function of a tensor. */
type NotOfTensor<F> = {
  [Name in keyof F]: F[Name] extends (self: Tensor, ...rest: never[]) => unknown ? never : Name;
}[keyof F];

/** The names in `F` whose method is missing, or has other parameters or another result than the function. */
type NotAsMethod<F> = {
  [Name in keyof F]: Name extends keyof Tensor
    ? SameAsMethod<F[Name], Tensor[Name]> extends true
      ? never
      : Name
    : Name;
}[keyof F];

type SameAsMethod<Op, Method> = Op extends (self: Tensor, ...rest: infer Rest) => infer Result
  ? [Method, (...rest: Rest) => Result] extends [(...rest: Rest) => Result, Method]
    ? true
    : false
  : false;

describe("the ops index", () => {
  it("exports functions whose first parameter is a tensor, and nothing else", () => {
    expectTypeOf<NotOfTensor<Ops>>().toBeNever();
    for (const [name, op] of Object.entries(ops)) expect(op, name).toBeTypeOf("function");
  });

  it("has every function as a method with the same parameters and result", () => {
    expectTypeOf<NotAsMethod<Ops>>().toEqualTypeOf<"max" | "min">(); // They have overloads; see below.
    for (const name of Object.keys(ops)) expect(Reflect.get(Tensor.prototype, name), name).toBeTypeOf("function");
  });

  it("is public", () => {
    expectTypeOf<keyof Ops>().toExtend<keyof typeof tapegrad>();
    for (const [name, op] of Object.entries(ops)) expect(Reflect.get(tapegrad, name), name).toBe(op);
  });
});

describe("methods", () => {
  it("chain", async () => {
    const x = arange(-2, 4).reshape([2, 3]);
    const y = x.add(1).mul(2).relu().transpose(0, 1).sum(0, { keepdim: true });
    expectTypeOf(y).toEqualTypeOf<Tensor>();
    expect(await y.toArray()).toEqual([[2, 18]]);
  });

  it("keep optional parameters and options", () => {
    expectTypeOf<Tensor["sum"]>().toEqualTypeOf<
      (axes?: number | readonly number[] | null, options?: tapegrad.ReduceOptions) => Tensor
    >();
    expectTypeOf<Tensor["add"]>().toEqualTypeOf<(b: Tensor | number, options?: tapegrad.AlphaOptions) => Tensor>();
    expectTypeOf<Tensor["relu"]>().toEqualTypeOf<() => Tensor>();
    expectTypeOf<Tensor["slice"]>().toEqualTypeOf<(...ranges: tapegrad.SliceRange[]) => Tensor>();
    expectTypeOf<Tensor["backward"]>().toEqualTypeOf<
      (gradient?: Tensor | null, options?: tapegrad.autograd.BackwardOptions) => void
    >();
  });

  it("keep the overloads of max and min", () => {
    const x = ones([2, 3]);
    expectTypeOf(x.max()).toEqualTypeOf<Tensor>();
    expectTypeOf(x.min()).toEqualTypeOf<Tensor>();
    expectTypeOf(x.max(1, { keepdim: true })).toEqualTypeOf<tapegrad.ValuesAndIndices>();
    expectTypeOf(x.min(1)).toEqualTypeOf<tapegrad.ValuesAndIndices>();
  });

  it("refuse what the function refuses", () => {
    const x = ones([2]);
    // @ts-expect-error: an operand is a tensor or a number
    expect(() => x.add("1")).toThrow(tapegrad.ArgumentError);
    // @ts-expect-error: the exponent is missing
    expect(() => x.pow()).toThrow();
    // @ts-expect-error: there is no such method
    expect(() => x.addd(1)).toThrow(TypeError);
    // @ts-expect-error: strings are no elements
    expect(() => tensor(["1"])).toThrow(tapegrad.DTypeError);
  });
});
