"""Norms within a sample, and what is made of lengths: python3 test/golden/norms.py

How running statistics change is checked in test/tensor/ops/norms.test.ts.
"""
import torch
import torch.nn.functional as F

from golden import Golden

g = Golden(__file__)

for name, shape, last in [("[N, L]", (4, 6), [6]), ("two axes", (2, 3, 4, 5), [4, 5]), ("all axes", (3, 4), [3, 4])]:
    x, w, b = g.randn(*shape) * 2 + 1, g.randn(*last), g.randn(*last)
    g.case("layerNorm", f"{name}", [x, w, b], ["$0", last, "$1", "$2"], lambda x, w, b, n=last: F.layer_norm(x, n, w, b))
    g.case("layerNorm", f"{name}, plain", [x], ["$0", last], lambda x, n=last: F.layer_norm(x, n))
g.case("layerNorm", "weight alone, eps, a number", [x, w[0]], ["$0", 4, "$1", None, {"eps": 0.1}], lambda x, w: F.layer_norm(x, [4], w, None, 0.1))
g.case("layerNorm", "float64", [x.double()], ["$0", [4]], lambda x: F.layer_norm(x, [4]))
for name, shape, groups in [
    ("[N, C], 2 groups", (4, 6), 2), ("[N, C, L], 2 groups", (2, 4, 5), 2), ("[N, C, H, W], 1 group", (2, 4, 3, 3), 1),
    ("[N, C, H, W], as many groups as channels", (2, 4, 3, 3), 4),
]:
    x, w, b = g.randn(*shape) * 2 + 1, g.randn(shape[1]), g.randn(shape[1])
    g.case("groupNorm", name, [x, w, b], ["$0", groups, "$1", "$2"], lambda x, w, b, n=groups: F.group_norm(x, n, w, b))
    g.case("groupNorm", f"{name}, plain", [x], ["$0", groups], lambda x, n=groups: F.group_norm(x, n))
    g.case(
        "groupNorm", f"{name}, eps", [x, w, b], ["$0", groups, "$1", "$2", {"eps": 0.1}],
        lambda x, w, b, n=groups: F.group_norm(x, n, w, b, 0.1),
    )
for name, shape in [("[N, C, L]", (3, 2, 5)), ("[N, C, H, W]", (2, 3, 4, 3))]:
    x, w, b = g.randn(*shape) * 2 + 1, g.randn(shape[1]), g.randn(shape[1])
    m, v = g.randn(shape[1]), g.rand(shape[1]) + 0.5
    g.case("instanceNorm", name, [x, w, b], ["$0", None, None, "$1", "$2"], lambda x, w, b: F.instance_norm(x, None, None, w, b))
    g.case("instanceNorm", f"{name}, plain", [x], ["$0"], F.instance_norm)
    g.case(
        "instanceNorm", f"{name}, running statistics", [x, m, v, w], ["$0", "$1", "$2", "$3", None, {"useInputStats": False, "eps": 0.01}],
        lambda x, m, v, w: F.instance_norm(x, m.detach(), v.detach(), w, None, False, 0.1, 0.01),
    )
g.save()
