/** Products of matrices with any strides, in batches. */
import type { KernelSet, Strided } from "../kernelSet.js";
import { at, denseStrides, elementCount } from "../strides.js";
import { inParts, MOST_AXES, relaid, walkNumbers, walkOver, walkText, walkUniforms } from "./axes.js";
import { runProduct } from "./product.js";
import type { ProductForm, ProductText } from "./productText.js";
import type { Runtime } from "./runtime.js";

/** Arrays of a shape [..., rows, columns]; for a and b, one of these is the depth. */
interface Product {
  readonly shape: readonly number[];
  readonly out: Strided;
  readonly a: Strided;
  readonly b: Strided;
  readonly bias: Strided | null;
}

export function matmulKernels(runtime: Runtime, form: ProductForm): Pick<KernelSet, "matmul"> {
  return {
    matmul(a, b, bias, out) {
      const count = elementCount(out.shape);
      if (count === 0) return;
      // Parts of the depth are summed up elsewhere: places count from where `out` begins.
      const start = relaid(out, { strides: denseStrides(out.shape), offset: 0 });
      const product = joinRows({ shape: out.shape, out: start, a, b, bias });
      const { shape } = product;
      const rank = shape.length;
      const [rows, columns, depth] = [at(shape, rank - 2), at(shape, rank - 1), at(product.a.shape, rank - 1)];
      const inputs = product.bias === null ? [product.a, product.b] : [product.a, product.b, product.bias];
      const names = ["out", "a", "b", "bias"].slice(0, inputs.length + 1);
      const inBatch = (x: Strided): Strided => relaid(x, { strides: x.strides.slice(0, -2) });
      const walk = walkOver(shape.slice(0, -2), [product.out, ...inputs].map(inBatch));
      const type = out.dtype === "int32" ? "i32" : "f32";
      const text = matmulText(type, names, Math.min(walk.shape.length, MOST_AXES));
      const buffers = inputs.map(({ buffer }) => buffer);
      const steps = inputs.flatMap((x) => x.strides.slice(-2));
      inParts(walk, (part) => {
        const batch = elementCount(part.shape);
        const numbers = [depth, ...steps];
        walkNumbers(part, numbers);
        const target = { buffer: out.buffer, start: out.offset, count };
        runProduct(
          runtime,
          form,
          text,
          { batch, rows, columns, depth, inParts: part !== walk },
          target,
          buffers,
          numbers,
        );
      });
    },
  };
}

/** One matrix b for the whole batch: where strides allow it, the matrices a of the batch are one with more rows. */
function joinRows(product: Product): Product {
  const { shape, out, a, b, bias } = product;
  const rank = shape.length;
  const sameForAll = shape.slice(0, -2).every((extent, axis) => extent === 1 || at(b.strides, axis) === 0);
  if (rank === 2 || !sameForAll) return product;
  const lines = (x: Strided): Strided => relaid(x, { strides: x.strides.slice(0, -1) });
  const added = bias === null ? [] : [lines(bias)];
  const walk = walkOver(shape.slice(0, -1), [lines(out), lines(a), ...added]);
  if (walk.shape.length > 1) return product;
  const rows = walk.shape[0] ?? 1;
  const joined = (x: Strided, index: number): Strided => {
    const strides = [walk.strides[index]?.[0] ?? 0, at(x.strides, rank - 1)];
    return relaid(x, { shape: [rows, at(x.shape, rank - 1)], strides });
  };
  return {
    shape: [rows, at(shape, rank - 1)],
    out: joined(out, 0),
    a: joined(a, 1),
    b: relaid(b, { shape: b.shape.slice(-2), strides: b.strides.slice(-2) }),
    bias: bias && joined(bias, 2),
  };
}

function matmulText(type: "f32" | "i32", names: readonly string[], rank: number): ProductText {
  const hasBias = names.includes("bias");
  const [, ...inputs] = names;
  const steps = inputs.flatMap((name) => [[`${name}Down`, "i32"] as const, [`${name}Across`, "i32"] as const]);
  return {
    name: `matmul, ${rank} batch axes${hasBias ? ", bias" : ""}`,
    type,
    inputs: inputs.map((name) => `${name}Array`),
    // Its loads are short.
    termsInTurn: 2,
    uniforms: { depth: "u32", ...Object.fromEntries(steps), ...walkUniforms(rank, names) },
    declarations: `
struct Place { depth: u32, ${names.map((name) => `${name}At: i32`).join(", ")} }
struct Row { at: i32 }
struct Column { at: i32 }
struct Depth { a: i32, b: i32 }
fn placeOf(batch: u32) -> Place {
  ${walkText(rank, names, "batch")}
  return Place(u.depth, ${names.map((name) => `${name}At`).join(", ")});
}
fn rowOf(p: Place, m: u32) -> Row { return Row(p.aAt + i32(m) * u.aDown); }
fn columnOf(p: Place, n: u32) -> Column { return Column(p.bAt + i32(n) * u.bAcross); }
fn depthOf(p: Place, k: u32) -> Depth { return Depth(i32(k) * u.aAcross, i32(k) * u.bDown); }
fn next(p: Place, d: Depth) -> Depth { return Depth(d.a + u.aAcross, d.b + u.bDown); }
fn loadA(p: Place, row: Row, d: Depth) -> ${type} { return aArray[row.at + d.a]; }
fn loadB(p: Place, column: Column, d: Depth) -> ${type} { return bArray[column.at + d.b]; }
fn resultAt(p: Place, n: u32) -> i32 { return u.resultStart + p.outAt + i32(n); }
fn resultStep(p: Place) -> i32 { return i32(u.columns); }
fn added(p: Place, m: u32, n: u32) -> ${type} {
  return ${hasBias ? "biasArray[p.biasAt + i32(m) * u.biasDown + i32(n) * u.biasAcross]" : `${type}()`};
}`,
  };
}
