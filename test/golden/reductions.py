"""Reductions over axes, and the greatest and smallest elements: python3 test/golden/reductions.py"""
import torch

from golden import Golden

g = Golden(__file__)
cube = g.randn(2, 3, 4)
flat = g.randn(7)
ties = torch.tensor([[1.0, 3.0, 3.0], [3.0, -2.0, -2.0]])
far = g.randn(5, 8) + 1000.0
special = torch.tensor([[1.0, float("nan"), 2.0], [float("inf"), -1.0, float("-inf")]])
ints = g.randint(-9, 9, (3, 4)).int()
bools = g.rand(3, 4) > 0.5

AXES = {"all": None, "one": 1, "last": -1, "two": [0, 2], "negative": [-3, -1]}


def args(axes, **options):
    given = ["$0"] if axes is None and not options else ["$0", axes]
    return given + ([{k: v for k, v in options.items()}] if options else [])


def dims(x, axes):
    return list(range(x.dim())) if axes is None else axes


for label, axes in AXES.items():
    for keepdim in [False, True]:
        kept = {"keepdim": True} if keepdim else {}
        name = f"{label}, kept" if keepdim else label
        for op in ["sum", "mean", "amax", "amin"]:
            fn = getattr(torch, op)
            g.case(op, name, [cube], args(axes, **kept), lambda x, f=fn, a=axes, k=keepdim: f(x, dims(x, a), keepdim=k))
        for op in ["var", "std"]:
            fn = getattr(torch, op)
            g.case(op, name, [cube], args(axes, **kept), lambda x, f=fn, a=axes, k=keepdim: f(x, dims(x, a), keepdim=k))
            g.case(
                op, f"{name}, correction 0", [cube], args(axes, correction=0, **kept),
                lambda x, f=fn, a=axes, k=keepdim: f(x, dims(x, a), correction=0, keepdim=k),
            )
        for p in [2, 1, 0, 3, 1.5, 0.5, -1]:
            given = ["$0", p, axes] + ([{"keepdim": True}] if keepdim else [])
            g.case(
                "norm", f"p = {p}, {name}", [cube], given,
                lambda x, p=p, a=axes, k=keepdim: torch.linalg.vector_norm(x, p, dims(x, a), keepdim=k),
            )

# Not var and std: there PyTorch 2.13 reduces all axes but divides as if it had reduced none.
for op in ["sum", "mean", "amax", "amin"]:
    g.case(op, "an empty list of axes", [cube], ["$0", []], lambda x, f=getattr(torch, op): f(x, []))

for op in ["sum", "mean"]:
    g.case(op, "nothing", [torch.zeros(0)], ["$0"], getattr(torch, op))
    g.case(op, "an empty axis", [torch.zeros(2, 0)], ["$0", 1], lambda x, f=getattr(torch, op): f(x, 1))
    g.case(op, "an empty result", [torch.zeros(2, 0)], ["$0", 0], lambda x, f=getattr(torch, op): f(x, 0))
    g.case(op, "scalar", [torch.tensor(2.5)], ["$0"], getattr(torch, op))
    g.case(op, "special values", [special], ["$0", 1], lambda x, f=getattr(torch, op): f(x, 1))
g.case("sum", "int32", [ints], ["$0", 1], lambda x: x.sum(1))
g.case("sum", "bool", [bools], ["$0", 1, {"keepdim": True}], lambda x: x.sum(1, keepdim=True))
for op in ["var", "std"]:
    fn = getattr(torch, op)
    # Far from 0 what is left of the input's digits after the mean is taken off is what rounding leaves.
    g.case(op, "far from 0", [far], ["$0", 1], lambda x, f=fn: f(x, 1), tolerance=3e-5)
    g.case(op, "one element", [flat[:1]], ["$0"], fn, grads=False)
    g.case(op, "correction 3", [flat], ["$0", None, {"correction": 3}], lambda x, f=fn: f(x, correction=3))
g.case("std", "equal elements", [torch.full((4,), 2.0)], ["$0"], torch.std)
g.case("var", "equal elements", [torch.full((4,), 2.0)], ["$0"], torch.var)
for op in ["amax", "amin"]:
    fn = getattr(torch, op)
    g.case(op, "ties", [ties], ["$0", 1], lambda x, f=fn: f(x, 1))
    g.case(op, "ties, all", [ties], ["$0"], fn)
    g.case(op, "special values", [special], ["$0", 1], lambda x, f=fn: f(x, 1))
    g.case(op, "an empty result", [torch.zeros(0, 2)], ["$0", 1], lambda x, f=fn: f(x, 1))
    g.case(op, "int32", [ints], ["$0", 0], lambda x, f=fn: f(x, 0))
    g.case(op, "bool", [bools], ["$0", 0], lambda x, f=fn: f(x, 0))
zeros = torch.tensor([[0.0, 0.0], [3.0, 0.0]])
for p in [2, 1, 0, 3, 1.5, 0.5]:
    g.case("norm", f"zeros, p = {p}", [zeros], ["$0", p, 1], lambda x, p=p: torch.linalg.vector_norm(x, p, 1))
g.case("norm", "default", [flat], ["$0"], torch.norm)
g.case("norm", "nothing", [torch.zeros(0)], ["$0"], torch.norm)

for op in ["max", "min"]:
    fn = getattr(torch, op)
    g.case(op, "all", [cube], ["$0"], fn)
    g.case(op, "ties, all", [ties], ["$0"], fn)
    g.case(op, "nan, all", [special], ["$0"], fn, grads=False)
    for dim in [0, 1, -1]:
        g.case(op, f"axis {dim}", [cube], ["$0", dim], lambda x, f=fn, d=dim: f(x, d))
        g.case(op, f"axis {dim}, kept", [cube], ["$0", dim, {"keepdim": True}], lambda x, f=fn, d=dim: f(x, d, keepdim=True))
    g.case(op, "ties", [ties], ["$0", 1], lambda x, f=fn: f(x, 1))
    g.case(op, "special values", [special], ["$0", 1], lambda x, f=fn: f(x, 1))
    g.case(op, "scalar", [torch.tensor(2.5)], ["$0", 0], lambda x, f=fn: f(x, 0))
    g.case(op, "int32", [ints], ["$0", 1], lambda x, f=fn: f(x, 1))
    g.case(op, "bool", [bools], ["$0", 1], lambda x, f=fn: f(x, 1))
for op in ["argmax", "argmin"]:
    fn = getattr(torch, op)
    g.case(op, "all", [cube], ["$0"], fn)
    g.case(op, "all, kept", [cube], ["$0", None, {"keepdim": True}], lambda x, f=fn: f(x, keepdim=True))
    g.case(op, "axis", [cube], ["$0", 1], lambda x, f=fn: f(x, 1))
    g.case(op, "last axis, kept", [cube], ["$0", -1, {"keepdim": True}], lambda x, f=fn: f(x, -1, keepdim=True))
    g.case(op, "ties", [ties], ["$0", 1], lambda x, f=fn: f(x, 1))
    g.case(op, "special values", [special], ["$0", 1], lambda x, f=fn: f(x, 1))
    g.case(op, "scalar", [torch.tensor(2.5)], ["$0"], fn)
    g.case(op, "int32", [ints], ["$0"], fn)
g.save()
