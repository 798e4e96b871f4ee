"""Ops in place, whose gradients the gradient checks cover: python3 test/golden/inPlace.py"""
import torch

from golden import Golden

g = Golden(__file__)
x, other, positive = g.randn(3, 4), g.randn(3, 4), g.rand(3, 4) + 0.1
mask = g.rand(3, 4) > 0.5
places = torch.tensor([[0, 2, 1, 1], [2, 2, 0, 1]])


def case(name, inputs, args, fn, label=""):
    """fn changes a copy of its first argument, as the op here changes its own."""
    g.case(name, label, inputs, args, lambda x, *rest: fn(x.clone(), *rest), grads=False)


for name in ["sin_", "cos_", "erf_", "expm1_", "reciprocal_", "round_", "floor_", "ceil_"]:
    case(name, [3 * x], ["$0"], getattr(torch.Tensor, name))
for name in ["log1p_", "rsqrt_"]:
    case(name, [positive], ["$0"], getattr(torch.Tensor, name))
case("round_", [g.randint(-9, 9, (2, 3)).int()], ["$0"], torch.Tensor.round_, "int32")
case("elu_", [x], ["$0", 0.5], lambda x: torch.nn.functional.elu_(x, 0.5))
case("lerp_", [x, other], ["$0", "$1", 0.3], lambda x, y: x.lerp_(y, 0.3))
case("lerp_", [x, other, positive], ["$0", "$1", "$2"], lambda x, y, w: x.lerp_(y, w), "weights")
case("maskedFill_", [x, mask], ["$0", "$1", -1.5], lambda x, m: x.masked_fill_(m, -1.5))
case("maskedFill_", [x, mask[0]], ["$0", "$1", 2], lambda x, m: x.masked_fill_(m, 2), "broadcast")
case("scatter_", [x, places, other], ["$0", 0, "$1", "$2", {"reduce": "add"}], lambda x, i, s: x.scatter_(0, i, s, reduce="add"), "add")
case("scatter_", [x, places[:1]], ["$0", 0, "$1", 7], lambda x, i: x.scatter_(0, i, 7), "number")
case("cumsum_", [x], ["$0", 1], lambda x: x.cumsum_(1))
case("tril_", [x], ["$0", 1], lambda x: x.tril_(1))
case("triu_", [x], ["$0", -1], lambda x: x.triu_(-1))
g.save()
