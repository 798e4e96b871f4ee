"""Weighted draws: python3 test/golden/sampling.py"""
import json
from pathlib import Path

import torch
from torch.utils.data import WeightedRandomSampler

cases = []
for weights in [[1, 2, 3], [0.5, 0, 3, 1, 0.25], [1] * 20, [0.1 * i for i in range(1, 40)]]:
    possible = sum(w > 0 for w in weights)
    for count, replacement in [(1, True), (7, True), (50, True), (1, False), (possible, False), (possible - 1, False)]:
        generator = torch.Generator().manual_seed(7)
        sampler = WeightedRandomSampler(weights, count, replacement, generator=generator)
        orders = [list(sampler), list(sampler)]
        cases.append({"weights": weights, "count": count, "replacement": replacement, "orders": orders})
golden = {"torch": torch.__version__, "weighted": cases}
Path(__file__).with_suffix(".json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
