"""Sliding windows as columns: python3 test/golden/windows.py"""
import torch.nn.functional as F

from golden import Golden

g = Golden(__file__)


def lists(options):
    return {k: list(v) if isinstance(v, tuple) else v for k, v in options.items()}


def both(name, image, kernel, **options):
    x = g.randn(*image)
    given = list(kernel) if isinstance(kernel, tuple) else kernel
    g.case("unfold", name, [x], ["$0", given, lists(options)], lambda x: F.unfold(x, kernel, **options))
    columns = g.randn(*F.unfold(x, kernel, **options).shape)
    size = image[-2:]
    g.case("fold", name, [columns], ["$0", list(size), given, lists(options)], lambda c: F.fold(c, size, kernel, **options))


both("defaults", (2, 3, 4, 5), 2)
both("kernel pair", (1, 2, 5, 6), (2, 3))
both("kernel as large as the image", (1, 2, 3, 4), (3, 4))
both("stride", (1, 2, 6, 6), 2, stride=2)
both("stride pair that leaves rows over", (1, 1, 6, 8), (3, 2), stride=(2, 3))
both("padding", (1, 2, 3, 4), 3, padding=1)
both("padding pair", (1, 1, 3, 4), (2, 3), padding=(0, 2))
both("dilation", (1, 1, 6, 7), (2, 3), dilation=(3, 2))
both("everything", (2, 2, 7, 8), (2, 3), dilation=(2, 1), padding=(1, 2), stride=(2, 3))
both("one image", (2, 4, 4), 2)
both("empty batch", (0, 2, 4, 4), 2)
g.case("fold", "size as a number", [g.randn(1, 4, 9)], ["$0", 4, 2], lambda c: F.fold(c, 4, 2))
g.save()
