"""Images read at other places, pools of sequences and shuffled channels: python3 test/golden/gridSample.py"""
import torch
import torch.nn.functional as F

from golden import Golden

g = Golden(__file__)
x = g.randn(2, 3, 4, 5)
# Beyond the image too.
grid = (g.rand(2, 3, 6, 2) * 2 - 1) * 1.4
for mode in ["bilinear", "nearest"]:
    for padding in ["zeros", "border"]:
        for corners in [False, True]:
            # PyTorch gives the grid zeros as a gradient where there is none.
            seen = (lambda t: t) if mode == "bilinear" else torch.Tensor.detach
            g.case("gridSample", f"{mode}, {padding}, align corners {corners}", [x, grid],
                   ["$0", "$1", {"mode": mode, "paddingMode": padding, "alignCorners": corners}],
                   lambda x, grid: F.grid_sample(x, seen(grid), mode, padding, corners))
g.case("gridSample", "defaults, float64", [x.double(), grid.double()], ["$0", "$1"],
       lambda x, grid: F.grid_sample(x, grid, align_corners=False))
far = torch.tensor([[[[1e9, 0.1], [-1e9, 3.0], [0.0, -1e20], [-3.0, -3.0]]]])
for padding in ["zeros", "border"]:
    g.case("gridSample", f"far out, {padding}", [x[:1], far], ["$0", "$1", {"paddingMode": padding}],
           lambda x, grid: F.grid_sample(x, grid, padding_mode=padding, align_corners=False), grads=False)
for corners in [False, True]:
    edges = torch.stack(torch.meshgrid(torch.linspace(-1, 1, 5), torch.linspace(-1, 1, 4), indexing="xy"), -1)[None]
    g.case("gridSample", f"on pixels and edges, align corners {corners}", [x[:1], edges], ["$0", "$1", {"alignCorners": corners}],
           lambda x, grid: F.grid_sample(x, grid, align_corners=corners), grads=False)
    g.case("gridSample", f"slopes on the border, align corners {corners}", [x[:1], edges * 1.0],
           ["$0", "$1", {"alignCorners": corners, "paddingMode": "border"}],
           lambda x, grid: F.grid_sample(x, grid, padding_mode="border", align_corners=corners))
    g.case("gridSample", f"one pixel, align corners {corners}", [g.randn(1, 2, 1, 1), grid[:1]],
           ["$0", "$1", {"alignCorners": corners, "paddingMode": "border"}],
           lambda x, grid: F.grid_sample(x, grid, padding_mode="border", align_corners=corners))
    for size in [[2, 3, 4, 5], [2, 1, 1, 3]]:
        g.case("affineGrid", f"{size}, align corners {corners}", [g.randn(2, 2, 3)], ["$0", size, {"alignCorners": corners}],
               lambda theta: F.affine_grid(theta, size, align_corners=corners))
g.case("affineGrid", "float64", [g.randn(1, 2, 3).double()], ["$0", [1, 1, 2, 3]],
       lambda theta: F.affine_grid(theta, [1, 1, 2, 3], align_corners=False))

sequence, ties = g.randn(2, 3, 10), torch.tensor([[1.0, 2.0, 2.0, 0.0, 2.0, 2.0, 2.0]])
for size in [1, 3, 5, 10, 12]:
    g.case("adaptiveAvgPool1d", f"to {size}", [sequence], ["$0", size], lambda x: F.adaptive_avg_pool1d(x, size))
    g.case("adaptiveMaxPool1d", f"to {size}", [sequence], ["$0", size], lambda x: F.adaptive_max_pool1d(x, size))
    g.case("adaptiveMaxPool1dWithIndices", f"to {size}", [sequence], ["$0", size],
           lambda x: F.adaptive_max_pool1d(x, size, return_indices=True))
g.case("adaptiveAvgPool1d", "one sequence", [sequence[0]], ["$0", 4], lambda x: F.adaptive_avg_pool1d(x, 4))
g.case("adaptiveMaxPool1d", "one sequence, ties", [ties], ["$0", 3], lambda x: F.adaptive_max_pool1d(x, 3))
g.case("adaptiveMaxPool1dWithIndices", "one sequence, ties", [ties], ["$0", 3],
       lambda x: F.adaptive_max_pool1d(x, 3, return_indices=True))
for shape, groups in [([2, 6, 3, 2], 2), ([2, 6, 3], 3), ([1, 4, 2, 2], 1)]:
    g.case("channelShuffle", f"{groups} groups of {shape}", [g.randn(*shape)], ["$0", groups],
           lambda x: torch.channel_shuffle(x, groups))
g.save()
