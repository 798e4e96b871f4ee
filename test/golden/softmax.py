"""Softmax and its logarithm: python3 test/golden/softmax.py"""
import torch
import torch.nn.functional as F

from golden import Golden

g = Golden(__file__)
matrix, cube, square = g.randn(3, 5), g.randn(2, 3, 4), g.randn(2, 3, 2, 2)
# Two numbers decide here, so gradients and values round against 1.
wide = torch.tensor([[-200.0, 0.0, 100.0], [1e4, 1e4, -1e4], [-1e30, 3.0, 3.0]])

for op, fn in {"softmax": F.softmax, "logSoftmax": F.log_softmax}.items():
    for name, x, dims in [("matrix", matrix, [0, 1, -1]), ("cube", cube, [0, 1, 2]), ("planes", square, [1, -2])]:
        for dim in dims:
            g.case(op, f"{name}, axis {dim}", [x], ["$0", dim], lambda x, f=fn, d=dim: f(x, d))
    g.case(op, "vector", [g.randn(6)], ["$0", 0], lambda x, f=fn: f(x, 0))
    g.case(op, "scalar", [torch.tensor(3.0)], ["$0", 0], lambda x, f=fn: f(x, 0))
    g.case(op, "one class", [g.randn(4, 1)], ["$0", 1], lambda x, f=fn: f(x, 1))
    g.case(op, "wide range", [wide], ["$0", 1], lambda x, f=fn: f(x, 1))
    g.case(op, "no rows", [torch.zeros(0, 3)], ["$0", 1], lambda x, f=fn: f(x, 1))
    g.case(op, "float64", [g.randn(2, 3).double()], ["$0", 1], lambda x, f=fn: f(x, 1))
    infinite = torch.tensor([[float("-inf"), 0.0, 1.0]])
    g.case(op, "-infinity", [infinite], ["$0", 1], lambda x, f=fn: f(x, 1), grads=False)
    g.case(op, "infinity", [-infinite], ["$0", 1], lambda x, f=fn: f(x, 1), grads=False)
    g.case(op, "nan", [torch.tensor([[float("nan"), 0.0], [1.0, 2.0]])], ["$0", 1], lambda x, f=fn: f(x, 1), grads=False)
g.save()
