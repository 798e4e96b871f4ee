"""Hooks and retained gradients of tensors: what PyTorch does with them, written to hooks.json."""
import json
from pathlib import Path

import torch

seen = []


def see(name, replace=lambda g: None):
    def hook(g):
        seen.append([name, g.tolist()])
        return replace(g)

    return hook


w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
h = w * 2
h.retain_grad()
h.register_hook(see("h", lambda g: g * 10))
h.register_hook(see("h again"))
w.register_hook(see("w", lambda g: g + 1))
y = (h * h).sum() + h.sum()
steps = []
steps.append({"by h": torch.autograd.grad(y, h, retain_graph=True)[0].tolist(), "h.grad": h.grad.tolist()})
steps.append({"by w": torch.autograd.grad(y, w, retain_graph=True)[0].tolist(), "h.grad": h.grad.tolist()})
y.backward(retain_graph=True)
steps.append({"w.grad": w.grad.tolist(), "h.grad": h.grad.tolist()})
y.backward()
steps.append({"w.grad": w.grad.tolist(), "h.grad": h.grad.tolist()})

changed = w.detach().requires_grad_() * 2
changed.retain_grad()
old = []
changed.register_hook(lambda g: old.append(g.tolist()))
changed.mul_(2)
(changed * 3).sum().backward()

path = Path(__file__).with_suffix(".json")
path.write_text(json.dumps({"torch": torch.__version__, "steps": steps, "seen": seen, "inPlace": {"old": old, "grad": changed.grad.tolist()}}) + "\n")
