"""Parts, repetitions, diagonals, masks and products: python3 test/golden/parts.py"""
import torch

from golden import Golden

g = Golden(__file__)
a, m, cube = g.randn(5, 4), g.randn(3, 4), g.randn(2, 3, 4)

g.case("split", "size", [a], ["$0", 2], lambda x: torch.split(x, 2))
g.case("split", "size, last axis", [a], ["$0", 3, -1], lambda x: torch.split(x, 3, -1))
g.case("split", "sizes", [a], ["$0", [1, 0, 4]], lambda x: torch.split(x, [1, 0, 4]))
g.case("chunk", "uneven", [a], ["$0", 3], lambda x: torch.chunk(x, 3))
g.case("chunk", "fewer than asked for", [a], ["$0", 4], lambda x: torch.chunk(x, 4))
g.case("chunk", "axis", [a], ["$0", 2, 1], lambda x: torch.chunk(x, 2, 1))
g.case("unbind", "rows", [m], ["$0"], torch.unbind)
g.case("unbind", "columns", [m], ["$0", -1], lambda x: torch.unbind(x, -1))
g.case("repeat", "both axes", [m], ["$0", [2, 3]], lambda x: x.repeat(2, 3))
g.case("repeat", "axes in front", [m], ["$0", [2, 1, 2]], lambda x: x.repeat(2, 1, 2))
g.case("repeat", "none", [m], ["$0", [1, 0]], lambda x: x.repeat(1, 0))
g.case("repeat", "bools", [m > 0], ["$0", [2, 1]], lambda x: x.repeat(2, 1))
g.case("tile", "fewer counts than axes", [cube], ["$0", [2]], lambda x: torch.tile(x, (2,)))
g.case("tile", "more counts than axes", [m], ["$0", [2, 1, 2]], lambda x: torch.tile(x, (2, 1, 2)))
g.case("unflatten", "inferred", [g.randn(2, 6)], ["$0", 1, [2, -1]], lambda x: x.unflatten(1, (2, -1)))
g.case("movedim", "one", [cube], ["$0", 0, -1], lambda x: torch.movedim(x, 0, -1))
g.case("movedim", "two", [cube], ["$0", [2, 0], [0, 1]], lambda x: torch.movedim(x, (2, 0), (0, 1)))
for k in [0, 1, -2, 9]:
    g.case("tril", f"diagonal {k}", [m], ["$0", k], lambda x, k=k: torch.tril(x, k))
    g.case("triu", f"diagonal {k}", [cube], ["$0", k], lambda x, k=k: torch.triu(x, k))
    if k < 9:
        g.case("diagonal", f"offset {k}", [m], ["$0", k], lambda x, k=k: torch.diagonal(x, k))
g.case("tril", "int32", [g.randint(-9, 9, (3, 3)).int()], ["$0"], torch.tril)
g.case("tril", "bools", [torch.ones(3, 3) > 0], ["$0"], torch.tril)
g.case("diagonal", "other axes", [cube], ["$0", 1, 2, 0], lambda x: torch.diagonal(x, 1, 2, 0))
mask = g.rand(3, 4) > 0.5
g.case("maskedFill", "number", [m, mask], ["$0", "$1", -2], lambda x, k: x.masked_fill(k, -2))
g.case("maskedFill", "infinity, broadcast", [cube, mask[0]], ["$0", "$1", -1e9], lambda x, k: x.masked_fill(k, -1e9))
g.case("maskedFill", "tensor", [m, mask, torch.tensor(0.5)], ["$0", "$1", "$2"], lambda x, k, v: x.masked_fill(k, v))
g.case("maskedFill", "int32", [g.randint(0, 9, (3, 4)).int(), mask], ["$0", "$1", 7], lambda x, k: x.masked_fill(k, 7))
g.case("maskedFill", "bool", [mask, mask.flip(0)], ["$0", "$1", True], lambda x, k: x.masked_fill(k, True))
index = torch.tensor([2, 0, 2])
g.case("indexSelect", "rows", [m, index], ["$0", 0, "$1"], lambda x, i: torch.index_select(x, 0, i))
g.case("indexSelect", "middle axis", [cube, index], ["$0", -2, "$1"], lambda x, i: torch.index_select(x, 1, i))
g.case("indexSelect", "bools", [mask, index], ["$0", 0, "$1"], lambda x, i: torch.index_select(x, 0, i))
places = torch.stack([torch.randperm(5, generator=g.generator)[:3] for _ in range(4)], 1)
g.case("scatter", "tensor", [a, places, g.randn(3, 4)], ["$0", 0, "$1", "$2"], lambda x, i, s: x.scatter(0, i, s))
g.case("scatter", "part of both", [a, places[:2, :3], g.randn(3, 4)], ["$0", 0, "$1", "$2"], lambda x, i, s: x.scatter(0, i, s), grads=False)
g.case("scatter", "number", [a, places], ["$0", 0, "$1", 1.5], lambda x, i: x.scatter(0, i, 1.5))
g.case("scatter", "int32", [g.randint(0, 9, (5, 4)).int(), places], ["$0", 0, "$1", 7], lambda x, i: x.scatter(0, i, 7))

v, w = g.randn(4), g.randn(4)
batch = g.randn(2, 4, 3)
g.case("mm", "matrices", [m, g.randn(4, 2)], ["$0", "$1"], torch.mm)
g.case("bmm", "batch", [cube, batch], ["$0", "$1"], torch.bmm)
g.case("dot", "vectors", [v, w], ["$0", "$1"], torch.dot)
g.case("outer", "vectors", [v, g.randn(3)], ["$0", "$1"], torch.outer)
square = g.randn(3, 3)
for equation, operands in [
    ("ij,jk->ik", [m, g.randn(4, 2)]), ("ij,jk", [m, g.randn(4, 2)]), ("bij,bjk->bik", [cube, batch]), ("i,j->ij", [v, w]),
    ("i,i->", [v, w]), ("ij->ji", [m]), ("ij->", [m]), ("ij->i", [m]), ("ba", [m]), ("ii->i", [square]), ("ii", [square]),
    ("iij->ij", [g.randn(3, 3, 2)]), ("...ij,...jk->...ik", [cube, g.randn(4, 2)]), ("...i->...", [cube]), ("i...,i", [cube, g.randn(2)]),
    ("bhqd,bhkd->bhqk", [g.randn(2, 2, 3, 4), g.randn(2, 2, 5, 4)]), ("ij,ik,jk->i", [g.randn(2, 3), g.randn(2, 4), g.randn(3, 4)]),
    ("bn,anm,bm->ba", [g.randn(2, 3), g.randn(5, 3, 4), g.randn(2, 4)]), ("ij,ij->ij", [m, g.randn(1, 4)]), (" i j , j -> i ", [m, v]),
    ("...a,...b->...ab", [g.randn(3, 1, 2), g.randn(4, 3)]), ("ij,kl->k", [m, g.randn(2, 3)]),
]:
    g.case("einsum", f"{equation} of {[list(t.shape) for t in operands]}", operands, [equation, *[f"${i}" for i in range(len(operands))]], lambda *t, e=equation: torch.einsum(e, *t))

# Where a place is named twice. PyTorch has gradients of the newer names for the same alone.
twice = torch.tensor([[0, 1, 4, 4], [2, 1, 4, 0], [0, 1, 3, 0]])
s = g.randn(3, 4)
for reduce, newer in [("add", "sum"), ("multiply", "prod")]:
    g.case("scatter", f"{reduce}", [a, twice, s], ["$0", 0, "$1", "$2", {"reduce": reduce}], lambda x, i, s, r=newer: x.scatter_reduce(0, i, s, r))
    g.case("scatter", f"{reduce}, part of both", [a, twice[:2, :3], s], ["$0", 0, "$1", "$2", {"reduce": reduce}], lambda x, i, s, r=reduce: x.scatter(0, i, s, reduce=r), grads=False)
    g.case("scatter", f"{reduce}, number", [a, twice], ["$0", 0, "$1", 1.5, {"reduce": reduce}], lambda x, i, r=reduce: x.scatter(0, i, 1.5, reduce=r), grads=False)
    g.case("scatter", f"{reduce}, int32", [g.randint(1, 9, (5, 4)).int(), twice, g.randint(1, 9, (3, 4)).int()], ["$0", 0, "$1", "$2", {"reduce": reduce}], lambda x, i, s, r=reduce: x.scatter(0, i, s, reduce=r))

g.case("t", "matrix", [m], ["$0"], torch.t)
g.case("t", "vector", [v], ["$0"], torch.t)
g.case("expandAs", "row", [m[:1], m], ["$0", "$1"], lambda x, y: x.expand_as(y) * 1)
g.case("viewAs", "image", [a, g.randn(2, 10)], ["$0", "$1"], lambda x, y: x.view_as(y))
g.case("reshapeAs", "columns", [cube, g.randn(4, 6)], ["$0", "$1"], lambda x, y: x.reshape_as(y))
g.save()
