"""Layout, slicing, flip, roll, pad, cat and stack: python3 test/golden/movement.py"""
import torch
import torch.nn.functional as F

from golden import Golden

g = Golden(__file__)
x = g.randn(2, 3, 4)
ints = g.randint(-9, 9, (2, 3)).int()
bools = g.rand(2, 3) > 0.5

g.case("reshape", "inferred", [x], ["$0", [4, -1]], lambda x: x.reshape(4, -1))
g.case("view", "inferred", [x], ["$0", [2, -1, 2]], lambda x: x.view(2, -1, 2))
g.case("view", "of nothing", [g.randn(0, 3)], ["$0", [-1, 3]], lambda x: x.view(-1, 3))
g.case("flatten", "all", [x], ["$0"], torch.flatten)
g.case("flatten", "from 1", [x], ["$0", 1], lambda x: x.flatten(1))
g.case("flatten", "to 1", [x], ["$0", 0, 1], lambda x: x.flatten(0, 1))
g.case("flatten", "scalar", [torch.tensor(2.0)], ["$0"], torch.flatten)
g.case("permute", "", [x], ["$0", [2, 0, 1]], lambda x: x.permute(2, 0, 1))
g.case("transpose", "", [x], ["$0", -1, 0], lambda x: x.transpose(-1, 0))
g.case("squeeze", "all", [g.randn(1, 2, 1, 3)], ["$0"], torch.squeeze)
g.case("squeeze", "named", [g.randn(1, 2, 1, 3)], ["$0", [0, 1]], lambda x: x.squeeze((0, 1)))
g.case("squeeze", "scalar", [torch.tensor(2.0)], ["$0", 0], lambda x: x.squeeze(0))
g.case("unsqueeze", "first", [x], ["$0", 0], lambda x: x.unsqueeze(0))
g.case("unsqueeze", "last", [x], ["$0", -1], lambda x: x.unsqueeze(-1))

g.case("narrow", "", [x], ["$0", 2, 1, 2], lambda x: x.narrow(2, 1, 2))
g.case("narrow", "start from the end", [x], ["$0", -1, -3, 2], lambda x: x.narrow(-1, -3, 2))
g.case("narrow", "nothing, at the end", [x], ["$0", 0, 2, 0], lambda x: x.narrow(0, 2, 0))
g.case("select", "", [x], ["$0", 1, 2], lambda x: x.select(1, 2))
g.case("select", "from the end", [x], ["$0", -1, -4], lambda x: x.select(-1, -4))
g.case("slice", "no ranges", [x], ["$0"], lambda x: x[...])
g.case("slice", "index", [x], ["$0", 1], lambda x: x[1])
g.case("slice", "indices", [x], ["$0", 1, -1, 2], lambda x: x[1, -1, 2])
g.case("slice", "range", [x], ["$0", None, [1, 3]], lambda x: x[:, 1:3])
g.case("slice", "steps", [x], ["$0", None, [None, None, 2], [1, None, 2]], lambda x: x[:, ::2, 1::2])
g.case("slice", "from the end", [x], ["$0", None, [-2], [-3, -1]], lambda x: x[:, -2:, -3:-1])
g.case("slice", "beyond the ends", [x], ["$0", [-9, 9], [5, 9], [3, 99]], lambda x: x[-9:9, 5:9, 3:99])
g.case("slice", "stop before start", [x], ["$0", None, None, [3, 1]], lambda x: x[:, :, 3:1])
g.case("slice", "step beyond the end", [x], ["$0", None, None, [1, 4, 99]], lambda x: x[:, :, 1:4:99])
g.case("slice", "int32", [ints], ["$0", None, [1, 3]], lambda x: x[:, 1:3])
base = torch.arange(25.0).reshape(5, 5)
g.case("asStrided", "windows of 3×3", [base], ["$0", [3, 3, 3, 3], [5, 1, 5, 1]],
       lambda x: x.as_strided((3, 3, 3, 3), (5, 1, 5, 1)))
g.case("asStrided", "overlap", [g.randn(7)], ["$0", [5, 3], [1, 1]], lambda x: x.as_strided((5, 3), (1, 1)))
g.case("asStrided", "stride 0 and an offset", [g.randn(9)], ["$0", [3, 2, 2], [2, 0, 1], 3],
       lambda x: x.as_strided((3, 2, 2), (2, 0, 1), 3))
g.case("asStrided", "strided windows that do not meet", [x], ["$0", [3, 2], [8, 3], 1],
       lambda x: x.as_strided((3, 2), (8, 3), 1))

g.case("flip", "", [x], ["$0", [0, 2]], lambda x: x.flip(0, 2))
g.case("flip", "bool", [bools], ["$0", [-1]], lambda x: x.flip(-1))
g.case("flip", "no axes", [x], ["$0", []], lambda x: x.flip([]))
g.case("flip", "empty", [g.randn(0, 2)], ["$0", [0]], lambda x: x.flip(0))
g.case("roll", "without axes", [x], ["$0", 5], lambda x: x.roll(5))
g.case("roll", "back", [x], ["$0", -1, 1], lambda x: x.roll(-1, 1))
g.case("roll", "two axes, beyond the extent", [x], ["$0", [4, -7], [1, -1]], lambda x: x.roll((4, -7), (1, -1)))
g.case("roll", "an axis twice", [ints], ["$0", [1, 1], [1, 1]], lambda x: x.roll((1, 1), (1, 1)))
g.case("roll", "scalar", [torch.tensor(2.0)], ["$0", 3], lambda x: x.roll(3))
g.case("roll", "empty", [g.randn(0, 2)], ["$0", 1, 0], lambda x: x.roll(1, 0))


def pad_case(name, x, padding, *rest, **options):
    g.case("pad", name, [x], ["$0", padding, *rest], lambda x: F.pad(x, padding, *rest), **options)


pad_case("constant", x, [1, 2])
pad_case("constant, three axes and a value", x, [1, 0, 2, 1, 0, 3], "constant", -1.5)
pad_case("constant, cutting off", x, [-1, 2, 1, -1])
pad_case("constant, cutting all", x, [-2, -2])
pad_case("constant, nothing", x, [])
pad_case("constant, of nothing", g.randn(2, 0), [1, 1], "constant", 2)
pad_case("constant, int32", ints, [1, 1], "constant", 7)
pad_case("constant, bool", bools, [0, 1], "constant", 1)
for mode in ["reflect", "replicate", "circular"]:
    pad_case(f"{mode}, last axis", g.randn(2, 5), [2, 4], mode)
    pad_case(f"{mode}, last axis of three", g.randn(2, 3, 4), [0, 3], mode)
    pad_case(f"{mode}, two axes", g.randn(2, 3, 4), [1, 3, 2, 1], mode)
    pad_case(f"{mode}, images", g.randn(2, 3, 4, 4), [2, 2, 2, 2], mode)
    pad_case(f"{mode}, three axes", g.randn(2, 3, 2, 4), [1, 2, 1, 0, 2, 1], mode)
    pad_case(f"{mode}, cutting off", g.randn(1, 5), [-1, 2], mode)
    pad_case(f"{mode}, int32", ints, [1, 2], mode)
for mode in ["reflect", "replicate"]:
    pad_case(f"{mode}, cutting the other side", g.randn(1, 5), [4, -3], mode)
pad_case("replicate, beyond the extent", g.randn(2, 3), [5, 4], "replicate")
pad_case("circular, cutting one side and padding the other", g.randn(1, 6), [3, -2], "circular")
pad_case("circular, the whole extent", g.randn(2, 3), [3, 3], "circular")

a, b, c = g.randn(2, 3), g.randn(2, 1), g.randn(2, 3)
g.case("cat", "axis 1", [a, b, c], [["$0", "$1", "$2"], 1], lambda a, b, c: torch.cat([a, b, c], 1))
g.case("cat", "default axis", [a, c], [["$0", "$1"]], lambda a, c: torch.cat([a, c]))
g.case("cat", "axis from the end", [g.randn(2, 3, 2), g.randn(2, 1, 2)], [["$0", "$1"], -2], lambda a, b: torch.cat([a, b], -2))
g.case("cat", "one", [a], [["$0"]], lambda a: torch.cat([a]))
g.case("cat", "the same twice", [a], [["$0", "$0"], 1], lambda a: torch.cat([a, a], 1))
g.case("cat", "an empty tensor of the old kind", [torch.zeros(0), a], [["$0", "$1"], 1], lambda e, a: torch.cat([e, a], 1))
g.case("cat", "whose dtype counts", [torch.zeros(0).double(), a], [["$0", "$1"], 1], lambda e, a: torch.cat([e, a], 1))
g.case("cat", "only empty ones", [torch.zeros(0), torch.zeros(0)], [["$0", "$1"]], lambda a, b: torch.cat([a, b]))
g.case("cat", "int32 and float32", [ints, a], [["$0", "$1"]], lambda i, a: torch.cat([i, a]))
g.case("cat", "bool and int32", [bools, ints], [["$0", "$1"]], lambda a, b: torch.cat([a, b]))
g.case("cat", "float32 and float64", [a, c.double()], [["$0", "$1"]], lambda a, c: torch.cat([a, c]))
g.case("stack", "default axis", [a, c], [["$0", "$1"]], lambda a, c: torch.stack([a, c]))
g.case("stack", "axis 1", [a, c], [["$0", "$1"], 1], lambda a, c: torch.stack([a, c], 1))
g.case("stack", "new last axis", [a, c, a + 1], [["$0", "$1", "$2"], -1], lambda a, b, c: torch.stack([a, b, c], -1))
g.case("stack", "scalars of two dtypes", [torch.tensor(1, dtype=torch.int32), torch.tensor(2.5)], [["$0", "$1"]], lambda a, b: torch.stack([a, b]))
g.save()
