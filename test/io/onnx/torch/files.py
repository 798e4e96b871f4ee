"""Writes ONNX files with both exporters of PyTorch, and what the networks give, beside this script.

Made with torch 2.13.0, onnx 1.23.2 and onnxscript 0.7.2: python3 test/io/onnx/torch/files.py
"""

import json
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

folder = Path(__file__).parent


class Cnn(nn.Module):
    """Convolutions, pools, batch norm, a pad that leaves the exporter's traces, and a view by the batch size."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 3, padding=1)
        self.bn = nn.BatchNorm2d(6)
        self.conv2 = nn.Conv2d(6, 8, 3, stride=2, groups=2)
        self.fc = nn.Linear(8 * 3 * 3, 5)

    def forward(self, x):
        x = torch.max_pool2d(self.bn(self.conv1(x)).relu(), 2)
        x = F.leaky_relu(self.conv2(F.pad(x, (0, 1, 0, 1))))
        x = F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        return torch.log_softmax(self.fc(x.view(x.shape[0], -1)), 1)


class Blocks(nn.Module):
    """Residual and joined blocks, several activations and norms, an image made larger again."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding="same", bias=False)
        self.inner = nn.Sequential(nn.Conv2d(8, 8, 1), nn.PReLU(8), nn.Conv2d(8, 8, 3, padding=1, dilation=1))
        self.norm = nn.GroupNorm(2, 8)
        self.up = nn.ConvTranspose2d(16, 4, 3, stride=2, padding=1, output_padding=1)
        self.mix = nn.Linear(4, 6)
        self.layer = nn.LayerNorm(6)

    def forward(self, x):
        x = F.relu6(self.stem(x))
        x = x + self.norm(self.inner(x))
        a, b = x.chunk(2, 1)
        x = torch.cat([F.hardswish(x), a * torch.sigmoid(b), F.gelu(b)], 1)
        x = torch.tanh(self.up(x))
        x = self.layer(self.mix(x.permute(0, 2, 3, 1)))
        pooled = x.mean((1, 2))
        return pooled.softmax(-1), F.elu(x.amax((1, 2))).clamp(-0.5, 1.0)


def numbers(shape):
    count = int(torch.tensor(shape).prod())
    return torch.sin(torch.arange(count, dtype=torch.float32)).reshape(shape)


def stored(value):
    values = value if isinstance(value, (list, tuple)) else [value]
    return [{"shape": list(v.shape), "data": v.flatten().tolist()} for v in values]


results = {}
for net, shape, opset in ((Cnn(), (1, 14, 14), 11), (Blocks(), (3, 5, 4), 17)):
    torch.manual_seed(0)
    for parameter in net.parameters():
        nn.init.normal_(parameter, 0, 0.5)
    for name, buffer in net.named_buffers():
        if name.endswith("running_var"):
            nn.init.constant_(buffer, 1.7)
        elif name.endswith("running_mean"):
            nn.init.constant_(buffer, 0.3)
    net.eval()
    name = type(net).__name__
    example = numbers((2, *shape))
    dynamic = ({0: torch.export.Dim("batch")},)
    program = torch.onnx.export(net, (example,), dynamo=True, dynamic_shapes=dynamic, verbose=False)
    program.save(folder / f"{name}.dynamo.onnx", include_initializers=True)
    torch.onnx.export(
        net,
        (example,),
        folder / f"{name}.script.onnx",
        dynamo=False,
        input_names=["x"],
        dynamic_axes={"x": {0: "batch"}},
        opset_version=opset,
    )
    with torch.no_grad():
        results[name] = {str(n): {"shape": [n, *shape], "outputs": stored(net(numbers((n, *shape))))} for n in (1, 3)}

(folder / "expected.json").write_text(json.dumps(results))
