"""What PyTorch and safetensors write and read, for interchange.test.ts.

interchange.py make FOLDER: files of torch.save and safetensors, and expected.json with the values in them.
interchange.py tiny FILE: the small file of torch.save that fuzz.test.ts damages.
interchange.py read FOLDER: loads what this library wrote into a network of the same architecture, strictly, and prints as JSON
its outputs and what else was found.
"""
import json
import sys
from collections import OrderedDict
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2))
        self.fc = nn.Linear(4 * 4 * 4, 3)

    def forward(self, x):
        return self.fc(self.features(x).flatten(1))


def trained():
    net = Net()
    for _ in range(3):
        net(torch.randn(4, 1, 8, 8))
    return net.eval()


def pack(t):
    values = t.detach().double().reshape(-1).tolist() if t.is_floating_point() else t.reshape(-1).long().tolist()
    return {"shape": list(t.shape), "values": [v if v == v and abs(v) != float("inf") else str(v) for v in values]}


def make(folder):
    expected = {}

    def put(name, state, write):
        write(state, folder / name)
        expected[name] = {key: pack(t) for key, t in state.items()}

    kinds = {
        str(dtype).removeprefix("torch."): torch.tensor([-2.5, 0, 1, 100, 3.0625]).to(dtype)
        for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8)
    }
    kinds |= {str(dtype).removeprefix("torch."): torch.tensor([0, 1, 200]).to(dtype) for dtype in (torch.uint8, torch.bool)}
    kinds |= {
        "uint16": torch.tensor([0, 65535]).to(torch.uint16),
        "uint32": torch.tensor([0, 2**31 - 1]).to(torch.uint32),
        "uint64": torch.tensor([0, 2**31 - 1]).to(torch.uint64),
    }
    extremes = {
        "float16": torch.tensor([65504, 2**-24, -(2**-24), 2**-14, -0.0, float("inf"), float("-inf"), float("nan")]).half(),
        "bfloat16": torch.tensor([3.3e38, 1e-40, -0.0, float("inf"), float("nan")]).bfloat16(),
        "int64": torch.tensor([2**31 - 1, -(2**31), -1]),
    }
    every_half = torch.arange(-32768, 32768).short().view(torch.float16).nan_to_num(1, 2, 3)
    base = torch.arange(24.0)
    tied = torch.randn(3, 2)
    views = {
        "permuted": base.view(2, 3, 4).permute(2, 0, 1),
        "part": base[5:11].view(2, 3),
        "column": base.view(6, 4)[:, 1],
        "expanded": base[3].expand(2, 2),
        "scalar": base[7],
        "empty": base[:0].view(0, 3),
        "tied.a": tied,
        "tied.b": tied,
        "parameter": nn.Parameter(torch.ones(2)),
        "größe": torch.ones(1),
    }
    net = trained()
    x = torch.randn(5, 1, 8, 8)
    outputs = {"net": pack(net(x))}

    for name, state in {"kinds": kinds, "extremes": extremes, "net": net.state_dict(), "half": {"all": every_half}}.items():
        put(f"{name}.pt", state, torch.save)
        put(f"{name}.safetensors", state, safetensors.torch.save_file)
    put("views.pt", views, torch.save)
    put("plain.pt", {}, torch.save)
    put("protocol5.pt", net.state_dict(), lambda state, path: torch.save(state, path, pickle_protocol=5))
    torch.serialization.set_crc32_options(False)
    put("noSums.pt", net.state_dict(), torch.save)
    torch.serialization.set_crc32_options(True)
    put("metadata.safetensors", net.state_dict(), lambda state, path: safetensors.torch.save_file(state, path, {"epoch": "3"}))

    optimizer = torch.optim.Adam(net.parameters())
    net(torch.randn(4, 1, 8, 8)).sum().backward()
    optimizer.step()
    net.eval()
    everything = {"model": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "loss": 0.5, "name": "run", "none": None,
                  "flags": [True, False], "size": torch.Size([2, 3]), "large": 2**70, "negative": -5, "deep": {"ema": net.state_dict()}}
    torch.save(everything, folder / "everything.pt")
    expected["everything.pt"] = {key: pack(t) for key, t in net.state_dict().items()}
    torch.save(net, folder / "wholeModel.pt")
    torch.save(net.state_dict(), folder / "legacy.pt", _use_new_zipfile_serialization=False)
    torch.save(torch.ones(2), folder / "tensor.pt")
    torch.save({"a": torch.ones(2), "n": 3}, folder / "number.pt")
    torch.save({"a": torch.ones(2, dtype=torch.complex64)}, folder / "complex.pt")
    torch.save({"a": torch.tensor([1, 2**31])}, folder / "tooLarge.pt")
    torch.jit.save(torch.jit.script(nn.Linear(1, 1)), folder / "script.pt")
    safetensors.torch.save_file({"a": torch.tensor([1, 2**31])}, folder / "tooLarge.safetensors")
    safetensors.torch.save_file({"a": torch.ones(2, dtype=torch.float8_e4m3fn)}, folder / "float8.safetensors")
    outputs["everything"] = pack(net(x))
    (folder / "expected.json").write_text(json.dumps({"files": expected, "input": pack(x), "outputs": outputs}))


def tiny(path):
    base = torch.arange(1.0, 7.0)
    state = OrderedDict(a=base.view(2, 3).t(), b=base[1:3], n=torch.tensor([5, -6]), m=torch.tensor([True, False]))
    torch.save({"model": state, "epoch": 3, "lr": 0.5, "name": "run", "none": None, "flags": [True, False]}, path)


def read(folder):
    found = {}
    for name in ("net.safetensors", "trained.safetensors"):
        path = folder / name
        if not path.exists():
            continue
        net = Net().eval()
        print(net.load_state_dict(safetensors.torch.load_file(path), strict=True), file=sys.stderr)
        x = torch.linspace(-1, 1, 2 * 64).view(2, 1, 8, 8)
        found[name] = pack(net(x))
    path = folder / "dtypes.safetensors"
    if path.exists():
        state = safetensors.torch.load_file(path)
        found["dtypes"] = {key: {"dtype": str(t.dtype), **pack(t)} for key, t in state.items()}
        with safetensors.safe_open(path, "pt") as file:
            found["metadata"] = file.metadata()
    print(json.dumps(found))


if __name__ == "__main__":
    {"make": make, "tiny": tiny, "read": read}[sys.argv[1]](Path(sys.argv[2]))
