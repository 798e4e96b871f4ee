"""The public names of PyTorch that docs/pytorch-names.md compares: python3 test/golden/pytorchNames.py"""
import inspect
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.optim import lr_scheduler, swa_utils

# Helpers that are no part of the interface, and names for backward compatibility.
HIDDEN = {"Module", "ParameterList", "ParameterDict", "Container", "NLLLoss2d", "assert_int_or_pair", "boolean_dispatch",
          "handle_torch_function", "has_torch_function", "has_torch_function_unary", "has_torch_function_variadic"}


def classes(module, base):
    return sorted(n for n, v in vars(module).items() if inspect.isclass(v) and issubclass(v, base) and v is not base
                  and not n.startswith("_") and n not in HIDDEN)


def functions(module, prefixes):
    def is_own(v):
        return callable(v) and not inspect.isclass(v) and str(getattr(v, "__module__", "")).startswith(prefixes)
    return sorted(n for n, v in vars(module).items() if is_own(v) and not n.startswith("_") and n not in HIDDEN)


names = {
    "torch": torch.__version__.split("+")[0],
    "nn": classes(nn, nn.Module),
    "nn.functional": functions(F, ("torch.nn.functional", "torch._C._nn", "torch", "None")),
    "nn.init": [n for n in functions(nn.init, "torch.nn.init") if n.endswith("_") or n == "calculate_gain"],
    "nn.utils": sorted(n for n in nn.utils.__all__ if inspect.isroutine(getattr(nn.utils, n))),
    "optim": classes(optim, optim.Optimizer),
    "optim.lr_scheduler": classes(lr_scheduler, lr_scheduler.LRScheduler),
    "optim.swa_utils": sorted(swa_utils.__all__),
    "Tensor": sorted(n for n in dir(torch.Tensor) if not n.startswith("_") and n.lower() == n),
}
Path(__file__).with_suffix(".json").write_text(json.dumps(names, separators=(",", ":")) + "\n")
print({k: len(v) for k, v in names.items()})
