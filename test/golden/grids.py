"""Turned tensors, grids of coordinates and traces: python3 test/golden/grids.py"""
import torch

from golden import Golden

g = Golden(__file__)
x, ints = g.randn(2, 3, 4), g.randint(-9, 9, (3, 4)).int()
for k in [-1, 0, 1, 2, 3, 6]:
    g.case("rot90", f"{k} right angles", [x[0]], ["$0", k], lambda x: torch.rot90(x, k))
    g.case("rot90", f"{k} right angles, other axes", [x], ["$0", k, [-1, 1]], lambda x: torch.rot90(x, k, [-1, 1]))
g.case("rot90", "int32", [ints], ["$0"], torch.rot90)
g.case("trace", "wide", [g.randn(3, 4)], ["$0"], torch.trace)
g.case("trace", "high", [g.randn(4, 2)], ["$0"], torch.trace)
g.case("trace", "int32", [ints], ["$0"], lambda x: torch.trace(x).int())
a, b, c = g.randn(3), g.randn(2), g.randn(4)
for indexing in ["ij", "xy"]:
    options = {"indexing": indexing}
    g.case("meshgrid", f"{indexing}, one", [a], [["$0"], options], lambda a: torch.meshgrid(a, indexing=indexing))
    g.case("meshgrid", f"{indexing}, two", [a, b], [["$0", "$1"], options], lambda a, b: torch.meshgrid(a, b, indexing=indexing))
    g.case("meshgrid", f"{indexing}, three", [a, b, c], [["$0", "$1", "$2"], options],
           lambda a, b, c: torch.meshgrid(a, b, c, indexing=indexing))
g.case("meshgrid", "a number, int32", [ints[0], torch.tensor(3).int()], [["$0", "$1"]], lambda a, b: torch.meshgrid(a, b, indexing="ij"))
g.save()
