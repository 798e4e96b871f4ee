"""The networks of this folder in PyTorch, under the same names. Tests and benchmarks compare with them."""
import torch
from torch import nn


def init_he(module):
    nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


class BasicBlock(nn.Module):
    def __init__(self, in_channels, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = None
        if stride != 1 or in_channels != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x):
        around = x if self.downsample is None else self.downsample(x)
        deep = self.bn1(self.conv1(x)).relu()
        return (self.bn2(self.conv2(deep)) + around).relu()


class ResNet18(nn.Module):
    def __init__(self, num_classes=10, in_channels=3, width=64, layers=(2, 2, 2, 2)):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = self.stage(width, width, layers[0], 1)
        self.layer2 = self.stage(width, 2 * width, layers[1], 2)
        self.layer3 = self.stage(2 * width, 4 * width, layers[2], 2)
        self.layer4 = self.stage(4 * width, 8 * width, layers[3], 2)
        self.fc = nn.Linear(8 * width, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                init_he(module)

    @staticmethod
    def stage(in_channels, channels, blocks, stride):
        first = BasicBlock(in_channels, channels, stride)
        return nn.Sequential(first, *(BasicBlock(channels, channels, 1) for _ in range(blocks - 1)))

    def forward(self, x):
        x = self.bn1(self.conv1(x)).relu()
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))


class VGG11(nn.Module):
    def __init__(self, num_classes=10, batch_norm=False, width=64, pool_size=1, hidden=512, dropout=0.5):
        super().__init__()
        layers, channels = [], 3
        for step in [1, "M", 2, "M", 4, 4, "M", 8, 8, "M", 8, 8, "M"]:
            if step == "M":
                layers.append(nn.MaxPool2d(2))
                continue
            layers.append(nn.Conv2d(channels, step * width, 3, padding=1))
            channels = step * width
            if batch_norm:
                layers.append(nn.BatchNorm2d(channels))
            layers.append(nn.ReLU(inplace=True))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(pool_size)
        self.classifier = nn.Sequential(
            nn.Linear(channels * pool_size**2, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden, num_classes),
        )
        self.apply(self.initialize)

    @staticmethod
    def initialize(module):
        if isinstance(module, nn.Conv2d):
            init_he(module)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, 0.01)
            nn.init.zeros_(module.bias)

    def forward(self, x):
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def in_eights(channels):
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def conv_norm_activation(in_channels, channels, kernel_size, stride=1, groups=1):
    padding = (kernel_size - 1) // 2
    return nn.Sequential(
        nn.Conv2d(in_channels, channels, kernel_size, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU6(inplace=True),
    )


class InvertedResidual(nn.Module):
    def __init__(self, in_channels, channels, stride, expansion):
        super().__init__()
        hidden = in_channels * expansion
        self.is_residual = stride == 1 and in_channels == channels
        self.conv = nn.Sequential(
            *([] if expansion == 1 else [conv_norm_activation(in_channels, hidden, 1)]),
            conv_norm_activation(hidden, hidden, 3, stride, hidden),
            nn.Conv2d(hidden, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x):
        return x + self.conv(x) if self.is_residual else self.conv(x)


CIFAR_STAGES = [
    [1, 16, 1, 1],
    [6, 24, 2, 1],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
]


class MobileNetV2(nn.Module):
    def __init__(self, num_classes=10, width_mult=1, stages=CIFAR_STAGES, dropout=0.2):
        super().__init__()
        channels = in_eights(32 * width_mult)
        features = [conv_norm_activation(3, channels, 3)]
        for expansion, base, blocks, stride in stages:
            for block in range(blocks):
                following = in_eights(base * width_mult)
                features.append(InvertedResidual(channels, following, stride if block == 0 else 1, expansion))
                channels = following
        last = in_eights(1280 * max(1, width_mult))
        self.features = nn.Sequential(*features, conv_norm_activation(channels, last, 1))
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(last, num_classes))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0, 0.01)

    def forward(self, x):
        return self.classifier(self.features(x).mean([2, 3]))


def double_conv(in_channels, channels):
    return nn.Sequential(
        nn.Conv2d(in_channels, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
        nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
    )


class UNet(nn.Module):
    def __init__(self, in_channels, num_classes, width=64, depth=4):
        super().__init__()
        self.down, self.up, self.merge = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        channels = in_channels
        for level in range(depth):
            self.down.append(double_conv(channels, width * 2**level))
            channels = width * 2**level
        self.bottom = double_conv(channels, width * 2**depth)
        for level in reversed(range(depth)):
            below = width * 2 ** (level + 1)
            self.up.append(nn.ConvTranspose2d(below, below // 2, 2, stride=2))
            self.merge.append(double_conv(below, below // 2))
        self.last = nn.Conv2d(width, num_classes, 1)

    def forward(self, x):
        seen = []
        for level in self.down:
            x = level(x)
            seen.append(x)
            x = nn.functional.max_pool2d(x, 2)
        x = self.bottom(x)
        for beside, up, merge in zip(reversed(seen), self.up, self.merge):
            x = merge(torch.cat([beside, up(x)], 1))
        return self.last(x)


class EncoderBlock(nn.Module):
    def __init__(self, dim, heads, mlp_dim, dropout):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attention = nn.MultiheadAttention(dim, heads, dropout=dropout, batch_first=True)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = nn.Sequential(
            nn.Linear(dim, mlp_dim), nn.GELU(), nn.Dropout(dropout), nn.Linear(mlp_dim, dim), nn.Dropout(dropout)
        )

    def forward(self, x):
        normed = self.norm1(x)
        x = x + self.attention(normed, normed, normed, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class VisionTransformer(nn.Module):
    def __init__(self, image_size=32, patch_size=4, num_classes=10, dim=192, depth=6, heads=3, mlp_dim=None, dropout=0.0):
        super().__init__()
        self.patches = nn.Conv2d(3, dim, patch_size, patch_size)
        self.token = nn.Parameter(torch.zeros(1, 1, dim))
        self.positions = nn.Parameter(torch.zeros(1, 1 + (image_size // patch_size) ** 2, dim))
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.Sequential(*(EncoderBlock(dim, heads, mlp_dim or 4 * dim, dropout) for _ in range(depth)))
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.head = nn.Linear(dim, num_classes)
        nn.init.trunc_normal_(self.token, 0, 0.02)
        nn.init.trunc_normal_(self.positions, 0, 0.02)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.positions
        x = self.norm(self.blocks(self.dropout(x)))
        return self.head(x[:, 0])
