/** Which of the compiled modules this machine can run. */
import { inflateSync } from "fflate";
import { ArgumentError } from "../../errors.js";
import { binaries } from "./binaries.js";

/** The builds: plain SIMD, with fused multiply-add, and for engines that join pairs of vectors into wider ones. */
export type WasmBuild = "simd" | "relaxed" | "revectorized";

/** What Node offers beyond the language, where this is Node. */
interface NodeV8 {
  setFlagsFromString(flags: string): void;
}

interface NodeZlib {
  inflateRawSync(bytes: Uint8Array): Uint8Array;
}

/** A built-in module of Node, or null elsewhere. Bundlers see no import. */
export function nodeModule(name: string): unknown {
  const node = (globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }).process;
  return node?.getBuiltinModule?.(name) ?? null;
}

/**
 * The best build that this engine validates: relaxed SIMD, switched on where an engine knows it behind a flag, else
 * plain SIMD. `wanted` names one instead; the revectorized build is only ever taken by name.
 *
 * @throws ArgumentError where the build that was asked for cannot run here.
 */
export function chooseBuild(wanted: WasmBuild | null): WasmBuild {
  if (wanted === null) return canRun("relaxed") ? "relaxed" : "simd";
  if (!(wanted in binaries)) {
    throw new ArgumentError(
      `wasm: got the build ${JSON.stringify(wanted)}; expected one of ${Object.keys(binaries).join(", ")}. Choose one.`,
    );
  }
  if (!canRun(wanted) || (wanted === "revectorized" && !enableRevectorizer())) {
    throw new ArgumentError(
      `wasm: got the build "${wanted}"; expected one that this engine can run. Use "simd", or a newer engine (Node 24 for "revectorized").`,
    );
  }
  return wanted;
}

/** The bytes of a build; for memory that is not shared, with the import rewritten so. */
export function buildBytes(build: WasmBuild, shared: boolean): Uint8Array<ArrayBuffer> {
  const { size, deflated } = binaries[build];
  const packed = bytesOf(atob(deflated));
  const bytes = new Uint8Array(size);
  const zlib = nodeModule("node:zlib") as NodeZlib | null;
  // JavaScript that has not run before takes 10 ms for it, a twentieth of the time from start to first loss.
  if (zlib === null) inflateSync(packed, { out: bytes });
  else bytes.set(zlib.inflateRawSync(packed));
  if (!shared) unshareMemory(bytes);
  return bytes;
}

/** A loop of its own: `Uint8Array.from` takes five times as long. */
function bytesOf(binary: string): Uint8Array {
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

function canRun(build: WasmBuild): boolean {
  const bytes = buildBytes(build, true);
  if (WebAssembly.validate(bytes)) return true;
  const v8 = nodeModule("node:v8") as NodeV8 | null;
  if (build === "simd" || v8 === null) return false;
  v8.setFlagsFromString("--experimental-wasm-relaxed-simd");
  return WebAssembly.validate(bytes);
}

function enableRevectorizer(): boolean {
  const v8 = nodeModule("node:v8") as NodeV8 | null;
  const major = Number(
    (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node?.split(".")[0] ?? 0,
  );
  if (v8 === null || major < 24) return false;
  v8.setFlagsFromString("--experimental-wasm-revectorize");
  return true;
}

const IMPORT_SECTION = 2;
const MEMORY_IMPORT = 2;

/** Clears the "shared" flag of the memory import: atomic instructions are valid on memory of either kind. */
function unshareMemory(bytes: Uint8Array): void {
  let at = 8;
  const number = (): number => {
    let result = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      result |= (byte & 127) << shift;
      if (byte < 128) return result;
    }
  };
  const skip = (): void => {
    const length = number();
    at += length;
  };
  while (at < bytes.length) {
    const section = bytes[at++];
    if (section !== IMPORT_SECTION) {
      skip();
      continue;
    }
    // The memory is the module's only import: after sizes come its two names, then its kind, then the flags.
    number();
    number();
    skip();
    skip();
    if (bytes[at++] === MEMORY_IMPORT) bytes[at] = (bytes[at] ?? 0) & ~2;
    return;
  }
}
