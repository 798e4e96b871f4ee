"""Mixed precision: a small CNN whose casts are those of autocast on a GPU, written out so that they run on the CPU; and a gradient scaler.

python3 test/golden/mixedPrecision.py
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

STEPS = 6


def numbers(t):
    flat = t.detach().float().reshape(-1).numpy()
    return [float(np.format_float_scientific(v, unique=True)) if np.isfinite(v) else str(float(v)) for v in flat]


def pack(t):
    return {"shape": list(t.shape), "data": numbers(t)}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
        self.bn = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 6, 3)
        self.fc = nn.Linear(24, 3)

    def forward(self, x):
        c1, c2, fc = self.conv1, self.conv2, self.fc
        x = F.conv2d(x.half(), c1.weight.half(), c1.bias.half(), padding=1)
        x = F.max_pool2d(self.bn(x.float()).relu(), 2)
        x = F.conv2d(x.half(), c2.weight.half(), c2.bias.half()).relu()
        return F.linear(x.flatten(1), fc.weight.half(), fc.bias.half())


def training():
    torch.manual_seed(4)
    net = Net()
    initial = {name: pack(value) for name, value in net.state_dict().items() if value.dim() > 0}
    x = torch.randn(8, 1, 8, 8)
    labels = torch.randint(0, 3, (8,))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10, growth_interval=2, backoff_factor=2.0**-28)
    steps = []
    for step in range(STEPS):
        optimizer.zero_grad()
        out = net(x)
        assert out.dtype == torch.float16
        loss = F.cross_entropy(out.float(), labels)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        grads = {name: pack(p.grad) for name, p in net.named_parameters()}
        scaler.step(optimizer)
        # So large a factor that the next gradients overflow.
        scaler.update(2.0**40 if step == 2 else None)
        entry = {"output": pack(out), "loss": numbers(loss)[0], "scale": scaler.get_scale()}
        steps.append({**entry, **({} if step == 3 else {"grads": grads})})
    final = {name: pack(value) for name, value in net.state_dict().items() if value.dim() > 0}
    return {"initial": initial, "x": pack(x), "labels": labels.tolist(), "steps": steps, "final": final}


def scaling():
    slopes = [[1.0, 2, -3], [0.5, 1, 1], ["inf", 1, 1], [1, 1, 1], [1, "nan", 1], [2, 2, 2], [1, 0, 1], [1, 1, 0], [3, 1, 2]]
    weights = torch.tensor([1.0, 2, 3], requires_grad=True)
    optimizer = torch.optim.SGD([weights], lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=12.0, growth_factor=3.0, backoff_factor=0.25, growth_interval=2)
    steps = []
    for slope in slopes:
        optimizer.zero_grad()
        scaler.scale((weights * torch.tensor([float(s) for s in slope])).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        state = scaler.state_dict()
        steps.append({"slope": slope, "weights": numbers(weights), "scale": state["scale"], "growthTracker": state["_growth_tracker"]})
    return steps


if __name__ == "__main__":
    torch.set_num_threads(1)
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps({"training": training(), "scaling": scaling()}) + "\n")
    print(f"{path.name}: torch {torch.__version__}", file=sys.stderr)
