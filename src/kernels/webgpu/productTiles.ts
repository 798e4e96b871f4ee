/**
 * Matrix products in tiles: a workgroup of 64 computes a tile of the output, with the parts of both factors that it needs
 * in workgroup memory and a block of the tile in each invocation's registers.
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

/** Depth of a tile, in elements and in vectors of four. */
const DEPTH = 16;
const QUADS = DEPTH / 4;
const INVOCATIONS = 64;

export const tiles: ProductForm = {
  name: "tiles",
  tiles: [
    { high: 8, wide: 8, down: 8, across: 8 },
    { high: 8, wide: 8, down: 4, across: 16 },
    { high: 8, wide: 8, down: 16, across: 4 },
    { high: 4, wide: 8, down: 4, across: 16 },
    { high: 4, wide: 4, down: 2, across: 32 },
    { high: 4, wide: 4, down: 8, across: 8 },
    { high: 2, wide: 2, down: 8, across: 8 },
    { high: 2, wide: 2, down: 4, across: 16 },
  ],
  leastRows: 5,
  busy: 128,
  read: 8,
  text: tileText,
};

function tileText(text: ProductText, tile: Tile) {
  const { name, type, inputs, uniforms, declarations, absent = false } = text;
  const { high, wide, down, across } = tile;
  const [tileRows, tileColumns] = [high * down, wide * across];
  const sums = sumNames(tile);
  const a = linesText(type, "a", tileRows, "rowOf", "loadA", `tileRow * ${tileRows}u`);
  const b = linesText(type, "b", tileColumns, "columnOf", "loadB", `tileColumn * ${tileColumns}u`);
  return {
    name,
    outputs: { outArray: type },
    inputs: Object.fromEntries(inputs.map((input) => [input, type])),
    uniforms: { ...productUniforms, ...uniforms },
    workgroup: [across, down, 1] as const,
    declarations: `
${declarations}
${absent ? sumOfPresentText : ""}
var<workgroup> aTile: array<vec4<${type}>, ${QUADS * tileRows}>;
var<workgroup> bTile: array<vec4<${type}>, ${QUADS * tileColumns}>;`,
    body: `
  let flat = group.y * groups.x + group.x;
  ${findTileText}
  ${a.lines}
  ${b.lines}
  ${sums
    .flat()
    .map((sum) => `var ${sum} = ${type}();`)
    .join(" ")}
  for (var start = first; start < end; start += ${DEPTH}u) {
    ${a.load}
    ${b.load}
    workgroupBarrier();
    for (var q = 0u; q < ${QUADS}u; q++) {
      ${range(wide)
        .map((j) => `let b${j} = bTile[q * ${tileColumns}u + ${j * across}u + local.x];`)
        .join("\n      ")}
      var a = vec4<${type}>();
      ${range(high)
        .map(
          (i) => `a = aTile[q * ${tileRows}u + ${i * down}u + local.y];
      ${range(wide)
        .map((j) => `${sums[i]?.[j]} += dot(a, b${j});`)
        .join(" ")}`,
        )
        .join("\n      ")}
    }
    workgroupBarrier();
  }
  ${storeText(text, tile, "local.y", "local.x")}`,
  };
}

/** How the workgroup fills the tile of one factor: each invocation takes lines, or a part of the depth of one. */
function linesText(type: string, name: string, lines: number, find: string, load: string, start: string) {
  const shares = Math.min(QUADS, Math.max(1, INVOCATIONS / lines));
  const quads = QUADS / shares;
  const each = Math.max(1, lines / INVOCATIONS);
  const own = Array.from({ length: each }, (_, e) =>
    lines < INVOCATIONS ? `lane % ${lines}u` : `lane + ${e * INVOCATIONS}u`,
  );
  const found = own.map((line, e) => `let ${name}Line${e} = ${find}(p, ${start} + ${line});`);
  // Who takes all of the depth goes on where it stopped.
  if (shares === 1) found.push(`var ${name}Depth = depthOf(p, first);`);
  const idle = lines * shares < INVOCATIONS ? `if (lane < ${lines * shares}u) ` : "";
  const elements = ["x", "y", "z", "w"].map(
    (component, i) => `{
          let isTerm = k + ${i}u < end;
          ${own.map((_, e) => `v${e}.${component} = select(${type}(), ${load}(p, ${name}Line${e}, d), isTerm);`).join(" ")}
        }
        d = next(p, d);`,
  );
  const loads = `${idle}{
      let q0 = ${shares > 1 ? `lane / ${lines}u * ${quads}u` : "0u"};
      var d = ${shares > 1 ? "depthOf(p, start + q0 * 4u)" : `${name}Depth`};
      for (var q = q0; q < q0 + ${quads}u; q++) {
        let k = start + q * 4u;
        ${own.map((_, e) => `var v${e} = vec4<${type}>();`).join(" ")}
        ${elements.join("\n        ")}
        ${own.map((line, e) => `${name}Tile[q * ${lines}u + ${line}] = v${e};`).join(" ")}
      }
      ${shares > 1 ? "" : `${name}Depth = d;`}
    }`;
  return { lines: found.join("\n  "), load: loads };
}
