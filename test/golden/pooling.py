"""Pooling: python3 test/golden/pooling.py"""
import torch
import torch.nn.functional as F

from golden import Golden

g = Golden(__file__)
NAMES = {
    "ceil_mode": "ceilMode",
    "count_include_pad": "countIncludePad",
    "divisor_override": "divisorOverride",
}


def camel(options):
    return {NAMES.get(k, k): list(v) if isinstance(v, tuple) else v for k, v in options.items()}


def given(value):
    return list(value) if isinstance(value, tuple) else value


def maxima(name, x, kernel, **options):
    args = ["$0", given(kernel), camel(options)]
    g.case("maxPool2d", name, [x], args, lambda x: F.max_pool2d(x, kernel, **options))
    g.case("maxPool2dWithIndices", name, [x], args, lambda x: F.max_pool2d(x, kernel, return_indices=True, **options))


def averages(name, x, kernel, **options):
    args = ["$0", given(kernel), camel(options)]
    g.case("avgPool2d", name, [x], args, lambda x: F.avg_pool2d(x, kernel, **options))


maxima("defaults", g.randn(2, 3, 4, 6), 2)
maxima("rows and columns left over", g.randn(1, 2, 5, 7), (2, 3))
maxima("stride", g.randn(1, 2, 6, 7), 3, stride=2)
maxima("stride larger than the kernel", g.randn(1, 1, 7, 7), 2, stride=(3, 4))
maxima("padding of negatives", -g.rand(1, 2, 4, 5) - 1, 3, padding=1)
maxima("padding pair", g.randn(1, 1, 4, 5), (2, 3), padding=(0, 1), stride=1)
maxima("dilation", g.randn(1, 2, 7, 8), (2, 3), dilation=(3, 2), stride=1)
maxima("ceil mode", g.randn(1, 2, 5, 6), 2, ceil_mode=True)
maxima("ceil mode, last window dropped", g.randn(1, 1, 4, 4), 2, ceil_mode=True, stride=3, padding=1)
maxima("everything", g.randn(2, 2, 9, 8), (3, 2), stride=(2, 3), padding=1, dilation=(2, 3), ceil_mode=True)
maxima("one image", g.randn(3, 4, 4), 2)
maxima("empty batch", g.randn(0, 2, 4, 4), 2)
maxima("ties", torch.ones(1, 1, 4, 4), 3, stride=1)
special = torch.tensor([0.0, -0.0, float("nan"), float("inf"), float("-inf"), 1.0, float("nan"), -1.0, float("-inf")])
maxima("special values", special.reshape(1, 1, 3, 3), 2, stride=1)
maxima("negative infinity", torch.full((1, 1, 3, 3), float("-inf")), 2, padding=1)

averages("defaults", g.randn(2, 3, 4, 6), 2)
averages("rows and columns left over", g.randn(1, 2, 5, 7), (2, 3))
averages("stride", g.randn(1, 2, 6, 7), 3, stride=(2, 1))
averages("padding", g.randn(1, 2, 4, 5), 3, padding=1)
averages("padding not counted", g.randn(1, 2, 4, 5), (3, 2), padding=1, count_include_pad=False)
for ceil_count in [True, False]:
    averages(f"ceil mode, counting {ceil_count}", g.randn(1, 2, 5, 6), (2, 4), ceil_mode=True, count_include_pad=ceil_count)
    averages(
        f"ceil mode with padding, counting {ceil_count}", g.randn(1, 1, 6, 7), 3, stride=2, padding=1, ceil_mode=True,
        count_include_pad=ceil_count,
    )
    averages(
        f"divisor, counting {ceil_count}", g.randn(1, 1, 4, 4), 2, padding=1, divisor_override=3, count_include_pad=ceil_count
    )
averages("ceil mode, last window dropped", g.randn(1, 1, 4, 4), 2, ceil_mode=True, stride=3, padding=1)
averages("negative divisor", g.randn(1, 1, 4, 4), 2, divisor_override=-2)
averages("one image", g.randn(3, 4, 4), 2)
averages("empty batch", g.randn(0, 2, 4, 4), 2)

for name, shape, size in [
    ("global", (2, 3, 5, 4), 1),
    ("even", (1, 2, 6, 8), (3, 4)),
    ("same size", (1, 2, 3, 3), 3),
    ("alike but overlapping", (1, 2, 5, 5), 2),
    ("uneven", (2, 2, 7, 5), (3, 2)),
    ("uneven rows alone", (1, 2, 7, 6), (5, 3)),
    ("kept rows", (1, 2, 5, 7), (None, 3)),
    ("larger than the input", (1, 1, 3, 2), (7, 5)),
    ("one pixel to many", (1, 2, 1, 1), 3),
    ("one image", (2, 5, 7), 3),
    ("empty batch", (0, 2, 5, 5), 3),
]:
    x = g.randn(*shape)
    g.case("adaptiveAvgPool2d", name, [x], ["$0", given(size)], lambda x, size=size: F.adaptive_avg_pool2d(x, size))
g.save()
