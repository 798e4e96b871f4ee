"""The dtypes of results, for all pairs of dtypes, with and without axes: python3 test/golden/promotion.py"""
import torch

from golden import Golden

g = Golden(__file__)
dtypes = {"float32": torch.float32, "float64": torch.float64, "int32": torch.int32, "bool": torch.bool}
array, scalar = torch.tensor([0.0, 1.0, 3.0]), torch.tensor(1.0)
functions = {
    "add": torch.add, "mul": torch.mul, "div": torch.div, "maximum": torch.maximum, "pow": torch.pow, "lt": torch.lt,
    "logicalAnd": torch.logical_and,
}
for left, first in dtypes.items():
    for right, second in dtypes.items():
        for name, fn in functions.items():
            # Powers of two bools are whole numbers here.
            if name == "pow" and left == right == "bool":
                continue
            pairs = {"arrays": (array, array), "array and scalar": (array, scalar), "scalar and array": (scalar, array), "scalars": (scalar, scalar)}
            for label, (a, b) in pairs.items():
                g.case(name, f"{left} with {right}, {label}", [a.to(first), b.to(second)], ["$0", "$1"], fn, grads=False)
        for label, (a, b) in {"arrays": (array, array), "array and scalar": (array, scalar), "scalar and array": (scalar, array)}.items():
            g.case("where", f"{left} or {right}, {label}", [array > 0, a.to(first), b.to(second)], ["$0", "$1", "$2"], torch.where, grads=False)
for name, dtype in dtypes.items():
    x = array.to(dtype)
    for label, number in [("a whole number", 2), ("a fraction", 0.5)]:
        for op in ["add", "mul", "div", "lt"]:
            g.case(op, f"{name} with {label}", [x], ["$0", number], lambda x, op=op, n=number: functions[op](x, n), grads=False)
    for op in ["exp", "sin", "erf", "log1p", "expm1", "rsqrt", "reciprocal", "sigmoid"]:
        g.case(op, f"of {name}", [x], ["$0"], getattr(torch, op), grads=False)
    for op in ["sum", "prod"]:
        g.case(op, f"of {name}", [x], ["$0"], getattr(torch, op), grads=False)
    g.case("cumsum", f"of {name}", [x], ["$0", 0], lambda x: x.cumsum(0), grads=False)
g.save()
