"""Clipped gradients and split weights: python3 test/golden/nnUtils.py"""
import json
import warnings
from pathlib import Path

import torch
from torch import nn

from golden import pack

warnings.filterwarnings("ignore")
generator = torch.Generator().manual_seed(20)


def randn(*shape):
    return torch.randn(shape, generator=generator)


grads = [randn(3, 4), randn(5) * 3, randn()]
clipped = []
for norm_type in [1, 2, 3, float("inf")]:
    for max_norm in [0.0, 0.5, 100.0]:
        parameters = [nn.Parameter(torch.zeros_like(g)) for g in grads]
        for parameter, g in zip(parameters, grads):
            parameter.grad = g.clone()
        total = nn.utils.clip_grad_norm_(parameters, max_norm, norm_type)
        clipped.append({"normType": str(norm_type), "maxNorm": max_norm, "total": pack(total),
                        "grads": [pack(p.grad) for p in parameters]})

split = []
for layer, shape, dim, kind in [
    (nn.Linear(3, 4), (5, 3), 0, ["Linear", 3, 4]),
    (nn.Linear(3, 4, bias=False), (5, 3), 1, ["Linear", 3, 4, {"bias": False}]),
    (nn.Linear(3, 4), (5, 3), None, ["Linear", 3, 4]),
    (nn.Conv2d(2, 3, 3, padding=1), (2, 2, 5, 4), 0, ["Conv2d", 2, 3, 3, {"padding": 1}]),
    (nn.ConvTranspose2d(2, 3, 3), (2, 2, 5, 4), 1, ["ConvTranspose2d", 2, 3, 3]),
]:
    before = {name: pack(value) for name, value in layer.state_dict().items()}
    nn.utils.weight_norm(layer, "weight", dim)
    x = randn(*shape)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    y = layer(x)
    y.square().mean().backward()
    optimizer.step()
    split.append({"layer": kind, "dim": dim, "before": before, "input": pack(x), "output": pack(y),
                  "after": {name: pack(value) for name, value in layer.state_dict().items()},
                  "outputAfter": pack(layer(x))})

golden = {"torch": torch.__version__, "grads": [pack(g) for g in grads], "clipped": clipped, "split": split}
Path(__file__).with_suffix(".json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
