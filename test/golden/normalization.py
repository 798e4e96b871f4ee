"""Batch normalisation: python3 test/golden/normalization.py

How the running statistics change is checked in test/tensor/ops/normalization.test.ts.
"""
import torch
import torch.nn.functional as F

from golden import Golden

g = Golden(__file__)
shapes = {"[N, C]": (6, 3), "[N, C, L]": (2, 3, 5), "[N, C, H, W]": (2, 3, 4, 3)}


def norm(x, mean, var, weight=None, bias=None, **options):
    mean = None if mean is None else mean.detach().clone()
    var = None if var is None else var.detach().clone()
    return F.batch_norm(x, mean, var, weight, bias, **options)


for name, shape in shapes.items():
    x, mean, var = g.randn(*shape) * 2 + 1, g.randn(3), g.rand(3) + 0.5
    weight, bias = g.randn(3), g.randn(3)
    g.case("batchNorm", f"{name}, evaluation", [x, mean, var, weight, bias], ["$0", "$1", "$2", "$3", "$4"], norm)
    g.case("batchNorm", f"{name}, evaluation, plain", [x, mean, var], ["$0", "$1", "$2"], norm)
    g.case(
        "batchNorm", f"{name}, training", [x, mean, var, weight, bias], ["$0", "$1", "$2", "$3", "$4", {"training": True}],
        lambda *t: norm(*t, training=True),
    )
    g.case(
        "batchNorm", f"{name}, training, no running statistics", [x], ["$0", None, None, None, None, {"training": True}],
        lambda x: norm(x, None, None, training=True),
    )
    g.case(
        "batchNorm", f"{name}, training, weight alone, eps", [x, weight],
        ["$0", None, None, "$1", None, {"training": True, "eps": 0.1}],
        lambda x, w: norm(x, None, None, w, training=True, eps=0.1),
    )
    g.case(
        "batchNorm", f"{name}, training, bias alone, momentum", [x, mean, var, bias],
        ["$0", "$1", "$2", None, "$3", {"training": True, "momentum": 0.5}],
        lambda x, m, v, b: norm(x, m, v, None, b, training=True, momentum=0.5),
    )
g.save()
