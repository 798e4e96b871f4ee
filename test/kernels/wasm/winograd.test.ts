/** Winograd's convolution against the definition. It rounds otherwise, so results are near, not equal. */
import { describe, expect, test } from "vitest";
import type { ConvGeometry, DeviceBuffer, KernelSet } from "../../../src/kernels/kernelSet.js";
import { createReferenceKernels, createReferenceLoops } from "../../../src/kernels/reference/index.js";
import type { WasmBuild } from "../../../src/kernels/wasm/build.js";
import { convolutionKernels, serves } from "../../../src/kernels/wasm/convolution.js";
import { Engine } from "../../../src/kernels/wasm/engine.js";
import { wasmMemory } from "../../../src/kernels/wasm/memory.js";
import { KernelBench, type Outputs } from "../bench.js";
import { convGeometry, convolutionOutputs } from "../windowCases.js";

/** An engine that shares every job among its threads, however small. */
class SharingEngine extends Engine {
  override launch(kernel: number, units: number, _work: number, grain = 1): void {
    super.launch(kernel, units, Number.POSITIVE_INFINITY, grain);
  }
}

/** Runs all passes by Winograd's road, in guarded and poisoned memory that is given back after each geometry. */
class WinogradBench {
  private readonly engine: SharingEngine;
  private readonly kernels: KernelSet;
  private readonly made: DeviceBuffer[] = [];

  constructor(build: WasmBuild, threads: number) {
    this.engine = new SharingEngine({ build, threads });
    const { kernels, arrayOf } = wasmMemory(this.engine, { guard: true, poison: true });
    const loops = createReferenceLoops(arrayOf);
    this.kernels = {
      name: "winograd",
      ...loops,
      ...kernels,
      ...convolutionKernels(this.engine, loops, loops, "winograd"),
      alloc: (dtype, length) => {
        const buffer = kernels.alloc(dtype, length);
        this.made.push(buffer);
        return buffer;
      },
    };
  }

  async outputs(g: ConvGeometry, seed: number): Promise<Outputs> {
    const outputs = await convolutionOutputs(new KernelBench(this.kernels, seed), "float32", g);
    // Freeing looks at the guard zones.
    for (const buffer of this.made.splice(0)) this.kernels.free(buffer);
    return outputs;
  }

  close(): void {
    this.engine.setThreads(1);
  }
}

function definition(g: ConvGeometry, seed: number): Promise<Outputs> {
  return convolutionOutputs(new KernelBench(createReferenceKernels(), seed), "float32", g);
}

/** The largest error of each output, relative to its largest value. */
function errors(got: Outputs, wanted: Outputs): [string, number][] {
  return Object.entries(wanted).map(([name, values]) => {
    const results = got[name] ?? [];
    const largest = values.reduce((max, value) => Math.max(max, Math.abs(value)), Number.MIN_VALUE);
    const worst = values.reduce((max, value, i) => {
      const error = Math.abs((results[i] ?? Number.NaN) - value) / largest;
      return Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(max, error);
    }, 0);
    return [name, worst];
  });
}

function expectNear(got: Outputs, wanted: Outputs, tolerance: number, g: ConvGeometry): void {
  for (const [name, error] of errors(got, wanted)) {
    if (error > tolerance) expect.fail(`${name} is off by ${error} of its largest value: ${JSON.stringify(g)}`);
  }
}

/** Any size from one place on, any padding, also more than the window, and any rest beyond it. */
function randomGeometry(dice: KernelBench): ConvGeometry {
  const [batch, channels, outChannels, size] = dice.integers(4, 256);
  const [height, width, top, left] = dice.integers(4, 256);
  const [bottom, right] = dice.integers(2, 4);
  const planes = 1 + ((size ?? 0) % 3 === 0 ? 21 : 7);
  const pad = [top ?? 0, left ?? 0].map((value) => (value % 5 === 4 ? 3 : value % 3));
  const inSize = [1 + ((height ?? 0) % 13), 1 + ((width ?? 0) % 29)] as const;
  const padding = [pad[0] ?? 0, pad[1] ?? 0, bottom ?? 0, right ?? 0] as const;
  return convGeometry({
    batch: 1 + ((batch ?? 0) % 3),
    channels: 1 + ((channels ?? 0) % planes),
    outChannels: 1 + ((outChannels ?? 0) % planes),
    size: inSize,
    kernel: [3, 3],
    pad: padding,
  });
}

const sets: readonly (readonly [WasmBuild, number])[] = [
  ["simd", 1],
  ["simd", 2],
  ["relaxed", 1],
  ["relaxed", 2],
  ["revectorized", 1],
  ["revectorized", 2],
];
const canRevectorize = Number(process.versions.node.split(".")[0]) >= 24;

describe.each(sets)("%s build, %i threads", (build, threads) => {
  if (build === "revectorized" && !canRevectorize) {
    test.skip("absent: needs Node 24", () => {});
    return;
  }

  test("150 random geometries give what the definition gives, the same bits each time", async () => {
    const bench = new WinogradBench(build, threads);
    const dice = new KernelBench(createReferenceKernels(), 10 * build.length + threads);
    for (let i = 0; i < 150; i++) {
      const g = randomGeometry(dice);
      const got = await bench.outputs(g, i);
      expectNear(got, await definition(g, i), 5e-6, g);
      expect(await bench.outputs(g, i)).toEqual(got);
    }
    bench.close();
  });

  test("shapes at the edges", async () => {
    const bench = new WinogradBench(build, threads);
    const specs = [
      { size: [1, 1], pad: [1, 1, 1, 1], channels: 1, outChannels: 1 },
      { size: [1, 1], pad: [2, 2, 2, 2], channels: 5, outChannels: 3 },
      { size: [3, 3], channels: 4, outChannels: 8, batch: 1 },
      { size: [2, 40], pad: [1, 0, 1, 0], channels: 2, outChannels: 9 },
      { size: [40, 3], channels: 17, outChannels: 6 },
      { size: [7, 7], pad: [5, 6, 4, 7], channels: 3, outChannels: 3 },
      { size: [6, 70], pad: [1, 1, 1, 1], channels: 16, outChannels: 16 },
      { size: [6, 6], batch: 40, pad: [1, 1, 1, 1], channels: 20, outChannels: 12 },
      { size: [6, 6], batch: 0, pad: [1, 1, 1, 1] },
    ] as const;
    for (const [i, spec] of specs.entries()) {
      const g = convGeometry({ kernel: [3, 3], ...spec });
      expectNear(await bench.outputs(g, i), await definition(g, i), 5e-6, g);
    }
    bench.close();
  });
});

test("rounding errors stay small where many tiles are summed", async () => {
  const g = convGeometry({ batch: 150, channels: 3, outChannels: 4, size: [34, 34], kernel: [3, 3] });
  const bench = new WinogradBench("simd", 1);
  expectNear(await bench.outputs(g, 1), await definition(g, 1), 4e-6, g);
});

test("serves 3x3 filters of stride 1 alone", () => {
  const g = convGeometry({ size: [8, 8], kernel: [3, 3], channels: 4, outChannels: 4 });
  expect(serves("forward", "winograd", g)).toBe(true);
  const others: Partial<ConvGeometry>[] = [
    { kernelHeight: 2 },
    { kernelWidth: 5 },
    { strideHeight: 2 },
    { strideWidth: 3 },
    { dilationHeight: 2 },
    { dilationWidth: 2 },
    { groups: 2 },
  ];
  for (const other of others) expect(serves("forward", "winograd", { ...g, ...other })).toBe(false);
});
