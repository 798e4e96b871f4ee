"""Elementwise ops: python3 test/golden/elementwise.py"""
import torch
import torch.nn.functional as F

from golden import Golden

g = Golden(__file__)
a, b, row, column = g.randn(2, 3), g.randn(2, 3), g.randn(3), g.randn(2, 1)
positive = g.rand(2, 3) + 0.1
special = torch.tensor([0.0, -0.0, 1.0, -1.0, float("inf"), float("-inf"), float("nan"), 1e-30, 88.0, -104.0])
ints = g.randint(-9, 9, (2, 3)).int()
bools = g.rand(2, 3) > 0.5

for name in ["add", "sub", "mul", "div", "maximum", "minimum"]:
    fn = getattr(torch, name)
    g.case(name, "same shape", [a, b], ["$0", "$1"], fn)
    g.case(name, "row", [a, row], ["$0", "$1"], fn)
    g.case(name, "row by column", [row, column], ["$0", "$1"], fn)
    g.case(name, "ties", [a, a.clone()], ["$0", "$1"], fn)
    g.case(name, "scalar", [a, torch.tensor(1.5)], ["$0", "$1"], fn)
    g.case(name, "special values", [special, torch.ones(10)], ["$0", "$1"], fn, grads=False)
    g.case(name, "int32 with float32", [ints, a], ["$0", "$1"], fn)
    g.case(name, "float64 with float32", [a.double(), b], ["$0", "$1"], fn)
    if name != "div":
        g.case(name, "int32", [ints, ints.flip(0)], ["$0", "$1"], fn)
for name in ["add", "sub", "mul", "div"]:
    fn = getattr(torch, name)
    g.case(name, "number", [a], ["$0", 2.5], lambda x, fn=fn: fn(x, 2.5))
    g.case(name, "int32 and a whole number", [ints], ["$0", 2], lambda x, fn=fn: fn(x, 2))
    g.case(name, "int32 and a fraction", [ints], ["$0", 2.5], lambda x, fn=fn: fn(x, 2.5))
    if name != "sub":
        g.case(name, "bool and a fraction", [bools], ["$0", 2.5], lambda x, fn=fn: fn(x, 2.5))
g.case("add", "alpha", [a, row], ["$0", "$1", {"alpha": -3}], lambda x, y: torch.add(x, y, alpha=-3))
g.case("sub", "alpha", [a, row], ["$0", "$1", {"alpha": 0.5}], lambda x, y: torch.sub(x, y, alpha=0.5))
g.case("div", "int32 gives float32", [ints, ints.abs() + 1], ["$0", "$1"], torch.div)
g.case("pow", "tensors", [positive, b], ["$0", "$1"], torch.pow)
for exponent in [2, 3, 0.5, -1, 0]:
    g.case("pow", f"exponent {exponent}", [positive], ["$0", exponent], lambda x, e=exponent: torch.pow(x, e))
g.case("pow", "zeros", [torch.tensor([0.0, 0.0, 0.0, 2.0]), torch.tensor([0.0, 2.0, 1.0, 0.0])], ["$0", "$1"], torch.pow)
g.case("pow", "special values", [special], ["$0", 2], lambda x: torch.pow(x, 2), grads=False)

unary = {
    "neg": torch.neg, "abs": torch.abs, "sign": torch.sign, "exp": torch.exp, "square": torch.square, "tanh": torch.tanh,
    "sigmoid": torch.sigmoid, "relu": torch.relu,
}
for name, fn in unary.items():
    g.case(name, "values", [g.randn(3, 4)], ["$0"], fn)
    g.case(name, "special values", [special], ["$0"], fn, grads=False)
    g.case(name, "float64", [g.randn(3).double()], ["$0"], fn)
    g.case(name, "zeros", [torch.zeros(3)], ["$0"], fn)
for name in ["neg", "abs", "sign", "square", "relu", "exp", "tanh", "sigmoid"]:
    g.case(name, "int32", [ints], ["$0"], unary[name])
for name in ["log", "sqrt"]:
    g.case(name, "values", [positive], ["$0"], getattr(torch, name))
    g.case(name, "special values", [special], ["$0"], getattr(torch, name), grads=False)
g.case("leakyRelu", "default slope", [a], ["$0"], F.leaky_relu)
g.case("leakyRelu", "slope 0.3", [a], ["$0", 0.3], lambda x: F.leaky_relu(x, 0.3))
g.case("clamp", "both", [a], ["$0", -0.5, 0.5], lambda x: torch.clamp(x, -0.5, 0.5))
g.case("clamp", "min", [a], ["$0", 0.1], lambda x: torch.clamp(x, min=0.1))
g.case("clamp", "on the bound", [torch.tensor([-1.0, 0.0, 1.0])], ["$0", 0, 1], lambda x: torch.clamp(x, 0, 1))
g.case("clamp", "int32", [ints], ["$0", -2, 3], lambda x: torch.clamp(x, -2, 3))
g.case("where", "broadcast", [bools, a, row], ["$0", "$1", "$2"], torch.where)
g.case("where", "number", [bools, a], ["$0", "$1", 0], lambda c, x: torch.where(c, x, 0))
for name in ["eq", "ne", "lt", "le", "gt", "ge"]:
    fn = getattr(torch, name)
    g.case(name, "broadcast", [g.randint(0, 3, (2, 3)).float(), g.randint(0, 3, (3,)).float()], ["$0", "$1"], fn)
    g.case(name, "special values", [special, special.flip(0)], ["$0", "$1"], fn)
    g.case(name, "number", [ints], ["$0", 1.5], lambda x, fn=fn: fn(x, 1.5))
for target, dtype in [("float32", torch.float32), ("float64", torch.float64), ("int32", torch.int32), ("bool", torch.bool)]:
    g.case("to", f"float32 to {target}", [torch.tensor([0.0, -1.7, 2.9, 1e-3])], ["$0", target], lambda x, d=dtype: x.to(d))
    g.case("to", f"int32 to {target}", [ints], ["$0", target], lambda x, d=dtype: x.to(d))
g.case("expand", "in front", [row], ["$0", [2, 3]], lambda x: x.expand(2, 3))
g.case("sum", "all", [a], ["$0"], torch.sum)
g.case("sum", "axis kept", [g.randn(2, 3, 4)], ["$0", 1, {"keepdim": True}], lambda x: x.sum(1, keepdim=True))
g.case("sum", "axes", [g.randn(2, 3, 4)], ["$0", [0, -1]], lambda x: x.sum([0, -1]))
g.case("sum", "int32", [ints], ["$0"], lambda x: x.sum())
g.case("sum", "bool", [bools], ["$0", 0], lambda x: x.sum(0))
g.save()
