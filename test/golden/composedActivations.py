"""Activations made of other functions: python3 test/golden/composedActivations.py"""
import torch
import torch.nn.functional as F

from golden import Golden

g = Golden(__file__)
inf, nan = float("inf"), float("nan")
a = g.randn(3, 4) * 3
special = torch.tensor([0.0, -0.0, 1.0, -1.0, 0.5, -0.5, inf, -inf, nan, 1e-30, -1e-6, 60.0, -104.0])
ints = g.randint(-9, 9, (2, 3)).int()

one = {
    "selu": F.selu, "celu": F.celu, "softsign": F.softsign, "tanhshrink": F.tanhshrink, "hardshrink": F.hardshrink,
    "softshrink": F.softshrink,
}
for name, fn in one.items():
    g.case(name, "values", [a], ["$0"], fn)
    g.case(name, "float64", [a.double()], ["$0"], fn)
    # What is 0, and nothing else, has a slope of its own.
    g.case(name, "where the parts meet", [torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0])], ["$0"], fn)
    for i, value in enumerate(special.tolist()):
        g.case(name, f"special value {i}", [torch.tensor([value])], ["$0"], fn, grads=False)
for name in ["softsign", "tanhshrink"]:
    g.case(name, "int32", [ints], ["$0"], one[name])
for alpha in [0.5, 3]:
    g.case("celu", f"alpha {alpha}", [a], ["$0", alpha], lambda x, alpha=alpha: F.celu(x, alpha))
for lambd in [0, 1.25]:
    g.case("hardshrink", f"lambd {lambd}", [a], ["$0", lambd], lambda x, lambd=lambd: F.hardshrink(x, lambd))
    g.case("softshrink", f"lambd {lambd}", [a], ["$0", lambd], lambda x, lambd=lambd: F.softshrink(x, lambd))
g.case("hardshrink", "lambd below 0", [a], ["$0", -1], lambda x: F.hardshrink(x, -1))
for axis in [-1, 1, 0]:
    g.case("glu", f"axis {axis}", [g.randn(2, 4, 6)], ["$0", axis], lambda x, axis=axis: F.glu(x, axis))
g.case("glu", "last axis", [g.randn(2, 6)], ["$0"], F.glu)
g.case("glu", "float64, far out", [torch.tensor([1.0, -2.0, 800.0, -800.0]).double()], ["$0"], F.glu)
for axis in [0, -1]:
    g.case("softmin", f"axis {axis}", [a], ["$0", axis], lambda x, axis=axis: F.softmin(x, axis))
g.case("threshold", "values", [a], ["$0", 0.25, -20], lambda x: F.threshold(x, 0.25, -20))
g.case("threshold", "on it, and NaN", [special], ["$0", 1, 7], lambda x: F.threshold(x, 1, 7))
g.case("threshold", "int32", [ints], ["$0", 2, -3], lambda x: F.threshold(x, 2, -3))


def in_place(name, args, fn):
    """fn changes a copy of its argument, as the op here changes its own."""
    g.case(f"{name}_", "", [a], ["$0", *args], lambda x: fn(x.clone()), grads=False)


in_place("selu", [], torch.selu_)
in_place("celu", [2], lambda x: torch.celu_(x, 2))
in_place("silu", [], lambda x: F.silu(x, inplace=True))
in_place("mish", [], lambda x: F.mish(x, inplace=True))
in_place("hardswish", [], lambda x: F.hardswish(x, inplace=True))
in_place("hardsigmoid", [], lambda x: F.hardsigmoid(x, inplace=True))
in_place("threshold", [0.25, -20], lambda x: F.threshold_(x, 0.25, -20))
g.save()
