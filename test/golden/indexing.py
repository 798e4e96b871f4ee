"""gather, scatterAdd and oneHot: python3 test/golden/indexing.py"""
import torch
import torch.nn.functional as F

from golden import Golden

g = Golden(__file__)
x = g.randn(3, 4)
ints = g.randint(-9, 9, (3, 4)).int()


def index(low, high, *shape):
    return g.randint(low, high, shape)


def gather(name, x, dim, places):
    g.case("gather", name, [x, places], ["$0", dim, "$1"], lambda x, i: x.gather(dim, i.long()))


def scatter_add(name, x, dim, places, src, **options):
    fn = lambda x, i, src: x.scatter_add(dim, i.long(), src)
    g.case("scatterAdd", name, [x, places, src], ["$0", dim, "$1", "$2"], fn, **options)


gather("axis 1", x, 1, index(0, 4, 3, 2))
gather("axis 0, longer than x", x, 0, index(0, 3, 7, 4))
gather("axis from the end, part of the other", x, -1, index(0, 4, 2, 6))
gather("three axes", g.randn(2, 3, 4), 1, index(0, 3, 2, 2, 4))
gather("one axis", g.randn(5), 0, index(0, 5, 9))
gather("nothing", g.randn(5), 0, index(0, 5, 0))
gather("int32", ints, 0, index(0, 3, 2, 4))
gather("bool", ints > 0, 1, index(0, 4, 3, 4))
gather("float64", x.double(), 1, index(0, 4, 3, 4))
scatter_add("axis 1", x, 1, index(0, 4, 3, 6), g.randn(3, 6))
scatter_add("axis 0, part of x", x, 0, index(0, 3, 5, 2), g.randn(5, 2))
scatter_add("three axes", g.randn(2, 3, 4), -2, index(0, 3, 2, 5, 4), g.randn(2, 5, 4))
scatter_add("nothing", x, 1, index(0, 4, 3, 0), g.randn(3, 0))
scatter_add("part of src", x, 1, index(0, 4, 2, 2), g.randn(3, 4), grads=False)
scatter_add("int32", ints, 0, index(0, 3, 4, 4), g.randint(-9, 9, (4, 4)).int())
scatter_add("bool", ints > 0, 0, index(0, 3, 4, 4), g.rand(4, 4) > 0.5)
g.case("oneHot", "inferred", [index(0, 5, 2, 3)], ["$0"], F.one_hot)
g.case("oneHot", "more classes", [index(0, 3, 4)], ["$0", 6], lambda i: F.one_hot(i, 6))
g.case("oneHot", "scalar", [torch.tensor(2)], ["$0", 4], lambda i: F.one_hot(i, 4))
g.case("oneHot", "nothing", [index(0, 3, 0)], ["$0", 3], lambda i: F.one_hot(i, 3))
g.save()
