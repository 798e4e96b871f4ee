"""Matrix products: python3 test/golden/matmul.py"""
import torch
import torch.nn.functional as F

from golden import Golden

g = Golden(__file__)

for name, a, b in [
    ("matrices", (3, 4), (4, 5)),
    ("two vectors", (6,), (6,)),
    ("matrix by vector", (3, 4), (4,)),
    ("vector by matrix", (4,), (4, 5)),
    ("batch by matrix", (2, 3, 4), (4, 5)),
    ("two batch axes by matrix", (2, 2, 3, 4), (4, 2)),
    ("matrix by batch", (3, 4), (2, 4, 5)),
    ("batch by batch", (3, 2, 4), (3, 4, 2)),
    ("batch by vector", (2, 3, 4), (4,)),
    ("vector by batch", (4,), (2, 4, 5)),
    ("vector by two batch axes", (4,), (2, 2, 4, 3)),
    ("batches that broadcast both ways", (2, 1, 3, 4), (3, 4, 2)),
    ("batch of 1 by batch", (1, 3, 4), (3, 4, 2)),
    ("larger than a tile", (3, 300), (300, 2)),
    ("nothing to add up", (2, 0), (0, 3)),
    ("vectors of nothing", (0,), (0,)),
    ("no rows", (0, 3), (3, 2)),
    ("empty batch", (0, 2, 3), (3, 2)),
]:
    g.case("matmul", name, [g.randn(*a), g.randn(*b)], ["$0", "$1"], torch.matmul)
g.case("matmul", "float64", [g.randn(2, 3).double(), g.randn(3, 2).double()], ["$0", "$1"], torch.matmul)
ints = g.randint(-99, 99, (3, 4)).int()
g.case("matmul", "int32", [ints, g.randint(-99, 99, (4, 2)).int()], ["$0", "$1"], torch.matmul)
g.case("matmul", "int32 that wraps", [ints * 30_000_000, ints.t().contiguous() * 7_001], ["$0", "$1"], torch.matmul)
special = torch.tensor([[0.0, float("inf")], [float("nan"), 1.0]])
g.case("matmul", "special values", [special, torch.eye(2)], ["$0", "$1"], torch.matmul, grads=False)

for name, x, weight in [
    ("matrix", (3, 4), (5, 4)),
    ("one sample", (4,), (5, 4)),
    ("more axes", (2, 3, 4), (5, 4)),
    ("one output", (3, 4), (1, 4)),
    ("no samples", (0, 4), (2, 4)),
    ("no features", (2, 0), (3, 0)),
    ("many features", (2, 72), (5, 72)),
]:
    tensors = [g.randn(*x), g.randn(*weight), g.randn(weight[0])]
    g.case("linear", name, tensors, ["$0", "$1", "$2"], F.linear)
    g.case("linear", f"{name}, no bias", tensors[:2], ["$0", "$1"], F.linear)
g.case("linear", "int32", [ints, g.randint(-9, 9, (2, 4)).int()], ["$0", "$1"], F.linear)
g.save()
