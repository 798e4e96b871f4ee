"""Golden cases made by PyTorch: each is a call, its output and the gradients of its inputs.

A script beside this one makes a `Golden`, adds cases and saves them as JSON under its own name. golden.test.ts calls the
function of the same name in this library and compares.
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch

DTYPES = {torch.float32: "float32", torch.float64: "float64", torch.int32: "int32", torch.int64: "int32", torch.bool: "bool"}


def numbers(t):
    """The elements as JSON numbers with just the digits their dtype has; NaN and infinities as strings."""
    flat = t.detach().reshape(-1)
    if t.dtype in (torch.int32, torch.int64, torch.bool):
        return [int(v) for v in flat]
    out = []
    for v in flat.numpy():
        out.append(float(np.format_float_scientific(v, unique=True)) if np.isfinite(v) else str(float(v)))
    return out


def pack(t):
    return {"dtype": DTYPES[t.dtype], "shape": list(t.shape), "data": numbers(t)}


class Golden:
    def __init__(self, script):
        self.path = Path(script).with_suffix(".json")
        self.cases = []
        self.generator = torch.Generator().manual_seed(20)

    def randn(self, *shape):
        return torch.randn(*shape, generator=self.generator)

    def rand(self, *shape):
        return torch.rand(*shape, generator=self.generator)

    def randint(self, low, high, shape):
        return torch.randint(low, high, shape, generator=self.generator, dtype=torch.int64)

    def case(self, op, name, inputs, args, fn, grads=True, tolerance=None):
        """Adds a case.

        op: the function's name here. inputs: tensors. args: what that function is called with, where "$0" stands for
        inputs[0] (also inside lists); a dict is the options object. fn(*inputs): the same in PyTorch; it may give a
        tuple of tensors, of which those with fractions are differentiated.
        """
        leaves = [t.clone().requires_grad_(grads and t.is_floating_point()) for t in inputs]
        result = fn(*leaves)
        outputs = [result] if isinstance(result, torch.Tensor) else list(result)
        entry = {"op": op, "name": name, "inputs": [pack(t) for t in inputs], "args": args}
        entry["outputs"] = [pack(t) for t in outputs]
        live = [t for t in outputs if t.requires_grad]
        if grads and live:
            seeds = [torch.randn(t.shape, generator=self.generator, dtype=t.dtype) for t in live]
            torch.autograd.backward(live, seeds)
            entry["outputGrads"] = [pack(t) for t in seeds]
            entry["inputGrads"] = [None if t.grad is None else pack(t.grad) for t in leaves]
        if tolerance is not None:
            entry["tolerance"] = tolerance
        self.cases.append(entry)

    def save(self):
        with open(self.path, "w") as file:
            file.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in self.cases) + "\n]\n")
        print(f"{self.path.name}: {len(self.cases)} cases, torch {torch.__version__}", file=sys.stderr)
