/** CIFAR's binary files and folders of images, from files that the tests write. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ArgumentError, DataFormatError, data, ShapeError, type Tensor } from "../../src/index.js";

const wrong = <T>(value: unknown): T => value as T;
let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "tapegrad-images-"));
});
afterAll(() => rmSync(root, { recursive: true }));

/** Records whose pixel i is (start + record + i) mod 256, with the given labels. */
function records(labels: readonly (readonly number[])[], start = 0): Uint8Array {
  return Buffer.concat(
    labels.map((label, record) =>
      Buffer.from([...label, ...Array.from({ length: 3072 }, (_, i) => (start + record + i) % 256)]),
    ),
  );
}

describe("CIFAR", () => {
  beforeAll(() => {
    const ten = join(root, "cifar-10-batches-bin");
    mkdirSync(ten);
    for (let part = 1; part <= 5; part++) {
      writeFileSync(join(ten, `data_batch_${part}.bin`), records([[part], [part + 1]], 10 * part));
    }
    writeFileSync(join(ten, "test_batch.bin"), records([[9]], 100));
    const hundred = join(root, "cifar-100-binary");
    mkdirSync(hundred);
    writeFileSync(
      join(hundred, "train.bin"),
      records([
        [3, 77],
        [19, 99],
      ]),
    );
    writeFileSync(join(hundred, "test.bin"), records([[0, 5]], 7));
  });

  test("CIFAR10 reads its five files in order, as pixels from 0 to 1", async () => {
    const train = new data.CIFAR10({ root });
    await train.load();
    expect(train.length).toBe(10);
    expect([...train.targets]).toEqual([1, 2, 2, 3, 3, 4, 4, 5, 5, 6]);
    expect(train.classes[9]).toBe("truck");
    const [image, label] = await train.get(3);
    expect([image.shape, label]).toEqual([[3, 32, 32], 3]);
    expect([...image.dataSync().subarray(0, 3)]).toEqual([21, 22, 23].map((pixel) => Math.fround(pixel / 255)));
    expect(image.dataSync()[3071]).toBe(Math.fround(((21 + 3071) % 256) / 255));
    expect(() => train.getBatch?.(Int32Array.of(10))).toThrow(ShapeError);
  });

  test("a loader gives batches, from test images too, and a URL of a file", async () => {
    const seen: unknown[] = [];
    for await (const [images, labels] of new data.DataLoader(
      new data.CIFAR10({ root: pathToFileURL(root), train: false }),
    )) {
      seen.push([images.shape, [...labels.dataSync()], images.dataSync()[0]]);
    }
    expect(seen).toEqual([[[1, 3, 32, 32], [9], Math.fround(100 / 255)]]);
  });

  test("CIFAR100 takes the fine labels; transforms see single images", async () => {
    const train = new data.CIFAR100({
      root,
      transform: (image) => image.mul(2),
      targetTransform: (label) => label + 1,
    });
    expect(train.getBatch).toBeUndefined();
    const [image, label] = await train.get(1);
    expect([label, image.dataSync()[1]]).toEqual([100, Math.fround(2 * Math.fround(2 / 255))]);
  });

  test("comes over http", async () => {
    const server = createServer((request, response) => {
      if (request.url !== "/data/test.bin") response.writeHead(404).end();
      else response.end(records([[1, 42]]));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/data`;
      const [, label] = await new data.CIFAR100({ root: address, train: false }).get(0);
      expect(label).toBe(42);
      await expect(new data.CIFAR10({ root: address }).load()).rejects.toThrow(
        "CIFAR10: got no data_batch_1.bin in http",
      );
    } finally {
      server.close();
    }
  });

  test("says what is wrong with it", async () => {
    expect(() => new data.CIFAR10(wrong({}))).toThrow(ArgumentError);
    expect(() => new data.CIFAR10({ root }).length).toThrow("CIFAR10.length: got a dataset that is not loaded;");
    await expect(new data.CIFAR10({ root: join(root, "nowhere") }).load()).rejects.toThrow(
      "CIFAR10: got no data_batch_1.bin in ",
    );
    const damaged = join(root, "damaged");
    mkdirSync(damaged);
    writeFileSync(join(damaged, "test_batch.bin"), records([[9]]).subarray(0, 3000));
    const read = () => new data.CIFAR10({ root: damaged, train: false }).load();
    await expect(read()).rejects.toThrow(DataFormatError);
    await expect(read()).rejects.toThrow("CIFAR10: got 3000 bytes in test_batch.bin; expected a multiple of 3073,");
    writeFileSync(join(damaged, "test_batch.bin"), records([[10]]));
    await expect(read()).rejects.toThrow("CIFAR10: got label 10 in test_batch.bin; expected 0 to 9.");
  });
});

describe("ImageFolder", () => {
  let folder = "";
  beforeAll(async () => {
    folder = join(root, "pictures");
    mkdirSync(join(folder, "dog", "deep"), { recursive: true });
    mkdirSync(join(folder, "Cat"));
    const rgb = Buffer.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
    const raw = (channels: 1 | 3 | 4) => ({ raw: { width: 3, height: 2, channels } });
    await sharp(rgb, raw(3))
      .png()
      .toFile(join(folder, "Cat", "b.png"));
    await sharp(Buffer.from([0, 51, 102, 153, 204, 255]), raw(1))
      .png()
      .toFile(join(folder, "Cat", "a.PNG"));
    await sharp(Buffer.alloc(24, 128), raw(4))
      .webp({ lossless: true })
      .toFile(join(folder, "dog", "c.webp"));
    await sharp(Buffer.alloc(48 * 48 * 3, 77), { raw: { width: 48, height: 48, channels: 3 } })
      .jpeg({ quality: 95 })
      .toFile(join(folder, "dog", "deep", "d.jpeg"));
    writeFileSync(join(folder, "dog", "notes.txt"), "no image");
  });

  test("classes are folders and samples files, in PyTorch's order", async () => {
    const dataset = new data.ImageFolder(folder);
    await dataset.load();
    expect(dataset.classes).toEqual(["Cat", "dog"]);
    expect(dataset.samples.map(([path, label]) => [path.slice(folder.length + 1), label])).toEqual([
      [join("Cat", "a.PNG"), 0],
      [join("Cat", "b.png"), 0],
      [join("dog", "c.webp"), 1],
      [join("dog", "deep", "d.jpeg"), 1],
    ]);
  });

  test("PNG gives its pixels, grey and transparent ones three channels, JPEG nearly its pixels", async () => {
    const dataset = new data.ImageFolder(pathToFileURL(folder));
    const bytes = async (index: number) => {
      const [image, label] = await dataset.get(index);
      return { shape: image.shape, label, pixels: Array.from(image.dataSync(), (value) => Math.round(value * 255)) };
    };
    expect(await bytes(1)).toEqual({
      shape: [3, 2, 3],
      label: 0,
      pixels: [255, 0, 0, 10, 40, 70, 0, 255, 0, 20, 50, 80, 0, 0, 255, 30, 60, 90],
    });
    const grey = [0, 51, 102, 153, 204, 255];
    expect((await bytes(0)).pixels).toEqual([...grey, ...grey, ...grey]);
    expect((await bytes(2)).shape).toEqual([3, 2, 3]);
    const jpeg = await bytes(3);
    expect([jpeg.shape, jpeg.label]).toEqual([[3, 48, 48], 1]);
    expect(jpeg.pixels.every((pixel) => Math.abs(pixel - 77) <= 1)).toBe(true);
  });

  test("a loader gives batches of transformed images", async () => {
    const transform = data.transforms.compose([data.transforms.toTensor(), data.transforms.resize([4, 4])]);
    const dataset = new data.ImageFolder(folder, {
      transform: transform as (image: data.transforms.ImageLike) => Tensor,
    });
    const seen: unknown[] = [];
    for await (const [images, labels] of new data.DataLoader(dataset, { batchSize: 3 })) {
      seen.push([images.shape, [...labels.dataSync()]]);
    }
    expect(seen).toEqual([
      [
        [3, 3, 4, 4],
        [0, 0, 1],
      ],
      [[1, 3, 4, 4], [1]],
    ]);
  });

  test("says what is wrong with it", async () => {
    expect(() => new data.ImageFolder("")).toThrow(ArgumentError);
    expect(() => new data.ImageFolder(folder).length).toThrow("ImageFolder.length: got a dataset that is not loaded;");
    await expect(new data.ImageFolder(join(root, "nowhere")).load()).rejects.toThrow(DataFormatError);
    await expect(new data.ImageFolder(join(folder, "Cat")).load()).rejects.toThrow("ImageFolder: got no folders in ");
    await expect(new data.ImageFolder(folder, { extensions: [".png"] }).load()).rejects.toThrow(
      "ImageFolder: got no images in ",
    );
    await expect(new data.ImageFolder(folder).get(4)).rejects.toThrow(
      "ImageFolder.get: got index 4; expected a whole number from 0 to 3.",
    );
    const broken = join(root, "broken", "x");
    mkdirSync(broken, { recursive: true });
    writeFileSync(join(broken, "bad.png"), "this is no image");
    await expect(new data.ImageFolder(join(root, "broken")).get(0)).rejects.toThrow(
      /^ImageFolder: got .* for .*bad\.png; expected an image\./,
    );
  });
});
