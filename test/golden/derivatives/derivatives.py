"""Writes derivatives.json: Jacobians, Hessians and products with them, for test/tensor/derivatives.test.ts, in float64.

Run with torch 2.13.0: python3 test/golden/derivatives/derivatives.py
"""

import json
import pathlib

import torch
from torch.autograd.functional import hessian, jacobian, jvp, vjp

x = torch.tensor([[0.5, -1.2, 2.0], [0.3, 0.9, -0.4]], dtype=torch.float64)
w = torch.tensor([[1.0, 0.2], [-0.7, 0.4], [0.1, -1.5]], dtype=torch.float64)
u = torch.tensor([[0.3, -0.8, 1.1], [0.6, -0.2, 0.9]], dtype=torch.float64)
z = torch.tensor([[0.2, 1.3], [-0.5, 0.7], [1.9, 0.4]], dtype=torch.float64)
y = torch.tensor([[-0.4, 0.8], [1.7, 0.25]], dtype=torch.float64)


def layer(x, w):
    return torch.tanh(x @ w)


def two(x, w):
    return layer(x, w), (x * x).sum()


def loss(x, w):
    return (layer(x, w) ** 3).sum()


def alone(x):
    return layer(x, w)


def pack(t):
    if isinstance(t, torch.Tensor):
        return {"shape": list(t.shape), "data": t.flatten().tolist()}
    return [pack(each) for each in t]


result = {
    "x": pack(x),
    "w": pack(w),
    "u": pack(u),
    "z": pack(z),
    "y": pack(y),
    "jacobian": pack(jacobian(alone, x)),
    "jacobianOfInputs": pack(jacobian(layer, (x, w))),
    "jacobianOfOutputs": pack(jacobian(lambda x: two(x, w), x)),
    "jacobianOfBoth": pack(jacobian(two, (x, w))),
    "hessian": pack(hessian(lambda x: loss(x, w), x)),
    "hessianOfInputs": pack(hessian(loss, (x, w))),
    "vjp": pack(vjp(alone, x, y)),
    "vjpOfBoth": pack(vjp(two, (x, w), (y, torch.tensor(1.5, dtype=torch.float64)))),
    "jvp": pack(jvp(alone, x, u)),
    "jvpOfBoth": pack(jvp(two, (x, w), (u, z))),
}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(result, indent=1) + "\n")
