"""Bilinear forms: python3 test/golden/bilinear.py"""
import torch.nn.functional as F

from golden import Golden

g = Golden(__file__)
for name, before in [("matrices", (4,)), ("vectors", ()), ("more axes", (2, 3)), ("no samples", (0,))]:
    tensors = [g.randn(*before, 3), g.randn(*before, 2), g.randn(5, 3, 2), g.randn(5)]
    g.case("bilinear", name, tensors, ["$0", "$1", "$2", "$3"], F.bilinear)
    g.case("bilinear", f"{name}, no bias", tensors[:3], ["$0", "$1", "$2"], F.bilinear)
g.save()
