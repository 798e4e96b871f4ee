/** Sums of products, said in letters. */
import { ArgumentError, ShapeError } from "../../errors.js";
import { composite } from "../scopes.js";
import { at, formatShape } from "../shape.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { expand, sum } from "./broadcast.js";
import { diagonal } from "./diagonals.js";
import { permute, reshape } from "./layout.js";
import { matmul } from "./matmul.js";
import { checkOneDtype } from "./operands.js";

/** A tensor whose axes have names. Those that `…` stands for are called "0", "1", … from the last one on. */
interface Named {
  readonly tensor: Tensor;
  readonly axes: readonly string[];
}

/**
 * Einstein's sum: the letters name the axes of the operands, those behind `->` the axes of the result, and over all others
 * the product is summed up: `einsum("bij,bjk->bik", a, b)` is a batch of matrix products. A letter twice in one operand
 * takes its diagonal. Without `->` the result has the letters that come once, in the order of the alphabet, behind those of
 * `...`, which stands for any further axes, broadcast. Operands are contracted from left to right.
 *
 * @throws ArgumentError where the equation cannot be read, or does not fit the number of operands.
 * @throws ShapeError where it does not fit their axes, or axes of one letter differ in extent.
 * @throws DTypeError where the dtypes differ, or are bool.
 * @see https://pytorch.org/docs/stable/generated/torch.einsum.html
 */
export function einsum(equation: string, ...operands: readonly Tensor[]): Tensor {
  const { inputs, output } = parse(equation, operands.length);
  commonKernels("einsum", ...operands);
  checkOneDtype("einsum", ...operands);
  const named = operands.map((tensor, index) => name(equation, tensor, inputs[index] ?? ""));
  const wanted = outputAxes(equation, named, inputs, output);
  checkExtents(equation, named);
  return composite(() => {
    const [first, ...others] = named.map(onceEach);
    if (first === undefined) throw new ArgumentError(`einsum: got no operands; expected one at least. Pass a tensor.`);
    const joined = others.reduce((left, right, index) => {
      const later = new Set([...wanted, ...others.slice(index + 1).flatMap(({ axes }) => axes)]);
      return contract(left, right, later);
    }, first);
    const { tensor, axes } = without(joined, (axis) => !wanted.includes(axis));
    return permute(
      tensor,
      wanted.map((axis) => axes.indexOf(axis)),
    );
  });
}

function parse(equation: string, count: number): { inputs: string[]; output: string | null } {
  const [left = "", output = null, ...rest] = equation.replaceAll(" ", "").split("->");
  const inputs = left.split(",");
  const isTerm = (term: string): boolean => /^[a-zA-Z]*(\.\.\.)?[a-zA-Z]*$/.test(term);
  if (rest.length > 0 || ![...inputs, output ?? ""].every(isTerm)) {
    throw new ArgumentError(
      `einsum: got the equation ${JSON.stringify(equation)}; expected letters, commas and at most one "->", with "..." for further axes. Write it as in "ij,jk->ik".`,
    );
  }
  if (inputs.length !== count) {
    throw new ArgumentError(
      `einsum: got ${count} operands for the equation ${JSON.stringify(equation)}; expected ${inputs.length}, one for each term. Correct either.`,
    );
  }
  return { inputs, output };
}

function name(equation: string, tensor: Tensor, term: string): Named {
  const [before = "", after = null] = term.split("...");
  const letters = before.length + (after ?? "").length;
  const further = tensor.ndim - letters;
  if (after === null ? further !== 0 : further < 0) {
    throw new ShapeError(
      `einsum: got shape ${formatShape(tensor.shape)} for the term "${term}" of ${JSON.stringify(equation)}; ` +
        `expected ${letters} axes${after === null ? "" : " at least"}. Correct the term, or reshape the operand.`,
    );
  }
  const dots = after === null ? [] : Array.from({ length: further }, (_, index) => String(further - 1 - index));
  return { tensor, axes: [...before, ...dots, ...(after ?? "")] };
}

function outputAxes(
  equation: string,
  named: readonly Named[],
  inputs: readonly string[],
  output: string | null,
): string[] {
  const most = Math.max(0, ...named.map(({ axes }) => axes.filter((axis) => /\d/.test(axis)).length));
  const dots = Array.from({ length: most }, (_, index) => String(most - 1 - index));
  if (output === null) {
    const letters = [...inputs.join("").replaceAll(".", "")];
    return [...dots, ...letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter)).sort()];
  }
  const [before = "", after = null] = output.split("...");
  const axes = [...before, ...(after === null ? [] : dots), ...(after ?? "")];
  const known = new Set(named.flatMap((operand) => operand.axes));
  const wrong = axes.find((axis, index) => !known.has(axis) || axes.indexOf(axis) !== index);
  if (wrong !== undefined) {
    throw new ArgumentError(
      `einsum: got "${wrong}" in the result of ${JSON.stringify(equation)}, ${known.has(wrong) ? "twice" : "and in no operand"}; ` +
        `expected each letter once, and from an operand. Correct what stands behind "->".`,
    );
  }
  return axes;
}

function checkExtents(equation: string, named: readonly Named[]): void {
  const extents = new Map<string, number>();
  for (const { tensor, axes } of named) {
    axes.forEach((axis, index) => {
      const extent = at(tensor.shape, index);
      const before = extents.get(axis) ?? 1;
      if (extent !== before && extent !== 1 && before !== 1) {
        throw new ShapeError(
          `einsum: got extents ${before} and ${extent} for ${/\d/.test(axis) ? `axis ${axis} from the end of "..."` : `"${axis}"`} in ${JSON.stringify(equation)}; ` +
            `expected one extent, or 1. Correct the equation or the operands.`,
        );
      }
      extents.set(axis, Math.max(extent === 1 ? before : extent, 0));
    });
  }
}

/** With the diagonal in place of axes that have one name. */
function onceEach({ tensor, axes }: Named): Named {
  const second = axes.findIndex((axis, index) => axes.indexOf(axis) < index);
  if (second < 0) return { tensor, axes };
  const first = axes.indexOf(axes[second] ?? "");
  const common = Math.max(at(tensor.shape, first), at(tensor.shape, second));
  const full = expand(
    tensor,
    tensor.shape.map((extent, axis) => (axis === first || axis === second ? common : extent)),
  );
  const rest = axes.filter((_, index) => index !== first && index !== second);
  return onceEach({ tensor: diagonal(full, 0, first, second), axes: [...rest, axes[second] ?? ""] });
}

/** Summed up over the axes that a test names. */
function without({ tensor, axes }: Named, isDone: (axis: string) => boolean): Named {
  const done = axes.flatMap((axis, index) => (isDone(axis) ? [index] : []));
  if (done.length === 0) return { tensor, axes };
  return { tensor: sum(tensor, done), axes: axes.filter((axis) => !isDone(axis)) };
}

/** The product of two, summed up over the axes that nothing later asks for, as a batch of matrix products. */
function contract(left: Named, right: Named, later: ReadonlySet<string>): Named {
  const a = without(left, (axis) => !later.has(axis) && !right.axes.includes(axis));
  const b = without(right, (axis) => !later.has(axis) && !left.axes.includes(axis));
  const shared = a.axes.filter((axis) => b.axes.includes(axis));
  const batch = shared.filter((axis) => later.has(axis));
  const inner = shared.filter((axis) => !later.has(axis));
  const rows = a.axes.filter((axis) => !shared.includes(axis));
  const columns = b.axes.filter((axis) => !shared.includes(axis));
  const extentIn = ({ tensor, axes }: Named, axis: string): number => tensor.shape[axes.indexOf(axis)] ?? 1;
  const extent = (axis: string): number => {
    const own = extentIn(a, axis);
    return own === 1 ? extentIn(b, axis) : own;
  };
  const count = (axes: readonly string[]): number => axes.reduce((product, axis) => product * extent(axis), 1);
  const laidOut = (of: Named, order: readonly string[], shape: readonly number[]): Tensor =>
    reshape(
      expand(
        permute(
          of.tensor,
          order.map((axis) => of.axes.indexOf(axis)),
        ),
        order.map(extent),
      ),
      shape,
    );
  const product = matmul(
    laidOut(a, [...batch, ...rows, ...inner], [count(batch), count(rows), count(inner)]),
    laidOut(b, [...batch, ...inner, ...columns], [count(batch), count(inner), count(columns)]),
  );
  const axes = [...batch, ...rows, ...columns];
  return { tensor: reshape(product, axes.map(extent)), axes };
}
