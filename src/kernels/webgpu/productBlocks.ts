/**
 * Matrix products without workgroup memory: each invocation computes a block of the output by itself. Where a CPU takes the
 * place of a GPU, a barrier and the way through workgroup memory cost what they save on a GPU.
 *
 * @module
 */
import {
  findTileText,
  type ProductForm,
  type ProductText,
  productUniforms,
  range,
  storeText,
  sumNames,
  sumOfPresentText,
  type Tile,
} from "./productText.js";

const WORKGROUP = 16;

function block(high: number, wide: number): Tile {
  return { high, wide, down: 1, across: 1 };
}

export const blocks: ProductForm = {
  name: "blocks",
  tiles: [block(16, 8), block(8, 16), block(6, 16), block(8, 8), block(4, 16), block(4, 4), block(2, 16), block(2, 2)],
  leastRows: 2,
  busy: 512,
  read: 12,
  text: blockText,
};

function blockText(text: ProductText, tile: Tile) {
  const { name, type, inputs, uniforms, declarations, absent = false, termsInTurn = 1 } = text;
  const { high, wide } = tile;
  const sums = sumNames(tile);
  /** Adds so many terms to each sum in one go, so that the chain of additions is shorter. */
  const turn = (count: number): string => {
    const reads = range(count).map((t) => {
      const factors = range(wide).map((j) => `let b${t}_${j} = loadB(p, column${j}, d${t});`);
      return `${factors.join(" ")} let d${t + 1} = next(p, d${t});`;
    });
    const adding = range(high).map((i) => {
      const factors = range(count).map((t) => `let a${t} = loadA(p, row${i}, d${t});`);
      const terms = (j: number): string =>
        range(count)
          .map((t) => `a${t} * b${t}_${j}`)
          .join(" + ");
      const sum = range(wide).map((j) => `${sums[i]?.[j]} += ${terms(j)};`);
      return `{ ${factors.join(" ")} ${sum.join(" ")} }`;
    });
    return `{
      let d0 = d;
      ${reads.join("\n      ")}
      ${adding.join("\n      ")}
      d = d${count};
    }`;
  };
  return {
    name,
    outputs: { outArray: type },
    inputs: Object.fromEntries(inputs.map((input) => [input, type])),
    uniforms: { ...productUniforms, ...uniforms },
    workgroup: [WORKGROUP, 1, 1] as const,
    declarations: `${declarations}
${absent ? sumOfPresentText : ""}`,
    body: `
  let flat = index;
  ${findTileText}
  ${range(high)
    .map((i) => `let row${i} = rowOf(p, tileRow * ${high}u + ${i}u);`)
    .join("\n  ")}
  // In a loop: what finds a column divides so often that to compile it for each would take as long as all the rest.
  var columns = array<Column, ${wide}>();
  for (var j = 0u; j < ${wide}u; j++) { columns[j] = columnOf(p, tileColumn * ${wide}u + j); }
  ${range(wide)
    .map((j) => `let column${j} = columns[${j}];`)
    .join("\n  ")}
  ${sums
    .flat()
    .map((sum) => `var ${sum} = ${type}();`)
    .join(" ")}
  var d = depthOf(p, first);
  var k = first;
  ${termsInTurn > 1 ? `for (; k + ${termsInTurn}u <= end; k += ${termsInTurn}u) ${turn(termsInTurn)}` : ""}
  for (; k < end; k++) ${turn(1)}
  ${storeText(text, tile, "0u", "0u")}`,
  };
}
