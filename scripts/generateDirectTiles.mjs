// Writes src/kernels/wasm/assembly/directTiles.ts: the innermost loops of the direct convolutions. AssemblyScript cannot
// index variables that live in registers, so every tile is written out.
//
// V8 places each sum as late as it can, in the reverse of the order in which results are stored, and a load before the
// first sum that needs it. So loads and sums alternate, and all fits the registers, as long as results are stored in the
// order of the sums, each sum begins with a load of its own, the loop tests before its body, and V8 does not unroll it:
// which it does with small loops, and with larger ones where they lie in another loop.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Vectors of places (or, for the weight gradient, taps) for each number of filters: as many sums as registers allow. */
const widths = { 1: 8, 2: 4, 3: 3, 4: 2, 5: 2, 6: 2 };

const count = (n) => [...Array(n).keys()];
const at = (offset) => (offset === 0 ? "" : `, ${offset}`);
const lines = [];
const write = (...text) => lines.push(...text);

function imageTile(filters, vectors) {
  const sums = (f) => count(vectors).map((v) => `s${f}${v}`);
  const record = 4 * (filters + 1);
  write(
    "",
    `function tile${filters}(`,
    "  image: usize, weights: usize, weightsEnd: usize, bias: usize, at: usize, out: usize, plane: usize,",
    "): void {",
    ...count(vectors).map((v) => `  const x${v} = load<u32>(at${at(16 * v)});`),
    ...count(filters).map(
      (f) =>
        `  let ${sums(f)
          .map((s) => `${s} = v128.load32_splat(bias${at(4 * f)})`)
          .join(", ")};`,
    ),
    `  for (; weights < weightsEnd; weights += ${record}) {`,
    "    const offset = image + load<u32>(weights);",
    ...count(vectors).map((v) => `    const v${v} = v128.load(x${v} + offset);`),
  );
  for (const f of count(filters)) {
    write(`    const w${f} = v128.load32_splat(weights${at(4 * f + 4)});`);
    for (const v of count(vectors)) write(`    s${f}${v} = fma(w${f}, v${v}, s${f}${v});`);
  }
  write("  }", ...count(vectors).map((v) => `  let to${v} = out + load<u32>(at, ${16 * v + 4});`));
  for (const f of count(filters)) {
    if (f > 0) write(...count(vectors).map((v) => `  to${v} += plane;`));
    write(...count(vectors).map((v) => `  v128.store(to${v}, s${f}${v});`));
  }
  write("}");
}

function gradTile(filters, taps, masked) {
  const all = count(filters).flatMap((f) => count(taps).map((t) => `s${f}${t}`));
  write(
    "",
    `function gradTile${filters}${masked ? "Masked" : ""}(`,
    `  x: usize, taps: usize, records: usize, end: usize,${masked ? " mask: usize," : ""} results: usize,`,
    "): void {",
    ...(masked ? ["  const kept = v128.load(mask);"] : []),
    ...count(taps).map((t) => `  const x${t} = load<u32>(taps${at(4 * t)});`),
    ...count(filters).map(
      (f) =>
        `  let ${count(taps)
          .map((t) => `s${f}${t} = v128.load(ZEROS)`)
          .join(", ")};`,
    ),
    `  for (; records < end; records += ${16 * (filters + 1)}) {`,
    "    const from = x + load<u32>(records);",
    ...count(taps).map(
      (t) => `    const v${t} = ${masked ? `v128.and(v128.load(x${t} + from), kept)` : `v128.load(x${t} + from)`};`,
    ),
  );
  for (const f of count(filters)) {
    write(`    const d${f} = v128.load(records, ${16 * (f + 1)});`);
    for (const t of count(taps)) write(`    s${f}${t} = fma(d${f}, v${t}, s${f}${t});`);
  }
  write("  }");
  for (const [i, sum] of all.entries()) write(`  v128.store(results, ${sum}${at(16 * i)});`);
  write("}");
}

write(
  "/**",
  " * The innermost loops of the direct convolutions. Made by scripts/generateDirectTiles.mjs: do not edit.",
  " *",
  " * @module",
  " */",
  'import { fma } from "./environment";',
  'import { ZEROS } from "./gemm";',
  "",
  "/** Vectors of places in a tile of so many filters, or taps in a tile of the weight gradient. */",
  "export function widthOf(filters: i32): i32 {",
  "  switch (filters) {",
  ...Object.entries(widths).map(([filters, width]) => `    case ${filters}: return ${width};`),
  "  }",
  "  return 1;",
  "}",
  "",
  "/**",
  " * The convolution of a tile. At `at` lie, sixteen bytes each, offsets of vectors of places: in the image and in the output.",
  " * `weights` has a record for each tap: its offset in the image, and the filters' weights.",
  " */",
  "// @ts-ignore: decorators of functions are AssemblyScript's",
  "@inline",
  "export function tile(",
  "  filters: i32, image: usize, weights: usize, weightsEnd: usize, bias: usize, at: usize, out: usize, plane: usize,",
  "): void {",
  "  unchecked(TILES[filters - 1])(image, weights, weightsEnd, bias, at, out, plane);",
  "}",
  "",
  "// Calls by way of tables are not inlined: in one large function, engines would order the sums in another way.",
  "type Tile = (",
  "  image: usize, weights: usize, weightsEnd: usize, bias: usize, at: usize, out: usize, plane: usize,",
  ") => void;",
  `const TILES: StaticArray<Tile> = [${Object.keys(widths)
    .map((filters) => `tile${filters}`)
    .join(", ")}];`,
);
for (const [filters, width] of Object.entries(widths)) imageTile(Number(filters), width);
write(
  "",
  "/**",
  " * The weight gradient of a tile of filters and taps, four lanes for each: the taps of one filter after those of another.",
  " * Each record has the offset of a vector of places in x, and, from its byte 16 on, the filters' output gradients there.",
  " * Where `mask` is not 0, only the lanes of x count that are set there.",
  " */",
  "// @ts-ignore: decorators of functions are AssemblyScript's",
  "@inline",
  "export function gradTile(",
  "  filters: i32, x: usize, taps: usize, records: usize, end: usize, mask: usize, results: usize,",
  "): void {",
  "  if (mask == 0) unchecked(GRAD_TILES[filters - 1])(x, taps, records, end, results);",
  "  else unchecked(MASKED_GRAD_TILES[filters - 1])(x, taps, records, end, mask, results);",
  "}",
  "",
  "type GradTile = (x: usize, taps: usize, records: usize, end: usize, results: usize) => void;",
  "type MaskedGradTile = (x: usize, taps: usize, records: usize, end: usize, mask: usize, results: usize) => void;",
  `const GRAD_TILES: StaticArray<GradTile> = [${Object.keys(widths)
    .map((filters) => `gradTile${filters}`)
    .join(", ")}];`,
  "const MASKED_GRAD_TILES: StaticArray<MaskedGradTile> = [",
  `  ${Object.keys(widths)
    .map((filters) => `gradTile${filters}Masked`)
    .join(", ")},`,
  "];",
);
for (const [filters, taps] of Object.entries(widths)) {
  gradTile(Number(filters), taps, false);
  gradTile(Number(filters), taps, true);
}

const target = fileURLToPath(new URL("../src/kernels/wasm/assembly/directTiles.ts", import.meta.url));
writeFileSync(target, `${lines.join("\n")}\n`);
