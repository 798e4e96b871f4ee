"""One loss of one batch: what it takes to start. bench/start.mjs is the same with this library."""
import torch
from torch import nn

model = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(16, 32, 3, padding="same", bias=False),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(32 * 7 * 7, 10),
)
with torch.no_grad():
    loss = nn.functional.cross_entropy(model(torch.randn(64, 1, 28, 28)), torch.randint(10, (64,)))
print(loss.item())
