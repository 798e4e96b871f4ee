// Compiles the WASM kernels and writes them, as text, to src/kernels/wasm/binaries.ts. Does nothing where that file is
// newer than everything it is made from.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import asc from "assemblyscript/asc";

const root = fileURLToPath(new URL("..", import.meta.url));
const sources = "src/kernels/wasm/assembly";
const target = "src/kernels/wasm/binaries.ts";

/** One source, three builds. The compiler's own -O3 spills the registers of long straight-line code: -O2 is faster. */
const builds = {
  simd: [],
  relaxed: ["--enable", "relaxed-simd"],
  revectorized: ["--enable", "relaxed-simd", "--use", "WIDE=1"],
};

const madeFrom = [
  fileURLToPath(import.meta.url),
  ...readdirSync(root + sources).map((file) => `${root}${sources}/${file}`),
];
const newest = Math.max(...madeFrom.map((file) => statSync(file).mtimeMs));
const made = statSync(root + target, { throwIfNoEntry: false })?.mtimeMs ?? 0;

if (made < newest || process.argv.includes("--force")) {
  const lines = [
    "/** The compiled kernels: their sizes, and they themselves, deflated, in base64. Made by scripts/buildWasm.mjs: do not edit. */",
    "export const binaries = {",
  ];
  for (const [name, flags] of Object.entries(builds)) {
    const binary = await compile(name, flags);
    const deflated = deflateRawSync(binary, { level: 9 }).toString("base64");
    lines.push(`  ${name}: {`, `    size: ${binary.length},`, `    deflated:`, `      "${deflated}",`, "  },");
  }
  lines.push("} as const;", "");
  writeFileSync(root + target, lines.join("\n"));
}

async function compile(name, flags) {
  let binary;
  const wide = flags.includes("WIDE=1") ? [] : ["--use", "WIDE=0"];
  const { error, stderr } = await asc.main(
    [
      `${sources}/index.ts`,
      ...["--outFile", "out.wasm", "-O2", "--noAssert", "--runtime", "stub"],
      ...["--importMemory", "--sharedMemory", "--initialMemory", "2", "--maximumMemory", "65536"],
      ...["--memoryBase", "65536", "--enable", "simd", "--enable", "threads", ...wide, ...flags],
    ],
    {
      readFile: (file) => {
        try {
          return readFileSync(root + file, "utf8");
        } catch {
          return null;
        }
      },
      writeFile: (file, contents) => {
        if (file === "out.wasm") binary = contents;
      },
      listFiles: () => [],
    },
  );
  if (error !== null) throw new Error(`the ${name} build failed:\n${stderr.toString()}`);
  console.log(`${name}: ${(binary.length / 1024).toFixed(1)} KiB`);
  return binary;
}
