"""Elementary functions, activations and truth values: python3 test/golden/activations.py"""
import torch
import torch.nn.functional as F

from golden import Golden

g = Golden(__file__)
inf, nan = float("inf"), float("nan")
a, b, row = g.randn(3, 4) * 3, g.randn(3, 4), g.randn(4)
special = torch.tensor([0.0, -0.0, 1.0, -1.0, inf, -inf, nan, 1e-30, -1e-6, 3e-5, 60.0, -104.0, 20.5, 2.0, -3.0, 3.0])
positive = g.rand(3, 4) + 0.1
halves = torch.tensor([-2.5, -1.5, -0.5, -0.4, 0.0, 0.4, 0.5, 0.6, 1.5, 2.5, 1e10, inf, -inf, nan])
ints = g.randint(-9, 9, (2, 3)).int()
bools = g.rand(2, 3) > 0.5

for name in ["sin", "cos", "erf", "expm1", "log1p", "rsqrt", "reciprocal"]:
    fn = getattr(torch, name)
    x = positive if name in ("log1p", "rsqrt") else a
    g.case(name, "values", [x], ["$0"], fn)
    g.case(name, "float64", [x.double()], ["$0"], fn)
    g.case(name, "int32", [ints.abs() + 1], ["$0"], fn)
    for i, value in enumerate(special.tolist()):
        g.case(name, f"special value {i}", [torch.tensor([value])], ["$0"], fn, grads=False)
for name in ["round", "floor", "ceil"]:
    fn = getattr(torch, name)
    g.case(name, "values", [halves], ["$0"], fn)
    g.case(name, "int32", [ints], ["$0"], fn)
g.case("sin", "far out", [torch.tensor([100.0, -1000.0, 1e4])], ["$0"], torch.sin, grads=False)
g.case("lerp", "number", [a, b], ["$0", "$1", 0.3], lambda x, y: torch.lerp(x, y, 0.3))
g.case("lerp", "tensor, broadcast", [a, row, g.rand(3, 1)], ["$0", "$1", "$2"], torch.lerp)

one = {
    "gelu": F.gelu, "silu": F.silu, "mish": F.mish, "softplus": F.softplus, "elu": F.elu, "logSigmoid": F.logsigmoid,
    "hardtanh": F.hardtanh, "relu6": F.relu6, "hardswish": F.hardswish, "hardsigmoid": F.hardsigmoid,
}
bends = torch.tensor([-6.0, -3.0, -1.0, 0.0, 1.0, 3.0, 6.0, 20.0, 20.5])
for name, fn in one.items():
    g.case(name, "values", [a], ["$0"], fn)
    g.case(name, "float64", [a.double()], ["$0"], fn)
    g.case(name, "where the parts meet", [bends], ["$0"], fn)
    for i, value in enumerate(special.tolist()):
        if not (value == -inf and name in ("gelu", "silu", "mish", "hardswish")):
            g.case(name, f"special value {i}", [torch.tensor([value])], ["$0"], fn, grads=False)
g.case("gelu", "tanh", [a], ["$0", {"approximate": "tanh"}], lambda x: F.gelu(x, approximate="tanh"))
g.case("softplus", "beta, threshold", [a], ["$0", {"beta": 2, "threshold": 3}], lambda x: F.softplus(x, 2, 3))
g.case("elu", "alpha", [a], ["$0", 0.5], lambda x: F.elu(x, 0.5))
g.case("hardtanh", "bounds", [a], ["$0", -2, 0.5], lambda x: F.hardtanh(x, -2, 0.5))
g.case("prelu", "one weight", [a, torch.tensor([0.2])], ["$0", "$1"], F.prelu)
g.case("prelu", "a weight for each channel", [g.randn(2, 3, 2, 2), g.randn(3)], ["$0", "$1"], F.prelu)
g.case("prelu", "zeros", [torch.zeros(2, 3), g.randn(3)], ["$0", "$1"], F.prelu)

for name, fn in [("logicalAnd", torch.logical_and), ("logicalOr", torch.logical_or)]:
    g.case(name, "bools", [bools, bools.flip(0)], ["$0", "$1"], fn)
    g.case(name, "numbers, broadcast", [g.randint(0, 2, (3, 1)).int(), torch.tensor([0.0, 2.5, nan, -0.0])], ["$0", "$1"], fn, grads=False)
for name, fn in [("logicalNot", torch.logical_not), ("isnan", torch.isnan), ("isinf", torch.isinf), ("isfinite", torch.isfinite)]:
    g.case(name, "special values", [special], ["$0"], fn, grads=False)
    g.case(name, "int32", [ints], ["$0"], fn)
    g.case(name, "bool", [bools], ["$0"], fn)
marks = torch.tensor([[0.0, 0.0, 0.0], [1.0, nan, -2.0], [0.0, -0.0, 0.5]])
for name, fn in [("all", torch.all), ("any", torch.any)]:
    for label, x in [("floats", marks), ("bools", bools), ("int32", ints), ("empty", torch.zeros(0, 2))]:
        g.case(name, f"{label}", [x], ["$0"], fn, grads=False)
        g.case(name, f"{label}, an axis kept", [x], ["$0", 0, {"keepdim": True}], lambda x, fn=fn: fn(x, 0, keepdim=True), grads=False)
    g.case(name, "two axes", [g.randint(0, 2, (2, 3, 2)).int()], ["$0", [0, -1]], lambda x, fn=fn: fn(x, (0, -1)))
g.save()
