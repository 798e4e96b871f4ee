"""Layers and losses as modules, and what they start from: python3 test/golden/layers.py

Writes layers/layers.json (a layer with given weights: outputs, gradients of inputs and parameters, state after the pass)
and layers/init.json (weights drawn after manual_seed). test/nn/golden.test.ts compares.
"""
import json
import re
import sys
from pathlib import Path

import torch
from torch import nn

from golden import pack

HERE = Path(__file__).parent / "layers"
generator = torch.Generator().manual_seed(20)


def randn(*shape):
    return torch.randn(shape, generator=generator)


def state(module):
    return {name: pack(value) for name, value in module.state_dict().items()}


def write(name, cases):
    HERE.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (HERE / name).write_text("[\n" + lines + "\n]\n")
    print(f"{name}: {len(cases)} cases, torch {torch.__version__}", file=sys.stderr)


layers = []


def case(name, module, args, inputs, mode="train", warmup=(), forward=lambda module, *inputs: module(*inputs), extra=()):
    """Adds a case.

    args: what the layer is constructed with here; a tensor stands for itself. inputs: of forward. warmup: inputs of passes
    in training mode before. extra: further arguments of forward here, which `forward` gives to the module in PyTorch.
    """
    for value in [*module.parameters(), *(b for b in module.buffers() if b.is_floating_point())]:
        with torch.no_grad():
            # Running variances have to be positive.
            value.copy_(randn(*value.shape).abs() + 0.1 if value.ndim == 1 else randn(*value.shape) / 2)
    entry = {"layer": type(module).__name__, "name": name, "args": [packed(arg) for arg in args], "mode": mode}
    entry["state"] = state(module)
    entry["warmup"] = [pack(x) for x in warmup]
    module.train()
    for x in warmup:
        module(x)
    module.train(mode == "train")
    leaves = [x.clone().requires_grad_(x.is_floating_point()) for x in inputs]
    torch.manual_seed(0)
    result = forward(module, *leaves)
    outputs = list(result) if isinstance(result, tuple) else [result]
    entry["inputs"] = [pack(x) for x in inputs]
    entry["extra"] = list(extra)
    entry["outputs"] = [pack(y) for y in outputs]
    seed = randn(*outputs[0].shape)
    outputs[0].backward(seed)
    entry["outputGrad"] = pack(seed)
    entry["inputGrads"] = [None if x.grad is None else pack(x.grad) for x in leaves]
    entry["parameterGrads"] = {name: pack(p.grad) for name, p in module.named_parameters()}
    entry["after"] = state(module)
    layers.append(entry)


def packed(arg):
    if isinstance(arg, torch.Tensor):
        return {"tensor": pack(arg)}
    if isinstance(arg, dict):
        return {key: packed(value) for key, value in arg.items()}
    return arg


def layer(kind, name, inputs, args, options=None, **more):
    """A case whose options have the same values under PyTorch's names."""
    options = options or {}
    snake = {re.sub(r"[A-Z]", lambda match: "_" + match[0].lower(), key): value for key, value in options.items()}
    snake = {key: tuple(value) if isinstance(value, list) else value for key, value in snake.items()}
    module = kind(*(tuple(arg) if isinstance(arg, list) else arg for arg in args), **snake)
    case(name, module, [*args, options] if options else args, inputs, **more)


layer(nn.Linear, "matrix", [randn(4, 3)], [3, 5])
layer(nn.Linear, "without bias", [randn(4, 3)], [3, 2], {"bias": False})
layer(nn.Linear, "vector", [randn(3)], [3, 5])
layer(nn.Linear, "more axes", [randn(2, 4, 3)], [3, 5])

image = randn(2, 4, 7, 6)
for options in [
    {},
    {"stride": 2, "padding": 1},
    {"stride": [2, 1], "padding": [0, 2], "dilation": [1, 2], "bias": False},
    {"padding": "same"},
    {"padding": "same", "dilation": 2, "groups": 2},
    {"padding": "valid", "groups": 2},
    *({"padding": [2, 1], "paddingMode": mode, "stride": 2} for mode in ["reflect", "replicate", "circular"]),
    *({"padding": "same", "paddingMode": mode} for mode in ["reflect", "replicate", "circular"]),
    {"padding": "valid", "paddingMode": "circular"},
]:
    layer(nn.Conv2d, json.dumps(options), [image], [4, 6, [3, 2]], options)
layer(nn.Conv2d, "depthwise, one image", [image[0]], [4, 8, 3], {"groups": 4, "padding": 1})
layer(nn.Conv2d, "circular, one image", [image[0]], [4, 2, 3], {"paddingMode": "circular", "padding": 1})

small = randn(2, 4, 3, 4)
for options in [
    {},
    {"stride": 2, "padding": 1, "outputPadding": 1},
    {"stride": [3, 2], "outputPadding": [2, 0], "groups": 2, "bias": False},
    {"dilation": [2, 1], "padding": [0, 1]},
]:
    layer(nn.ConvTranspose2d, json.dumps(options), [small], [4, 6, [3, 2]], options)
layer(nn.ConvTranspose2d, "output size", [small], [4, 6, 3], {"stride": 2, "padding": 1}, extra=[[6, 8]],
      forward=lambda module, x: module(x, output_size=[6, 8]))
layer(nn.ConvTranspose2d, "whole output size", [small], [4, 6, 3], {"stride": 3}, extra=[[2, 6, 11, 12]],
      forward=lambda module, x: module(x, output_size=[2, 6, 11, 12]))

layer(nn.Unfold, "default", [randn(2, 3, 5, 6)], [3])
layer(nn.Unfold, "all", [randn(2, 3, 5, 6)], [[3, 2]], {"dilation": [1, 2], "padding": [1, 0], "stride": [2, 1]})
layer(nn.Fold, "default", [randn(2, 12, 12)], [[5, 4], 2])
layer(nn.Fold, "all", [randn(2, 18, 12)], [[5, 6], [3, 2]], {"dilation": [1, 2], "padding": [1, 0], "stride": [2, 1]})

layer(nn.MaxPool2d, "default", [image], [2])
layer(nn.MaxPool2d, "all", [image], [[3, 2]], {"stride": [1, 2], "padding": 1, "dilation": [2, 1], "ceilMode": True})
layer(nn.MaxPool2d, "indices", [image], [2], {"stride": 1, "returnIndices": True})
layer(nn.MaxPool2d, "indices, one image", [image[0]], [3], {"returnIndices": True, "ceilMode": True})
layer(nn.AvgPool2d, "default", [image], [2])
layer(nn.AvgPool2d, "padding", [image], [3], {"stride": 2, "padding": 1})
layer(nn.AvgPool2d, "all", [image], [[3, 2]],
      {"stride": 2, "padding": 1, "ceilMode": True, "countIncludePad": False})
layer(nn.AvgPool2d, "divisor", [image], [2], {"divisorOverride": 3})
layer(nn.AdaptiveAvgPool2d, "one", [image], [1])
layer(nn.AdaptiveAvgPool2d, "uneven", [image], [[3, 4]])
layer(nn.AdaptiveAvgPool2d, "one axis kept", [image], [[None, 2]])

for kind, x in [(nn.BatchNorm1d, randn(5, 3)), (nn.BatchNorm1d, randn(4, 3, 6)), (nn.BatchNorm2d, randn(4, 3, 5, 2))]:
    rank = f"{x.ndim} axes"
    warmup = [randn(*x.shape) * 2 + 1, randn(*x.shape) - 3]
    layer(kind, f"{rank}, training", [x], [3])
    layer(kind, f"{rank}, third batch", [x], [3], {"momentum": 0.3, "eps": 1e-3}, warmup=warmup)
    layer(kind, f"{rank}, evaluation", [x], [3], warmup=warmup, mode="eval")
    layer(kind, f"{rank}, cumulative average", [x], [3], {"momentum": None}, warmup=warmup)
    layer(kind, f"{rank}, no statistics", [x], [3], {"trackRunningStats": False}, mode="eval")
    layer(kind, f"{rank}, not affine", [x], [3], {"affine": False}, warmup=warmup)

layer(nn.Dropout, "training", [randn(8, 9)], [0.3])
layer(nn.Dropout, "evaluation", [randn(8, 9)], [], mode="eval")
layer(nn.Flatten, "default", [image], [])
layer(nn.Flatten, "axes", [image], [0, 2])
layer(nn.Identity, "image", [image], [])
for kind in [nn.ReLU, nn.LeakyReLU, nn.Tanh, nn.Sigmoid]:
    layer(kind, "matrix", [randn(3, 4)], [])
layer(nn.LeakyReLU, "slope", [randn(3, 4)], [0.3])
for kind in [nn.Softmax, nn.LogSoftmax]:
    layer(kind, "last axis", [randn(3, 4)], [-1])
    layer(kind, "channels", [randn(2, 3, 4)], [1])

logits, labels, weight = randn(6, 4), torch.tensor([0, 3, 1, 2, 3, 0]), torch.tensor([0.5, 2.0, 1.0, 0.1])
planes, labels2d = randn(2, 4, 3, 2), torch.randint(0, 4, (2, 3, 2), generator=generator)
probabilities = torch.softmax(randn(6, 4), 1)
for reduction in ["mean", "sum", "none"]:
    for kind, inputs in [(nn.MSELoss, [randn(3, 4), randn(3, 4)]), (nn.L1Loss, [randn(3, 4), randn(3, 4)])]:
        layer(kind, reduction, inputs, [], {"reduction": reduction})
    for kind, scores, scores2d in [
        (nn.NLLLoss, torch.log_softmax(logits, 1), torch.log_softmax(planes, 1)),
        (nn.CrossEntropyLoss, logits, planes),
    ]:
        layer(kind, reduction, [scores, labels], [], {"reduction": reduction})
        layer(kind, f"{reduction}, planes", [scores2d, labels2d], [], {"reduction": reduction})
        options = {"reduction": reduction, "weight": weight, "ignoreIndex": 3}
        case(f"{reduction}, weighted", kind(weight=weight.clone(), ignore_index=3, reduction=reduction), [options],
             [scores, labels])
    layer(nn.CrossEntropyLoss, f"{reduction}, smoothed", [logits, labels], [],
          {"reduction": reduction, "labelSmoothing": 0.2})
    layer(nn.CrossEntropyLoss, f"{reduction}, probabilities", [logits, probabilities], [], {"reduction": reduction})
    layer(nn.BCEWithLogitsLoss, reduction, [randn(3, 4), torch.rand(3, 4, generator=generator)], [],
          {"reduction": reduction})
    weights = {"weight": torch.rand(3, 1, generator=generator), "posWeight": torch.rand(4, generator=generator) * 3}
    module = nn.BCEWithLogitsLoss(weight=weights["weight"].clone(), pos_weight=weights["posWeight"].clone(),
                                  reduction=reduction)
    case(f"{reduction}, weighted", module, [{**weights, "reduction": reduction}],
         [randn(3, 4), torch.rand(3, 4, generator=generator)])

# What came later is appended, so that the values above stay as they are.
for reduction in ["mean", "sum", "none"]:
    given = {"reduction": reduction}
    layer(nn.SmoothL1Loss, reduction, [randn(3, 4), randn(3, 4)], [], given)
    layer(nn.HuberLoss, reduction, [randn(3, 4), randn(3, 4)], [], given)
    layer(nn.KLDivLoss, reduction, [torch.log_softmax(randn(3, 4), 1), torch.softmax(randn(3, 4), 1)], [], given)
    shares = [torch.rand(3, 4, generator=generator), torch.rand(3, 4, generator=generator)]
    layer(nn.BCELoss, reduction, shares, [], given)
    weight = torch.rand(4, generator=generator)
    case(f"{reduction}, weighted", nn.BCELoss(weight=weight.clone(), reduction=reduction),
         [{"weight": weight, "reduction": reduction}], shares)
    pair, signs = [randn(4, 3), randn(4, 3)], torch.tensor([1, -1, -1, 1])
    layer(nn.CosineEmbeddingLoss, reduction, [*pair, signs], [], {**given, "margin": -0.5})
    layer(nn.MarginRankingLoss, reduction, [randn(4), randn(4), signs], [], {**given, "margin": 0.2})
    layer(nn.TripletMarginLoss, reduction, [*pair, randn(4, 3)], [], given)
layer(nn.SmoothL1Loss, "beta", [randn(3, 4), randn(3, 4)], [], {"beta": 0.3})
layer(nn.HuberLoss, "delta", [randn(3, 4), randn(3, 4)], [], {"delta": 0.3})
layer(nn.KLDivLoss, "logs", [randn(3, 4), randn(3, 4)], [], {"logTarget": True, "reduction": "batchmean"})
layer(nn.TripletMarginLoss, "all", [randn(4, 3), randn(4, 3), randn(4, 3)], [],
      {"margin": 3, "p": 1, "eps": 0.1, "swap": True})
layer(nn.Bilinear, "matrices", [randn(4, 3), randn(4, 2)], [3, 2, 5])
layer(nn.Bilinear, "vectors", [randn(3), randn(2)], [3, 2, 1])
layer(nn.Bilinear, "more axes, no bias", [randn(2, 2, 3), randn(2, 2, 2)], [3, 2, 4], {"bias": False})
for kind in ["ZeroPad", "ReflectionPad", "ReplicationPad", "CircularPad", "ConstantPad"]:
    value = [-1.5] if kind == "ConstantPad" else []
    layer(getattr(nn, f"{kind}1d"), "one number", [randn(2, 3, 4)], [2, *value])
    layer(getattr(nn, f"{kind}1d"), "sides", [randn(3, 4)], [[3, 1], *value])
    layer(getattr(nn, f"{kind}2d"), "one number", [randn(2, 3, 4, 5)], [2, *value])
    layer(getattr(nn, f"{kind}2d"), "sides", [randn(3, 4, 5)], [[3, 1, 0, 2], *value])
layer(nn.ZeroPad2d, "cut off", [randn(3, 4, 5)], [[-1, 1, 2, -2]])
for kind in [nn.GELU, nn.SiLU, nn.Mish, nn.Softplus, nn.ELU, nn.LogSigmoid, nn.Hardtanh, nn.ReLU6, nn.Hardswish,
             nn.Hardsigmoid, nn.PReLU]:
    layer(kind, "matrix", [randn(3, 4) * 3], [])
layer(nn.GELU, "tanh", [randn(3, 4)], [], {"approximate": "tanh"})
layer(nn.Softplus, "settings", [randn(3, 4) * 3], [], {"beta": 2.5, "threshold": 3})
layer(nn.ELU, "alpha", [randn(3, 4)], [0.3])
layer(nn.Hardtanh, "bounds", [randn(3, 4) * 3], [-2, 0.5])
layer(nn.PReLU, "channels", [randn(2, 3, 4)], [], {"numParameters": 3})
layer(nn.LayerNorm, "last axis", [randn(2, 3, 4)], [4])
layer(nn.LayerNorm, "two axes", [randn(2, 3, 4)], [[3, 4]], {"eps": 1e-3})
layer(nn.LayerNorm, "not affine", [randn(3, 4)], [4], {"elementwiseAffine": False})
layer(nn.LayerNorm, "no bias", [randn(3, 4)], [4], {"bias": False})
layer(nn.GroupNorm, "images", [randn(2, 6, 3, 2)], [3, 6])
layer(nn.GroupNorm, "rows, not affine", [randn(3, 4)], [2, 4], {"affine": False, "eps": 1e-3})
for kind, x in [(nn.InstanceNorm1d, randn(2, 3, 5)), (nn.InstanceNorm2d, randn(2, 3, 4, 5))]:
    warmup = [randn(*x.shape) * 2 + 1, randn(*x.shape) - 3]
    layer(kind, "default", [x], [3])
    layer(kind, "one sample", [x[0]], [3], {"affine": True})
    layer(kind, "statistics", [x], [3], {"trackRunningStats": True, "momentum": 0.3}, warmup=warmup)
    layer(kind, "evaluation", [x], [3], {"affine": True, "trackRunningStats": True}, warmup=warmup, mode="eval")
layer(nn.Unflatten, "channels", [randn(2, 6, 4)], [1, [2, 3]])
layer(nn.Unflatten, "from the end", [randn(2, 6, 4)], [-1, [-1, 2]])
sequence = randn(2, 4, 9)
for options in [
    {},
    {"stride": 2, "padding": 1},
    {"padding": "same", "dilation": 2, "groups": 2, "bias": False},
    {"padding": 2, "paddingMode": "reflect", "stride": 2},
    {"padding": "same", "paddingMode": "circular"},
]:
    layer(nn.Conv1d, json.dumps(options), [sequence], [4, 6, 3], options)
layer(nn.Conv1d, "same, even kernel", [sequence[0]], [4, 2, 4], {"padding": "same", "paddingMode": "replicate"})
for options in [{}, {"stride": 3, "padding": 1, "outputPadding": 2, "groups": 2, "bias": False}, {"dilation": 2}]:
    layer(nn.ConvTranspose1d, json.dumps(options), [sequence], [4, 6, 3], options)
layer(nn.MaxPool1d, "default", [sequence], [2])
layer(nn.MaxPool1d, "all", [sequence], [3], {"stride": 2, "padding": 1, "dilation": 2, "ceilMode": True})
layer(nn.AvgPool1d, "default", [sequence], [2])
layer(nn.AvgPool1d, "all", [sequence[0]], [3], {"stride": 2, "padding": 1, "ceilMode": True, "countIncludePad": False})
layer(nn.AdaptiveMaxPool2d, "one", [image], [1])
layer(nn.AdaptiveMaxPool2d, "uneven", [image], [[3, 4]])
layer(nn.AdaptiveMaxPool2d, "one axis kept", [image], [[None, 2]])
maxima, places = nn.functional.max_pool2d(image, 2, 2, return_indices=True)
layer(nn.MaxUnpool2d, "default", [maxima, places], [2])
layer(nn.MaxUnpool2d, "output size", [maxima, places], [2], {"stride": 2}, extra=[[7, 6]],
      forward=lambda module, x, i: module(x, i, output_size=[7, 6]))
layer(nn.Upsample, "nearest", [image], [], {"scaleFactor": 2})
layer(nn.Upsample, "bilinear", [image], [], {"size": [9, 4], "mode": "bilinear"})
layer(nn.Upsample, "corners", [image], [], {"scaleFactor": 2, "mode": "bilinear", "alignCorners": True})
layer(nn.Upsample, "linear", [sequence], [], {"size": 5, "mode": "linear"})
layer(nn.PixelShuffle, "twice", [image], [2])
layer(nn.PixelUnshuffle, "half", [randn(2, 1, 4, 6)], [2])
layer(nn.Dropout2d, "training", [randn(4, 8, 3, 2)], [0.3])
layer(nn.Dropout2d, "evaluation", [randn(4, 8, 3, 2)], [], mode="eval")
layer(nn.CosineSimilarity, "default", [randn(3, 4), randn(3, 4)], [])
layer(nn.CosineSimilarity, "axis", [randn(3, 4), randn(3, 4)], [], {"dim": 0, "eps": 1e-3})
layer(nn.LocalResponseNorm, "default", [image], [3])
layer(nn.LocalResponseNorm, "settings", [sequence], [2], {"alpha": 0.5, "beta": 0.6, "k": 2})
layer(nn.Embedding, "matrix", [torch.randint(0, 7, (2, 5), generator=generator)], [7, 3])
layer(nn.Embedding, "padding", [torch.tensor([1, 4, 0, 4])], [5, 2], {"paddingIdx": -1})
words, others = randn(5, 2, 6), randn(4, 2, 6)
layer(nn.MultiheadAttention, "to itself", [words, words, words], [6, 2])
layer(nn.MultiheadAttention, "to others", [words, others, randn(4, 2, 6)], [6, 3])
layer(nn.MultiheadAttention, "batch first, no bias", [words.transpose(0, 1).contiguous(), others.transpose(0, 1).contiguous(),
      others.transpose(0, 1).contiguous()], [6, 1], {"batchFirst": True, "bias": False})
layer(nn.MultiheadAttention, "without a batch", [randn(5, 6), randn(4, 6), randn(4, 6)], [6, 2])
layer(nn.MultiheadAttention, "causal, weights of heads", [words, words, words], [6, 2],
      extra=[{"isCausal": True, "averageAttnWeights": False}],
      forward=lambda module, q, k, v: module(q, k, v, attn_mask=torch.ones(5, 5).triu(1).bool(),
                                             average_attn_weights=False))
layer(nn.MultiheadAttention, "dropout", [words, others, others], [6, 2], {"dropout": 0.4})
for kind in [nn.SELU, nn.CELU, nn.Softsign, nn.Tanhshrink, nn.Hardshrink, nn.Softshrink]:
    layer(kind, "matrix", [randn(3, 4)], [])
layer(nn.CELU, "alpha", [randn(3, 4)], [2.5])
layer(nn.Hardshrink, "lambd", [randn(3, 4)], [0.8])
layer(nn.Softshrink, "lambd", [randn(3, 4)], [0.1])
layer(nn.Threshold, "settings", [randn(3, 4)], [0.1, 20])
layer(nn.GLU, "default", [randn(3, 4)], [])
layer(nn.GLU, "channels", [randn(3, 4, 2)], [1])
layer(nn.Softmin, "last axis", [randn(3, 4)], [-1])
layer(nn.Softmax2d, "images", [image], [])
layer(nn.Softmax2d, "one image", [image[0]], [])
layer(nn.AdaptiveAvgPool1d, "even", [sequence], [3])
layer(nn.AdaptiveAvgPool1d, "uneven, one sequence", [sequence[0]], [4])
layer(nn.AdaptiveMaxPool1d, "uneven", [sequence], [4])
layer(nn.AdaptiveMaxPool1d, "indices", [sequence], [4], {"returnIndices": True})
layer(nn.ChannelShuffle, "images", [randn(2, 6, 3, 2)], [3])
words = randn(4, 3, 6)
for options in [
    {"dimFeedforward": 8, "dropout": 0},
    {"dimFeedforward": 8, "dropout": 0, "normFirst": True, "activation": "gelu", "layerNormEps": 1e-3},
    {"dimFeedforward": 8, "dropout": 0, "batchFirst": True, "bias": False},
]:
    layer(nn.TransformerEncoderLayer, json.dumps(options), [words], [6, 2], options)
layer(nn.TransformerEncoderLayer, "one sequence, evaluation", [words[0]], [6, 3], {"dimFeedforward": 4}, mode="eval",
      forward=lambda module, x: module(x))
layer(nn.TransformerEncoderLayer, "dropout", [words], [6, 2], {"dimFeedforward": 8, "dropout": 0.3})
block = {"dimFeedforward": 8, "dropout": 0}
case("two layers and a norm", nn.TransformerEncoder(nn.TransformerEncoderLayer(6, 2, 8, 0), 2, norm=nn.LayerNorm(6), enable_nested_tensor=False),
     [{"module": "TransformerEncoderLayer", "args": [6, 2, block]}, 2, {"norm": {"module": "LayerNorm", "args": [6]}}], [words])
layer(nn.TransformerEncoderLayer, "causal", [words], [6, 2], {"dimFeedforward": 8, "dropout": 0}, extra=[{"isCausal": True}],
      forward=lambda module, x: module(x, src_mask=torch.ones(4, 4).triu(1).bool()))
for reduction in ["mean", "sum", "none"]:
    given = {"reduction": reduction}
    counts, spread = torch.randint(0, 5, (3, 4), generator=generator).float(), torch.rand(3, 4, generator=generator) + 0.2
    signs = torch.randint(0, 2, (3, 4), generator=generator) * 2.0 - 1
    layer(nn.PoissonNLLLoss, reduction, [randn(3, 4), counts], [], given)
    layer(nn.GaussianNLLLoss, reduction, [randn(3, 4), randn(3, 4), spread], [], given)
    # PyTorch has no gradient for these targets, and takes no whole numbers.
    layer(nn.SoftMarginLoss, reduction, [randn(3, 4), signs.int()], [], given, forward=lambda module, x, t: module(x, t.float()))
    layer(nn.HingeEmbeddingLoss, reduction, [randn(3, 4), signs], [], given)
    layer(nn.MultiLabelSoftMarginLoss, reduction, [randn(3, 4), (signs + 1) / 2], [], given)
    weight = torch.rand(4, generator=generator)
    case(f"{reduction}, weighted", nn.MultiLabelSoftMarginLoss(weight=weight.clone(), reduction=reduction),
         [{"weight": weight, **given}], [randn(3, 4), (signs + 1) / 2])
# PyTorch's gradient for a count of 0 is NaN.
layer(nn.PoissonNLLLoss, "counts, full", [spread, counts + 0.5], [], {"logInput": False, "full": True, "eps": 0.01})
layer(nn.GaussianNLLLoss, "full", [randn(3, 4), randn(3, 4), spread], [], {"full": True, "eps": 0.5})
layer(nn.HingeEmbeddingLoss, "margin", [randn(3, 4), signs], [], {"margin": 0.3})
write("layers.json", layers)

init = []


def drawn(kind, args, options=None):
    """The state of a fresh layer; `then` is a number drawn afterwards, so that what was drawn is counted too."""
    options = options or {}
    snake = {re.sub(r"[A-Z]", lambda match: "_" + match[0].lower(), key): value for key, value in options.items()}
    torch.manual_seed(0)
    module = kind(*(tuple(arg) if isinstance(arg, list) else arg for arg in args), **snake)
    init.append({"layer": kind.__name__, "args": [*args, options], "state": state(module), "then": pack(torch.rand(1))})


drawn(nn.Linear, [5, 7])
drawn(nn.Linear, [1, 1])
drawn(nn.Linear, [30, 20], {"bias": False})
drawn(nn.Conv2d, [3, 8, 3])
drawn(nn.Conv2d, [4, 6, [3, 2]], {"groups": 2})
drawn(nn.Conv2d, [6, 6, 5], {"groups": 6, "bias": False})
drawn(nn.ConvTranspose2d, [3, 8, 3])
drawn(nn.ConvTranspose2d, [4, 6, [3, 2]], {"groups": 2})
drawn(nn.BatchNorm1d, [3])
drawn(nn.Bilinear, [3, 2, 5])
drawn(nn.Conv1d, [4, 6, 3], {"groups": 2})
drawn(nn.ConvTranspose1d, [4, 6, 3])
drawn(nn.Embedding, [5, 3])
drawn(nn.Embedding, [5, 3], {"paddingIdx": 2})
drawn(nn.MultiheadAttention, [6, 2])
drawn(nn.TransformerEncoderLayer, [6, 2], {"dimFeedforward": 8})
drawn(nn.PReLU, [], {"numParameters": 2, "init": 0.1})
drawn(nn.LayerNorm, [3])
drawn(nn.GroupNorm, [2, 4])
drawn(nn.InstanceNorm2d, [4], {"affine": True, "trackRunningStats": True})
drawn(nn.BatchNorm2d, [4])


def filled(name, shape, options=None, args=()):
    options = options or {}
    def translate(value):
        return re.sub(r"[A-Z]", lambda match: "_" + match[0].lower(), value) if isinstance(value, str) else value
    function = getattr(nn.init, translate(name))
    torch.manual_seed(3)
    value = function(torch.empty(*shape), *args, **{translate(k): translate(v) for k, v in options.items()})
    init.append({"fill": name, "shape": shape, "args": [*args, options], "value": pack(value)})


for name in ["xavierUniform_", "xavierNormal_"]:
    filled(name, [5, 7])
    filled(name, [4, 3, 3, 2], {"gain": 2.5})
for name in ["kaimingUniform_", "kaimingNormal_"]:
    filled(name, [5, 7])
    filled(name, [4, 3, 3, 2], {"mode": "fanOut", "nonlinearity": "relu"})
    filled(name, [4, 3, 3, 2], {"a": 0.4})
    filled(name, [4, 3], {"nonlinearity": "tanh"})
filled("uniform_", [3, 4], args=[-2, 5])
filled("normal_", [3, 6], args=[1, 0.1])
filled("normal_", [3], args=[1, 0.1])
filled("constant_", [2, 2], args=[3])
filled("zeros_", [2, 2])
filled("ones_", [2, 2])
for shape in [[3, 4], [7, 9]]:
    filled("truncNormal_", shape, args=[0.0, 1.0, -2.0, 2.0])
    filled("truncNormal_", shape, args=[0.5, 0.02, 0.49, 0.6])
    filled("truncNormal_", shape, args=[0.0, 1.0, 2.0, 3.0])
    filled("truncNormal_", shape, args=[0.0, 0.5, -3.0, -1.0])
    filled("orthogonal_", shape)
    filled("sparse_", shape, args=[0.4, 0.01])
    filled("eye_", shape)
filled("sparse_", [5, 3], args=[0.5, 2.0])
filled("orthogonal_", [6, 2, 3, 3], {"gain": 2.5})
filled("orthogonal_", [30, 4, 1])
filled("dirac_", [4, 3, 5])
filled("dirac_", [3, 4, 3, 2])
filled("dirac_", [6, 2, 3, 3], {"groups": 3})
gains = ["linear", "conv2d", "convTranspose2d", "sigmoid", "tanh", "relu", "leakyRelu", "selu"]
for name in gains:
    snake = re.sub(r"[A-Z]", lambda match: "_" + match[0].lower(), name)
    init.append({"gain": name, "value": nn.init.calculate_gain(snake)})
init.append({"gain": "leakyRelu", "param": 0.3, "value": nn.init.calculate_gain("leaky_relu", 0.3)})
write("init.json", init)
