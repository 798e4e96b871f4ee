"""Windows over sequences, adaptive maxima, and images in other sizes: python3 test/golden/windows1d.py"""
import torch
import torch.nn.functional as F

from golden import Golden

g = Golden(__file__)
x, w, b = g.randn(2, 4, 9), g.randn(6, 4, 3), g.randn(6)
for name, options in [
    ("defaults", {}), ("stride, padding", {"stride": 2, "padding": 1}), ("dilation", {"dilation": 3}), ("same", {"padding": "same"}),
    ("valid", {"padding": "valid"}), ("groups", {"groups": 2}),
]:
    weight = g.randn(6, 2, 3) if "groups" in options else w
    g.case("conv1d", name, [x, weight, b], ["$0", "$1", "$2", options], lambda x, w, b, o=options: F.conv1d(x, w, b, **o))
g.case("conv1d", "one sequence, no bias", [x[0], w], ["$0", "$1"], F.conv1d)
g.case("conv1d", "same, even kernel", [x, g.randn(2, 4, 4)], ["$0", "$1", None, {"padding": "same"}], lambda x, w: F.conv1d(x, w, padding="same"))
w, b = g.randn(4, 3, 3), g.randn(3)
for name, options in [
    ("defaults", {}), ("stride, padding", {"stride": 2, "padding": 1}), ("output padding", {"stride": 3, "outputPadding": 2}), ("dilation", {"dilation": 2}),
]:
    names = {k.replace("outputPadding", "output_padding"): v for k, v in options.items()}
    g.case("convTranspose1d", name, [x, w, b], ["$0", "$1", "$2", options], lambda x, w, b, o=names: F.conv_transpose1d(x, w, b, **o))
g.case("convTranspose1d", "groups, one sequence", [x[0], g.randn(4, 2, 3)], ["$0", "$1", None, {"groups": 2}], lambda x, w: F.conv_transpose1d(x, w, groups=2))
for name, options in [("defaults", {}), ("stride, padding", {"stride": 2, "padding": 1}), ("ceil mode", {"stride": 2, "ceilMode": True})]:
    names = {k.replace("ceilMode", "ceil_mode"): v for k, v in options.items()}
    g.case("maxPool1d", name, [x], ["$0", 3, options], lambda x, o=names: F.max_pool1d(x, 3, **o))
    g.case("avgPool1d", name, [x], ["$0", 3, options], lambda x, o=names: F.avg_pool1d(x, 3, **o))
g.case("maxPool1d", "dilation, one sequence", [x[0]], ["$0", 2, {"dilation": 3}], lambda x: F.max_pool1d(x, 2, dilation=3))
g.case("avgPool1d", "padding not counted, one sequence", [x[0]], ["$0", 4, {"padding": 2, "countIncludePad": False}], lambda x: F.avg_pool1d(x, 4, padding=2, count_include_pad=False))

image = g.randn(2, 3, 6, 7)
ties = g.randint(0, 2, (1, 2, 5, 5)).float()
for size in [1, 3, [2, 7], [6, None], [4, 5], [8, 9]]:
    g.case("adaptiveMaxPool2d", f"to {size}", [image], ["$0", size], lambda x, s=size: F.adaptive_max_pool2d(x, s))
g.case("adaptiveMaxPool2d", "ties", [ties], ["$0", 3], lambda x: F.adaptive_max_pool2d(x, 3))
g.case("adaptiveMaxPool2d", "one image", [image[0]], ["$0", 4], lambda x: F.adaptive_max_pool2d(x, 4))


def interpolate(name, x, options):
    names = {k.replace("scaleFactor", "scale_factor").replace("alignCorners", "align_corners"): v for k, v in options.items()}
    g.case("interpolate", name, [x], ["$0", options], lambda x: F.interpolate(x, **names))


for options in [
    {"scaleFactor": 2}, {"scaleFactor": 0.5}, {"scaleFactor": 1.7}, {"scaleFactor": [3, 1]}, {"size": [4, 9]}, {"size": 3}, {"size": [13, 1]},
]:
    interpolate(f"nearest, {options}", image, options)
    for corners in [False, True]:
        interpolate(f"bilinear, {options}, {corners}", image, {**options, "mode": "bilinear", "alignCorners": corners})
interpolate("nearest, a sequence", x, {"size": 5})
interpolate("linear, a sequence", x, {"scaleFactor": 2, "mode": "linear"})
interpolate("nearest, many places", g.randn(1, 1, 1, 31), {"scaleFactor": [1, 1.3]})

g.case("pixelShuffle", "factor 2", [g.randn(2, 8, 2, 3)], ["$0", 2], lambda x: F.pixel_shuffle(x, 2))
g.case("pixelShuffle", "factor 3, one image", [g.randn(9, 2, 2)], ["$0", 3], lambda x: F.pixel_shuffle(x, 3))
g.case("pixelUnshuffle", "factor 2", [g.randn(2, 3, 4, 6)], ["$0", 2], lambda x: F.pixel_unshuffle(x, 2))
g.case("pixelUnshuffle", "int32", [g.randint(0, 9, (1, 1, 3, 3)).int()], ["$0", 3], lambda x: F.pixel_unshuffle(x.float(), 3).int())
for name, kernel, options in [("defaults", 2, {}), ("overlapping", 3, {"stride": 2}), ("padding", 3, {"stride": 2, "padding": 1})]:
    values, indices = F.max_pool2d(image, kernel, **options, return_indices=True)
    size = list(image.shape[-2:])
    g.case("maxUnpool2d", name, [values, indices], ["$0", "$1", kernel, {**options, "outputSize": size}], lambda x, i, k=kernel, o=options, s=size: F.max_unpool2d(x, i, k, **o, output_size=s))
values, indices = F.max_pool2d(image[0, :, :, :6], 2, return_indices=True)
g.case("maxUnpool2d", "one image, size inferred", [values, indices], ["$0", "$1", 2], lambda x, i: F.max_unpool2d(x, i, 2))

for size in [1, 3, [2, 7], [6, None], [4, 5], [8, 9]]:
    g.case("adaptiveMaxPool2dWithIndices", f"to {size}", [image], ["$0", size], lambda x, s=size: F.adaptive_max_pool2d(x, s, return_indices=True))
g.case("adaptiveMaxPool2dWithIndices", "ties", [ties], ["$0", 3], lambda x: F.adaptive_max_pool2d(x, 3, return_indices=True))
g.case("adaptiveMaxPool2dWithIndices", "one image", [image[0]], ["$0", [4, 3]], lambda x: F.adaptive_max_pool2d(x, (4, 3), return_indices=True))

for options in [
    {"scaleFactor": 2}, {"scaleFactor": 0.5}, {"scaleFactor": 1.7}, {"scaleFactor": [3, 1]}, {"size": [4, 9]}, {"size": 3}, {"size": [13, 1]},
]:
    for mode in ["nearest-exact", "area"]:
        interpolate(f"{mode}, {options}", image, {**options, "mode": mode})
    for corners in [False, True]:
        interpolate(f"bicubic, {options}, {corners}", image, {**options, "mode": "bicubic", "alignCorners": corners})
for mode in ["nearest-exact", "area"]:
    interpolate(f"{mode}, a sequence", x, {"size": 5, "mode": mode})
g.save()
