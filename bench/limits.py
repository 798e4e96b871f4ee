"""PyTorch's side of `npx tsx bench/limits.ts`: prints how far some steps of `scratch` raised the peak of its memory."""
import sys

import torch
import torch.nn.functional as F

from pytorch import scratch


def kibibytes(name):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name))


batch, threads = int(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(threads)
before = kibibytes("VmRSS")
model = scratch()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
images, labels = torch.randn(batch, 1, 28, 28), torch.randint(10, (batch,))
for _ in range(5):
    optimizer.zero_grad()
    F.nll_loss(model(images), labels).backward()
    optimizer.step()
print(kibibytes("VmHWM") - before, kibibytes("VmHWM"))
