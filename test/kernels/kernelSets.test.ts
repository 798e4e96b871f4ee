import { afterAll, describe, expect, test } from "vitest";
import type { KernelSet } from "../../src/kernels/kernelSet.js";
import { createReferenceKernels } from "../../src/kernels/reference/index.js";
import { createWasmKernels, type WasmBuild, type WasmKernels } from "../../src/kernels/wasm/index.js";
import { KernelBench } from "./bench.js";
import { kernelCases } from "./cases.js";
import { expectSame } from "./compare.js";
import { createNaiveKernels } from "./naive.js";

/** A kernel set under test, or the reason why it is absent here. */
type SetUnderTest = { readonly name: string } & (
  | { readonly kernels: KernelSet & Partial<Pick<WasmKernels, "checkGuards">> }
  | { readonly absent: string }
);

const major = Number(process.versions.node.split(".")[0]);

/** Each build of the WASM set, on one thread and on two, in poisoned memory with guard zones. */
const wasmSets = (["simd", "relaxed", "revectorized"] as const).flatMap((build: WasmBuild) =>
  [1, 2].map((threads): SetUnderTest => {
    const name = `wasm (${build}, ${threads === 1 ? "1 thread" : `${threads} threads`})`;
    if (build === "revectorized" && major < 24) return { name, absent: `it takes Node 24; this is Node ${major}` };
    return { name, kernels: createWasmKernels({ build, threads, guard: true, poison: true, alwaysShare: true }) };
  }),
);

/** Addresses from 2 GiB on are negative as signed numbers. */
function createHighWasmKernels(): KernelSet {
  const kernels = createWasmKernels({ threads: 1 });
  kernels.alloc("float32", 2 ** 29 + 2 ** 20);
  return kernels;
}

/** Every set of the library belongs here; each is compared with the reference set. */
const sets: readonly SetUnderTest[] = [
  { name: "reference", kernels: createReferenceKernels() },
  { name: "reference, poisoned memory", kernels: createReferenceKernels({ poison: true }) },
  ...wasmSets,
  { name: "wasm beyond 2 GiB", kernels: createHighWasmKernels() },
];

const namedCases = kernelCases.map((kernelCase) => [kernelCase.name, kernelCase] as const);

test("case names are unique", () => {
  const names = kernelCases.map((kernelCase) => kernelCase.name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

test("every kernel has cases", async () => {
  const reference = createReferenceKernels();
  const used = new Set<PropertyKey>();
  const spy = new Proxy(reference, {
    get(target, key, receiver) {
      used.add(key);
      return Reflect.get(target, key, receiver);
    },
  });
  for (const kernelCase of kernelCases) {
    if (kernelCase.dtypes.includes("float32")) await kernelCase.run(new KernelBench(spy));
  }
  const testedElsewhere = ["name", "supports", "free", "readSync"];
  expect(Object.keys(reference).filter((key) => !used.has(key))).toEqual(testedElsewhere);
});

describe("the reference set follows the definitions", () => {
  const naive = createNaiveKernels();
  const reference = createReferenceKernels({ poison: true });
  test.each(namedCases)("%s", async (_name, kernelCase) => {
    await expectSame(kernelCase, reference, naive);
  });
});

for (const set of sets) {
  describe(`the ${set.name} set agrees with the reference set`, () => {
    if ("absent" in set) {
      test.skip(`absent: ${set.absent}`);
      return;
    }
    const reference = createReferenceKernels();
    const { kernels } = set;
    afterAll(() => kernels.checkGuards?.());
    test.each(namedCases)("%s", async (_name, kernelCase) => {
      if (kernelCase.dtypes.every((dtype) => kernels.supports(dtype))) await expectSame(kernelCase, kernels, reference);
    });
  });
}
