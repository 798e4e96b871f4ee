/** The page docs/pytorch-names.md, made from what is exported here and from PyTorch's names (test/golden/pytorchNames.json). */
import { readFileSync } from "node:fs";
import { nn, optim, Tensor } from "../../src/index.js";

export const pagePath = new URL("../../docs/pytorch-names.md", import.meta.url);

type Area =
  | "nn"
  | "nn.functional"
  | "nn.init"
  | "nn.utils"
  | "optim"
  | "optim.lr_scheduler"
  | "optim.swa_utils"
  | "Tensor";

type Names = Readonly<Record<Area, readonly string[]>> & { readonly torch: string };

const ours: Readonly<Record<Area, readonly [here: string, names: readonly string[]]>> = {
  nn: ["nn", Object.keys(nn)],
  "nn.functional": ["nn.functional", Object.keys(nn.functional)],
  "nn.init": ["nn.init", Object.keys(nn.init)],
  "nn.utils": ["nn.utils", Object.keys(nn.utils)],
  optim: ["optim", Object.keys(optim)],
  "optim.lr_scheduler": ["optim.lrScheduler", Object.keys(optim.lrScheduler)],
  "optim.swa_utils": ["optim.swaUtils", Object.keys(optim.swaUtils)],
  Tensor: ["Tensor", memberNames()],
};

/** What is left out on purpose, and why; the first that fits counts. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/3d|volumetric/i, "no 3-D layers"],
  [/^(RNN|LSTM|GRU)/, "no recurrent layers"],
  [/^Transformer(Decoder.*)?$/, "no decoders of transformers"],
  [/multi_?avg_fn/i, "a form for fused kernels; use the other one"],
  [/quantiz|^q_|int_repr|^dequantize|^(q?scaled_)?(grouped_)?mm$|^scaled_|^grouped_/, "no quantized tensors"],
  [
    /sparse|coalesce|^(crow|col|ccol|row)_indices$|^indices$|^values$|^sspaddmm|_dense|_mkldnn|^smm$/i,
    "no sparse tensors",
  ],
  [
    /complex|^(imag|real|angle|cfloat|cdouble|chalf|adjoint|H|mH)$|conj|is_neg$|^(stft|istft)$|polar/,
    "no complex tensors",
  ],
  [/bitwise|shift|^__/, "no bitwise operations"],
  [/^(bfloat16|half|byte|char|short|long|uint)|int16|int64/, "dtypes are float16, float32, float64, int32 and bool"],
  [
    /^(cuda|xpu|ipu|mtia|hpu|is_(cuda|xpu|ipu|mtia|mps|hpu|vulkan|maia|mkldnn|meta|vk)|pin_memory|is_pinned|share_memory_|is_shared|get_device)/,
    'devices are "cpu" and "webgpu"',
  ],
  [/^(DataParallel|SyncBatchNorm|record_stream|module_load)/, "one device at a time"],
  [/names?$|^(align|refine|rename)_/, "no named axes"],
  [
    /^(cholesky|lu|qr|svd|eig|inverse|det|logdet|slogdet|pinverse|solve|geqrf|orgqr|ormqr|triangular|matrix_|lstsq|symeig|pca)/,
    "no linear algebra beyond products",
  ],
  [
    /^(digamma|polygamma|lgamma|mvlgamma|igamma|i0|erfinv|erfc|bessel|multigammaln|sinc)/,
    "no special functions but erf",
  ],
  [
    /^upsample|Upsampling|NLLLoss2d|_legacy|^(new|resize|set_|storage|untyped|data_ptr|as_subclass|numpy|map|apply|tolist|element_size|nelement|itemsize|nbytes|dim_order|const_data_ptr|mutable_data_ptr)/,
    "belongs to Python, or has a newer name",
  ],
];

/** The page, from the exports as they are now. */
export function page(): string {
  const names = JSON.parse(readFileSync(new URL("../golden/pytorchNames.json", import.meta.url), "utf8")) as Names;
  const areas = Object.keys(ours) as Area[];
  const counts = areas.map((area) => {
    const { present } = compare(area, names[area]);
    return `| [\`torch.${area}\`](#torch${area.toLowerCase().replaceAll(".", "")}) | \`${ours[area][0]}\` | ${present.length} of ${names[area].length} |`;
  });
  return [
    "# PyTorch's names, and the names here",
    "",
    `Made by \`npm run docs:names\` from what the package exports and from PyTorch ${names.torch}; a test fails where it is out of date.`,
    "A name is here when the exports have it in camelCase. Options that are not offered throw an error which lists those that are.",
    "",
    "| In PyTorch | Here | Names here |",
    "|---|---|---|",
    ...counts,
    "",
    ...areas.flatMap((area) => section(area, names[area])),
  ].join("\n");
}

function section(area: Area, names: readonly string[]): string[] {
  const { present, missing } = compare(area, names);
  const byReason = new Map<string, string[]>();
  for (const name of missing) {
    const [, reason] = reasons.find(([pattern]) => pattern.test(name)) ?? [null, ""];
    byReason.set(reason, [...(byReason.get(reason) ?? []), name]);
  }
  const later = byReason.get("") ?? [];
  byReason.delete("");
  const code = (list: readonly string[]): string => list.map((name) => `\`${name}\``).join(" ");
  return [
    `## torch.${area}`,
    "",
    "| In PyTorch | Here |",
    "|---|---|",
    ...present.map(([theirs, here]) => `| \`${theirs}\` | \`${here}\` |`),
    "",
    ...(byReason.size === 0 ? [] : ["Left out on purpose:", ""]),
    ...[...byReason].sort(([a], [b]) => (a < b ? -1 : 1)).map(([reason, list]) => `- ${reason}: ${code(list)}`),
    ...(byReason.size === 0 ? [] : [""]),
    ...(later.length === 0 ? [] : [`Not here: ${code(later)}`, ""]),
  ];
}

function compare(
  area: Area,
  names: readonly string[],
): { present: (readonly [theirs: string, here: string])[]; missing: string[] } {
  // Python writes logsigmoid and numel; letters alone decide.
  const here = new Map(ours[area][1].map((name) => [name.toLowerCase(), name]));
  const present: (readonly [string, string])[] = [];
  const missing: string[] = [];
  for (const name of names) {
    const found = here.get(camelCase(name).toLowerCase());
    if (found === undefined) missing.push(name);
    else present.push([name, found]);
  }
  return { present, missing };
}

/** `max_pool2d` as `maxPool2d`; the underscore of in-place forms stays. */
function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Methods and accessors of tensors, and the fields that each has. */
function memberNames(): string[] {
  const own = Object.getOwnPropertyNames(Tensor.prototype).filter((name) => name !== "constructor");
  return [...own, "shape"];
}
