"""Convolution and transposed convolution: python3 test/golden/convolution.py"""
import torch.nn.functional as F

from golden import Golden

g = Golden(__file__)


def camel(options):
    names = {"output_padding": "outputPadding"}
    return {names.get(k, k): list(v) if isinstance(v, tuple) else v for k, v in options.items()}


def conv(name, x, weight, **options):
    tensors = [g.randn(*x), g.randn(*weight), g.randn(weight[0])]
    with_bias = ["$0", "$1", "$2", camel(options)]
    g.case("conv2d", name, tensors, with_bias, lambda x, w, b: F.conv2d(x, w, b, **options))
    without = ["$0", "$1", None, camel(options)]
    g.case("conv2d", f"{name}, no bias", tensors[:2], without, lambda x, w: F.conv2d(x, w, None, **options))


def transposed(name, x, weight, **options):
    channels = weight[1] * options.get("groups", 1)
    tensors = [g.randn(*x), g.randn(*weight), g.randn(channels)]
    with_bias = ["$0", "$1", "$2", camel(options)]
    g.case("convTranspose2d", name, tensors, with_bias, lambda x, w, b: F.conv_transpose2d(x, w, b, **options))
    without = ["$0", "$1", None, camel(options)]
    g.case("convTranspose2d", f"{name}, no bias", tensors[:2], without, lambda x, w: F.conv_transpose2d(x, w, None, **options))


conv("defaults", (2, 3, 6, 7), (4, 3, 3, 3))
conv("1 by 1", (2, 3, 4, 5), (2, 3, 1, 1))
conv("kernel as large as the image", (1, 2, 4, 5), (3, 2, 4, 5))
conv("stride", (1, 2, 7, 8), (3, 2, 3, 3), stride=2)
conv("stride pair that leaves rows over", (2, 1, 8, 9), (2, 1, 3, 2), stride=(3, 2))
conv("stride larger than the kernel", (1, 1, 9, 9), (1, 1, 2, 2), stride=4)
conv("padding", (1, 2, 4, 5), (2, 2, 3, 3), padding=1)
conv("padding pair", (1, 2, 4, 5), (2, 2, 3, 3), padding=(0, 2))
conv("padding larger than the kernel", (1, 1, 3, 3), (1, 1, 2, 2), padding=3)
conv("valid", (1, 2, 4, 5), (2, 2, 3, 2), padding="valid")
conv("same", (1, 2, 4, 5), (2, 2, 3, 5), padding="same")
conv("same, even kernel", (1, 2, 5, 4), (2, 2, 2, 4), padding="same")
conv("same, dilated", (1, 1, 6, 7), (2, 1, 2, 3), padding="same", dilation=(3, 2))
conv("dilation", (1, 2, 7, 8), (2, 2, 3, 3), dilation=2)
conv("dilation pair", (1, 2, 7, 8), (2, 2, 3, 2), dilation=(1, 4))
conv("groups", (2, 4, 5, 5), (6, 2, 3, 3), groups=2)
conv("depthwise", (1, 3, 5, 5), (3, 1, 3, 3), groups=3, padding=1)
conv("depthwise, two filters each", (1, 3, 5, 5), (6, 1, 3, 3), groups=3, stride=2)
conv("everything", (2, 4, 9, 8), (4, 2, 3, 2), groups=2, stride=(2, 1), padding=(2, 1), dilation=(2, 3))
conv("one image", (2, 5, 6), (3, 2, 3, 3), padding=1)
conv("empty batch", (0, 2, 5, 6), (3, 2, 3, 3))
conv("one row", (2, 3, 1, 9), (2, 3, 1, 3), padding=(0, 1))

transposed("defaults", (2, 3, 4, 5), (3, 2, 3, 3))
transposed("stride", (1, 2, 3, 4), (2, 3, 3, 3), stride=2)
transposed("stride pair", (1, 2, 3, 4), (2, 3, 2, 3), stride=(3, 2))
transposed("padding", (1, 2, 4, 5), (2, 2, 3, 3), padding=(1, 2))
transposed("output padding", (1, 2, 3, 4), (2, 2, 3, 3), stride=(2, 3), padding=1, output_padding=(1, 2))
transposed("output padding below the dilation", (1, 1, 3, 3), (1, 1, 2, 2), dilation=3, output_padding=2)
transposed("dilation", (1, 2, 3, 4), (2, 2, 3, 2), dilation=(2, 3))
transposed("groups", (1, 4, 3, 3), (4, 3, 3, 3), groups=2)
transposed("depthwise", (1, 3, 4, 4), (3, 1, 2, 2), groups=3, stride=2)
transposed("everything", (2, 4, 4, 3), (4, 2, 3, 2), groups=2, stride=(2, 3), padding=(1, 0), dilation=(2, 1), output_padding=(1, 2))
transposed("one image", (2, 3, 4), (2, 3, 3, 3))
transposed("empty batch", (0, 2, 3, 4), (2, 3, 3, 3))
g.save()
