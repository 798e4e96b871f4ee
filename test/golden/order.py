"""Orders, products, sums of exponentials and running sums: python3 test/golden/order.py"""
import torch

from golden import Golden

g = Golden(__file__)
inf, nan = float("inf"), float("nan")
a, cube, ints = g.randn(4, 6), g.randn(2, 3, 5), g.randint(-4, 5, (3, 7)).int()
special = torch.tensor([1.0, nan, -inf, 0.0, inf, -0.0, nan, 2.0])
bools = g.rand(3, 4) > 0.5

for name, x in [("rows", a), ("int32", ints), ("special values", special), ("a scalar", torch.tensor(2.5)), ("empty", torch.zeros(2, 0)), ("bools", bools)]:
    smooth = name in ("rows", "a scalar")
    g.case("sort", name, [x], ["$0"], lambda x: torch.sort(x, stable=True), grads=smooth)
    g.case("sort", f"{name}, descending", [x], ["$0", -1, {"descending": True}], lambda x: torch.sort(x, dim=-1, descending=True, stable=True), grads=smooth)
    g.case("argsort", name, [x], ["$0"], lambda x: torch.argsort(x, stable=True), grads=False)
g.case("sort", "middle axis", [cube], ["$0", 1], lambda x: torch.sort(x, 1))
g.case("sort", "many", [g.randn(300)], ["$0"], torch.sort)
g.case("argsort", "first axis, descending", [ints], ["$0", 0, {"descending": True}], lambda x: torch.sort(x, dim=0, descending=True, stable=True).indices)
g.case("topk", "greatest", [a], ["$0", 2], lambda x: torch.topk(x, 2))
g.case("topk", "smallest, first axis", [a], ["$0", 3, 0, {"largest": False}], lambda x: torch.topk(x, 3, 0, largest=False))
g.case("topk", "none", [a], ["$0", 0], lambda x: torch.topk(x, 0))
g.case("topk", "a scalar", [torch.tensor(1.5)], ["$0", 1], lambda x: torch.topk(x, 1))

zeros = torch.tensor([[2.0, 0.0, 3.0], [0.0, 0.0, 4.0], [1.0, -2.0, 0.5]])
g.case("prod", "all", [a], ["$0"], torch.prod)
g.case("prod", "axis", [cube], ["$0", 1], lambda x: x.prod(1))
g.case("prod", "axis kept", [cube], ["$0", -1, {"keepdim": True}], lambda x: x.prod(-1, keepdim=True))
g.case("prod", "with zeros", [zeros], ["$0", 1], lambda x: x.prod(1))
g.case("prod", "of nothing", [torch.zeros(2, 0)], ["$0", 1], lambda x: x.prod(1), grads=False)
g.case("prod", "a scalar", [torch.tensor(1.5)], ["$0"], torch.prod)
g.case("prod", "int32", [ints], ["$0", 1], lambda x: x.prod(1))
g.case("prod", "bools", [bools], ["$0", 0], lambda x: x.prod(0))
g.case("logsumexp", "rows", [a], ["$0", 1], lambda x: torch.logsumexp(x, 1))
g.case("logsumexp", "two axes kept", [cube * 50], ["$0", [0, 2], {"keepdim": True}], lambda x: torch.logsumexp(x, (0, 2), keepdim=True))
g.case("logsumexp", "all", [a + 1000], ["$0"], lambda x: torch.logsumexp(x, (0, 1)))
g.case("logsumexp", "infinities", [torch.tensor([[inf, 1.0], [-inf, -inf], [-inf, 3.0], [nan, 0.0]])], ["$0", 1], lambda x: torch.logsumexp(x, 1), grads=False)
g.case("cumsum", "last axis", [a], ["$0", 1], lambda x: x.cumsum(1))
g.case("cumsum", "middle axis", [cube], ["$0", 1], lambda x: x.cumsum(1))
g.case("cumsum", "int32", [ints], ["$0", 0], lambda x: x.cumsum(0))
g.case("cumsum", "bools", [bools], ["$0", -1], lambda x: x.cumsum(-1))
g.case("cumsum", "a scalar", [torch.tensor(1.5)], ["$0", 0], lambda x: x.cumsum(0))
g.case("cumsum", "many", [g.rand(1000)], ["$0", 0], lambda x: x.cumsum(0))
g.save()
