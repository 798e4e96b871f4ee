/** Every road of the WASM convolutions against the definition, over random geometries. */
import { describe, expect, test } from "vitest";
import type { ConvGeometry, Dense, KernelSet } from "../../../src/kernels/kernelSet.js";
import { createReferenceKernels, createReferenceLoops } from "../../../src/kernels/reference/index.js";
import type { WasmBuild } from "../../../src/kernels/wasm/build.js";
import { convolutionKernels, isJoint, type Road, roadOf, serves } from "../../../src/kernels/wasm/convolution.js";
import { elementwiseKernels } from "../../../src/kernels/wasm/elementwise.js";
import { Engine } from "../../../src/kernels/wasm/engine.js";
import { matmulKernels } from "../../../src/kernels/wasm/matmul.js";
import { wasmMemory } from "../../../src/kernels/wasm/memory.js";
import { reduceKernels } from "../../../src/kernels/wasm/reduce.js";
import { windowKernels } from "../../../src/kernels/wasm/windows.js";
import { KernelBench, sizeOf } from "../bench.js";

const roads: readonly Road[] = ["batch", "columns", "direct", "lanes"];
const passes = ["forward", "inputGrad", "weightGrad"] as const;
type Pass = (typeof passes)[number];

const canRevectorize = Number(process.versions.node.split(".")[0]) >= 24;

/** An engine that shares every job among its threads, however small. */
class SharingEngine extends Engine {
  override launch(kernel: number, units: number, _work: number, grain = 1): void {
    super.launch(kernel, units, Number.POSITIVE_INFINITY, grain);
  }
}

type Kernels = Pick<KernelSet, "conv2d" | "conv2dInputGrad" | "conv2dWeightGrad" | "alloc" | "free" | "write" | "read">;

/** Kernels that take one road wherever they can, in memory that shows what reads or writes where it should not. */
class RoadBench {
  private readonly engine: SharingEngine;
  private readonly memory: ReturnType<typeof wasmMemory>;

  constructor(build: WasmBuild, threads: number) {
    this.engine = new SharingEngine({ build, threads });
    this.memory = wasmMemory(this.engine, { guard: true, poison: true });
  }

  take(road: Road | null): Kernels {
    const loops = createReferenceLoops(this.memory.arrayOf);
    const parts = {
      ...elementwiseKernels(this.engine, loops),
      ...windowKernels(this.engine, loops),
      ...matmulKernels(this.engine, loops),
      ...reduceKernels(this.engine, loops),
    };
    return { ...this.memory.kernels, ...convolutionKernels(this.engine, loops, parts, road) };
  }

  checkGuards(): void {
    this.memory.checkGuards();
  }

  close(): void {
    this.engine.setThreads(1);
  }
}

interface Numbers {
  readonly x: Float32Array<ArrayBuffer>;
  readonly weight: Float32Array<ArrayBuffer>;
  readonly bias: Float32Array<ArrayBuffer>;
  readonly outGrad: Float32Array<ArrayBuffer>;
}

function shapes(g: ConvGeometry) {
  return {
    x: [g.batch, g.channels, g.inHeight, g.inWidth],
    weight: [g.outChannels, g.channels / g.groups, g.kernelHeight, g.kernelWidth],
    out: [g.batch, g.outChannels, g.outHeight, g.outWidth],
  };
}

/** Runs one pass, on arrays that begin at element `offset` of their buffers. */
async function run(
  kernels: Kernels,
  pass: Pass,
  g: ConvGeometry,
  numbers: Numbers,
  withBias: boolean,
  offset: number,
): Promise<Float32Array> {
  const shape = shapes(g);
  const made: Dense[] = [];
  function array(shape: readonly number[], values?: Float32Array<ArrayBuffer>): Dense {
    const size = sizeOf(shape);
    const buffer = kernels.alloc("float32", offset + size);
    if (values !== undefined) kernels.write(buffer, "float32", offset, values);
    const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
    const x = { buffer, dtype: "float32", shape, strides, offset } as const;
    made.push(x);
    return x;
  }
  const results: Dense[] = [];
  if (pass === "forward") {
    const bias = withBias ? array([g.outChannels], numbers.bias.subarray(0, g.outChannels)) : null;
    const x = array(shape.x, numbers.x);
    const weight = array(shape.weight, numbers.weight);
    const out = array(shape.out);
    kernels.conv2d(x, weight, bias, out, g, !withBias);
    results.push(out);
  } else if (pass === "inputGrad") {
    const bias = withBias ? array([g.channels], numbers.bias.subarray(0, g.channels)) : null;
    const outGrad = array(shape.out, numbers.outGrad);
    const weight = array(shape.weight, numbers.weight);
    const xGrad = array(shape.x);
    const gate = withBias ? null : array(shape.x, numbers.x);
    kernels.conv2dInputGrad(outGrad, weight, bias, xGrad, g, gate);
    results.push(xGrad);
  } else {
    const outGrad = array(shape.out, numbers.outGrad);
    const x = array(shape.x, numbers.x);
    const weightGrad = array(shape.weight);
    const biasGrad = withBias ? array([g.outChannels]) : null;
    kernels.conv2dWeightGrad(outGrad, x, weightGrad, g, biasGrad);
    results.push(weightGrad, ...(biasGrad === null ? [] : [biasGrad]));
  }
  const values = new Float32Array(results.reduce((total, { shape }) => total + sizeOf(shape), 0));
  let place = 0;
  for (const { buffer, shape } of results) {
    const size = sizeOf(shape);
    values.set((await kernels.read(buffer, "float32", offset, size)) as Float32Array, place);
    place += size;
  }
  for (const { buffer } of made) kernels.free(buffer);
  return values;
}

/** A small generator of numbers, always the same ones. */
class Dice {
  private readonly bench: KernelBench;

  constructor(seed: number) {
    this.bench = new KernelBench(createReferenceKernels(), seed);
  }

  /** A whole number from `low` to `high`. */
  from(low: number, high: number): number {
    return low + Math.floor(this.bench.random() * (high - low + 1));
  }

  /** Small whole numbers, whose sums are exact in float32 in whatever order. */
  wholes(length: number): Float32Array<ArrayBuffer> {
    return Float32Array.from({ length }, () => this.from(-4, 4));
  }

  fractions(length: number): Float32Array<ArrayBuffer> {
    return Float32Array.from({ length }, () => this.bench.random() * 2 - 1);
  }

  numbers(g: ConvGeometry, kind: "wholes" | "fractions" = "wholes"): Numbers {
    const shape = shapes(g);
    return {
      x: this[kind](sizeOf(shape.x)),
      weight: this[kind](sizeOf(shape.weight)),
      bias: this[kind](Math.max(g.channels, g.outChannels)),
      outGrad: this[kind](sizeOf(shape.out)),
    };
  }

  /** One axis: any size, kernel, stride, padding and dilation; half of them as a layer would have them. */
  private axis(simple: boolean) {
    const kernel = this.from(1, simple ? 5 : 4);
    const stride = simple ? 1 : this.from(1, 3);
    const dilation = simple ? 1 : this.from(1, 3);
    const extent = dilation * (kernel - 1) + 1;
    const pad = this.from(0, simple ? Math.floor(extent / 2) : extent);
    const out = this.from(1, this.from(0, 3) === 0 ? 20 : 9);
    const natural = (out - 1) * stride + extent - 2 * pad;
    const size = Math.max(1, natural + (simple ? 0 : this.from(-2, 3)));
    return { kernel, stride, dilation, pad, out, size };
  }

  geometry(): ConvGeometry {
    const simple = this.from(0, 1) === 0;
    const vertical = this.axis(simple);
    const horizontal = this.axis(simple && this.from(0, 3) > 0);
    const groups = this.from(0, 2) === 0 ? this.from(2, 4) : 1;
    const depthwise = groups > 1 && this.from(0, 1) === 0;
    return {
      batch: this.from(0, 4) === 0 ? this.from(4, 9) : this.from(1, 3),
      channels: groups * (depthwise ? 1 : this.from(1, groups > 1 ? 3 : 9)),
      inHeight: vertical.size,
      inWidth: horizontal.size,
      outHeight: vertical.out,
      outWidth: horizontal.out,
      kernelHeight: vertical.kernel,
      kernelWidth: horizontal.kernel,
      strideHeight: vertical.stride,
      strideWidth: horizontal.stride,
      padTop: vertical.pad,
      padLeft: horizontal.pad,
      dilationHeight: vertical.dilation,
      dilationWidth: horizontal.dilation,
      outChannels: groups * (depthwise ? this.from(1, 2) : this.from(1, groups > 1 ? 4 : 19)),
      groups,
    };
  }
}

function describeGeometry(g: ConvGeometry): string {
  return Object.entries(g)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
}

function expectEqual(got: Float32Array, wanted: Float32Array, tolerance: number, what: string): void {
  for (let i = 0; i < wanted.length; i++) {
    const [a, b] = [got[i] ?? Number.NaN, wanted[i] ?? Number.NaN];
    const isSame = Object.is(a, b) || Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b));
    if (!isSame) {
      expect.fail(`${what}: element ${i} is ${a}, expected ${b}`);
    }
  }
}

const builds: readonly WasmBuild[] = ["simd", "relaxed", "revectorized"];
const GEOMETRIES = 2200;

describe("every road", () => {
  for (const build of builds) {
    if (build === "revectorized" && !canRevectorize) {
      test.skip("revectorized: needs Node 24", () => {});
      continue;
    }
    const threads = build === "simd" ? 1 : 2;
    test(`${build}, ${threads} threads: ${GEOMETRIES} random geometries give what the definition gives`, async () => {
      const bench = new RoadBench(build, threads);
      const ways = roads.map((road) => ({ road, kernels: bench.take(road) }));
      const reference = createReferenceKernels();
      const dice = new Dice(build.length);
      const taken: Record<string, number> = {};
      for (let i = 0; i < GEOMETRIES; i++) {
        const g = dice.geometry();
        const numbers = dice.numbers(g);
        const withBias = i % 2 === 0;
        for (const pass of passes) {
          // The definition takes longer than all roads together.
          const wanted = await run(reference, pass, g, numbers, withBias, 0);
          for (const { road, kernels } of ways) {
            if (!serves(pass, road, g)) continue;
            taken[`${road} ${pass}`] = (taken[`${road} ${pass}`] ?? 0) + 1;
            const got = await run(kernels, pass, g, numbers, withBias, i % 3);
            expectEqual(got, wanted, 0, `${road}, ${pass}, ${describeGeometry(g)}`);
          }
        }
        if (i % 50 === 0) bench.checkGuards();
      }
      bench.checkGuards();
      bench.close();
      for (const road of roads) {
        for (const pass of passes) expect(taken[`${road} ${pass}`], `${road} ${pass}`).toBeGreaterThan(GEOMETRIES / 4);
      }
    }, 120_000);
  }
});

/** A layer as networks have them; the output size follows. */
function layer(
  batch: number,
  channels: number,
  size: number,
  outChannels: number,
  kernel: number,
  options: { stride?: number; padding?: number; groups?: number } = {},
): ConvGeometry {
  const { stride = 1, padding = 0, groups = 1 } = options;
  const out = Math.floor((size + 2 * padding - kernel) / stride) + 1;
  return {
    ...{ batch, channels, inHeight: size, inWidth: size, outHeight: out, outWidth: out },
    ...{ kernelHeight: kernel, kernelWidth: kernel, strideHeight: stride, strideWidth: stride },
    ...{ padTop: padding, padLeft: padding, dilationHeight: 1, dilationWidth: 1, outChannels, groups },
  };
}

const layers: readonly (readonly [string, ConvGeometry])[] = [
  ["few channels, many images", layer(70, 3, 12, 6, 3)],
  ["5x5, rows of ten", layer(20, 6, 14, 16, 5)],
  ["one channel", layer(9, 1, 28, 16, 3, { padding: 1 })],
  ["stride 2", layer(5, 16, 32, 32, 3, { stride: 2, padding: 1 })],
  ["1x1 with stride 2", layer(5, 16, 32, 32, 1, { stride: 2 })],
  ["1x1 over an odd width", layer(4, 32, 7, 48, 1)],
  ["depthwise", layer(4, 24, 15, 24, 3, { padding: 1, groups: 24 })],
  ["large image, cut into rows", layer(1, 12, 150, 7, 7, { stride: 2, padding: 3 })],
  ["narrow rows with many weights", layer(6, 64, 5, 64, 5, { padding: 2 })],
  ["5x5 on small images, the last vector not full", layer(33, 6, 14, 16, 5)],
  ["kernel as large as the image", layer(6, 32, 6, 40, 6)],
  ["wide, on a small image", layer(1, 170, 4, 172, 3, { padding: 1 })],
  ["wide, to a small image", layer(1, 170, 7, 172, 3, { stride: 2, padding: 1 })],
];

test.each(layers)("a layer on every road: %s: as the definition, and the same bits again", async (_name, g) => {
  const bench = new RoadBench("relaxed", 2);
  const ways = [...roads, null].map((road) => ({ road, kernels: bench.take(road) }));
  const reference = createReferenceKernels();
  const numbers = new Dice(7).numbers(g, "fractions");
  for (const pass of passes) {
    const wanted = await run(reference, pass, g, numbers, true, 0);
    for (const { road, kernels } of ways) {
      const first = await run(kernels, pass, g, numbers, true, 0);
      expectEqual(first, wanted, 2e-4, `${road}, ${pass}`);
      for (let i = 0; i < 3; i++) {
        expectEqual(await run(kernels, pass, g, numbers, true, 0), first, 0, `${road}, ${pass}, again`);
      }
    }
  }
  bench.checkGuards();
  bench.close();
});

test("infinities reach on every road what they reach in the definition, and nothing else", async () => {
  const bench = new RoadBench("relaxed", 2);
  const ways = roads.map((road) => ({ road, kernels: bench.take(road) }));
  const reference = createReferenceKernels();
  const dice = new Dice(11);
  for (let i = 0; i < 100; i++) {
    const g = dice.geometry();
    const numbers = dice.numbers(g);
    const compare = async (pass: Pass): Promise<void> => {
      const wanted = await run(reference, pass, g, numbers, i % 2 === 0, 0);
      for (const { road, kernels } of ways) {
        const got = await run(kernels, pass, g, numbers, i % 2 === 0, 0);
        expectEqual(got, wanted, 0, `${road}, ${pass}, ${describeGeometry(g)}`);
      }
    };
    numbers.x[dice.from(0, numbers.x.length - 1)] = Number.POSITIVE_INFINITY;
    for (const pass of ["forward", "weightGrad"] as const) await compare(pass);
    numbers.x.fill(1);
    numbers.outGrad[dice.from(0, numbers.outGrad.length - 1)] = Number.POSITIVE_INFINITY;
    for (const pass of ["inputGrad", "weightGrad"] as const) await compare(pass);
  }
  bench.close();
});

describe("both gradients in one kernel", () => {
  const padded = (batch: number, channels: number, outChannels: number) =>
    layer(batch, channels, 14, outChannels, 3, { padding: 1 });

  test("pay with as many filters as channels, or fewer tiles without padding", () => {
    expect(isJoint(padded(64, 16, 32), 2)).toBe(true);
    expect(isJoint(padded(64, 32, 16), 2)).toBe(false);
    expect(isJoint(padded(64, 128, 128), 2)).toBe(false);
    expect(isJoint(layer(64, 64, 26, 32, 3), 2)).toBe(true);
  });

  test("are for 3x3 convolutions alone, and as many images as threads can share", () => {
    expect(isJoint(layer(64, 16, 14, 32, 5, { padding: 2 }), 2)).toBe(false);
    expect(isJoint(padded(3, 16, 32), 2)).toBe(false);
    expect(isJoint(padded(3, 16, 32), 3)).toBe(true);
    expect(isJoint(padded(1, 16, 32), 1)).toBe(true);
  });
});

describe("samples in the lanes", () => {
  const roadsOf = (g: ConvGeometry, threads = 1) => passes.map((pass) => roadOf(pass, g, threads));

  test("many small images whose rows are no whole vectors take that road", () => {
    expect(roadsOf(layer(100, 6, 14, 16, 5))).toEqual(["lanes", "lanes", "lanes"]);
    expect(roadsOf(layer(100, 6, 14, 16, 5), 2)).toEqual(["lanes", "lanes", "lanes"]);
    expect(roadOf("inputGrad", layer(1000, 6, 10, 6, 3), 2)).toBe("lanes");
  });

  test("one image, rows of whole vectors, many channels and many threads do not", () => {
    expect(roadsOf(layer(1, 6, 14, 16, 5))).toEqual(["direct", "direct", "direct"]);
    expect(roadsOf(layer(8, 6, 14, 16, 5), 16)).toEqual(["direct", "direct", "direct"]);
    expect(roadOf("forward", layer(1000, 3, 26, 3, 3), 1)).toBe("direct");
    expect(roadsOf(layer(64, 16, 14, 32, 3, { padding: 1 }))).toEqual(["winograd", "winograd", "winograd"]);
    expect(roadsOf(layer(64, 16, 14, 16, 5, { groups: 4 }))).toEqual(["direct", "direct", "direct"]);
    expect(roadOf("inputGrad", layer(64, 16, 15, 32, 3, { stride: 2 }), 1)).toBe("direct");
  });
});
