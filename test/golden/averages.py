"""Averages of a network's weights along ten steps: python3 test/golden/averages.py"""
import json
from pathlib import Path

import torch
from torch import nn
from torch.optim import swa_utils

from golden import pack

generator = torch.Generator().manual_seed(20)


def randn(*shape):
    return torch.randn(shape, generator=generator)


def network():
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def state(module):
    return {name: pack(value) for name, value in module.state_dict().items()}


net = network()
batches = [randn(5, 3) for _ in range(4)]
averages = {
    "swa": swa_utils.AveragedModel(net),
    "ema": swa_utils.AveragedModel(net, avg_fn=swa_utils.get_ema_avg_fn(0.9)),
    "buffers": swa_utils.AveragedModel(net, avg_fn=swa_utils.get_ema_avg_fn(0.75), use_buffers=True),
}
steps = []
for _ in range(6):
    with torch.no_grad():
        for value in [*net.parameters(), net[1].running_mean, net[1].running_var]:
            value.copy_(randn(*value.shape))
        net[1].num_batches_tracked += 4
    steps.append(state(net))
    for averaged in averages.values():
        averaged.update_parameters(net)
results = {name: state(averaged) for name, averaged in averages.items()}
swa_utils.update_bn(batches, averages["swa"])
golden = {"torch": torch.__version__, "batches": [pack(x) for x in batches], "steps": steps, "averages": results,
          "afterUpdateBn": state(averages["swa"])}
Path(__file__).with_suffix(".json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
