// Writes src/kernels/wasm/assembly/directTiles.ts: the innermost loops of the direct convolutions. AssemblyScript cannot
// index variables that live in registers, so every tile is written out.
//
// V8 places each sum as late as it can, in the reverse of the order in which results are stored, and a load before the
// first sum that needs it. So loads and sums alternate, and all fits the registers, as long as results are stored in the
// order of the sums, each sum begins with a load of its own, the loop tests before its body, and V8 does not unroll it:
// which it does with small loops, and with larger ones where they lie in another loop.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Vectors of places for each number of filters: with the filters' weight and the vectors they fill the registers. */
const places = { 1: 8, 2: 6, 3: 4, 4: 3, 5: 2, 6: 2 };
/** Taps for each number of filters in a tile of the weight gradient. */
const taps = { 1: 3, 2: 3, 3: 3, 4: 3 };

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
    ...count(vectors).map((v) => `  const x${v} = image + load<u32>(at${at(8 * v)});`),
    ...count(filters).map((f) => `  let ${sums(f).map((s) => `${s} = v128.load32_splat(bias${at(4 * f)})`).join(", ")};`),
    `  for (; weights < weightsEnd; weights += ${record}) {`,
    "    const offset = load<u32>(weights);",
    ...count(vectors).map((v) => `    const v${v} = v128.load(x${v} + offset);`),
  );
  for (const f of count(filters)) {
    write(`    const w${f} = v128.load32_splat(weights${at(4 * f + 4)});`);
    for (const v of count(vectors)) write(`    s${f}${v} = fma(w${f}, v${v}, s${f}${v});`);
  }
  write("  }", ...count(vectors).map((v) => `  let to${v} = out + load<u32>(at, ${8 * v + 4});`));
  for (const f of count(filters)) {
    if (f > 0) write(...count(vectors).map((v) => `  to${v} += plane;`));
    write(...count(vectors).map((v) => `  v128.store(to${v}, s${f}${v});`));
  }
  write("}");
}

function gradTile(filters, window) {
  const all = count(filters).flatMap((f) => count(window).map((t) => `s${f}${t}`));
  write(
    "",
    `function gradTile${filters}(`,
    "  x: usize, taps: usize, gradient: usize, plane: usize, whole: usize, wholeEnd: usize, rest: usize, restEnd: usize,",
    "  mask: usize, images: i32, xImage: usize, gradientImage: usize, sums: usize,",
    "): void {",
    ...count(window).map((t) => `  let x${t} = x + load<u32>(taps${at(4 * t)});`),
    ...count(filters).map((f) => `  let g${f} = ${f === 0 ? "gradient" : `g${f - 1} + plane`};`),
    `  let ${all.map((s) => `${s} = v128.load(ZEROS)`).join(", ")};`,
    "  for (; images > 0; images--) {",
    "    for (let at = whole; at < wholeEnd; at += 8) {",
    "      const fromX = load<u32>(at), fromG = load<u32>(at, 4);",
    ...gradStep(filters, window, (load) => load),
    "    }",
    "    if (rest < restEnd) {",
    "      const kept = v128.load(mask);",
    "      for (let at = rest; at < restEnd; at += 8) {",
    "        const fromX = load<u32>(at), fromG = load<u32>(at, 4);",
    ...gradStep(filters, window, (load) => `v128.and(${load}, kept)`).map((line) => `  ${line}`),
    "      }",
    "    }",
    ...count(window).map((t) => `    x${t} += xImage;`),
    ...count(filters).map((f) => `    g${f} += gradientImage;`),
    "  }",
  );
  for (let i = 0; i < all.length; i += 4) {
    const four = count(4).map((j) => all[i + j] ?? "f32x4.splat(0)");
    write(`  add(sums${i === 0 ? "" : ` + ${4 * i}`}, ${four.join(", ")});`);
  }
  write("}");
}

function gradStep(filters, window, read) {
  const text = count(window).map((t) => `      const v${t} = ${read(`v128.load(x${t} + fromX)`)};`);
  for (const f of count(filters)) {
    text.push(`      const d${f} = ${read(`v128.load(g${f} + fromG)`)};`);
    for (const t of count(window)) text.push(`      s${f}${t} = fma(d${f}, v${t}, s${f}${t});`);
  }
  return text;
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
  "/** Vectors of places in a tile of so many filters. */",
  "export function vectorsOf(filters: i32): i32 {",
  "  switch (filters) {",
  ...Object.entries(places).map(([filters, vectors]) => `    case ${filters}: return ${vectors};`),
  "  }",
  "  return 1;",
  "}",
  "",
  "/**",
  " * The convolution of a tile. At `at` lie pairs of offsets: of a vector of places in the image, and in the output.",
  " * `weights` has a record for each tap: its offset in the image, and the filters' weights.",
  " */",
  "export function tile(",
  "  filters: i32, image: usize, weights: usize, weightsEnd: usize, bias: usize, at: usize, out: usize, plane: usize,",
  "): void {",
  "  switch (filters) {",
  ...Object.keys(places).map(
    (filters) => `    case ${filters}: return tile${filters}(image, weights, weightsEnd, bias, at, out, plane);`,
  ),
  "  }",
  "}",
);
for (const [filters, vectors] of Object.entries(places)) imageTile(Number(filters), vectors);
write(
  "",
  "/**",
  " * Adds the weight gradient of some filters and taps, over some images, to `sums`: the taps of one filter after those of",
  " * another. From `whole` to `wholeEnd` lie pairs of offsets, of a vector of places in x and in the output gradient; those",
  " * from `rest` to `restEnd` count only where the mask says so.",
  " */",
  "export function gradTile(",
  "  filters: i32, x: usize, taps: usize, gradient: usize, plane: usize, whole: usize, wholeEnd: usize, rest: usize,",
  "  restEnd: usize, mask: usize, images: i32, xImage: usize, gradientImage: usize, sums: usize,",
  "): void {",
  "  switch (filters) {",
  ...Object.keys(taps).flatMap((filters) => [
    `    case ${filters}:`,
    `      return gradTile${filters}(`,
    "        x, taps, gradient, plane, whole, wholeEnd, rest, restEnd, mask, images, xImage, gradientImage, sums,",
    "      );",
  ]),
  "  }",
  "}",
  "",
  "/** Adds the sums of the lanes of four vectors to four numbers. */",
  "@inline",
  "function add(to: usize, a: v128, b: v128, c: v128, d: v128): void {",
  "  const ab = f32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));",
  "  const cd = f32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));",
  "  const sum = f32x4.add(v128.shuffle<i64>(ab, cd, 0, 2), v128.shuffle<i64>(ab, cd, 1, 3));",
  "  v128.store(to, f32x4.add(v128.load(to), sum));",
  "}",
);
for (const [filters, window] of Object.entries(taps)) gradTile(Number(filters), window);

const target = fileURLToPath(new URL("../src/kernels/wasm/assembly/directTiles.ts", import.meta.url));
writeFileSync(target, `${lines.join("\n")}\n`);
