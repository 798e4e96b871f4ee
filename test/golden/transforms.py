"""Augmentations of torchvision 0.28, which is needed to run this: python3 test/golden/transforms.py

Each case is a transform here with its arguments, and three results in a row after manual_seed(3).
"""
import json
import re
from pathlib import Path

import torch
from torchvision import transforms as T
from torchvision.transforms import InterpolationMode

from golden import pack

generator = torch.Generator().manual_seed(20)
images = {
    "color": torch.rand(3, 7, 9, generator=generator),
    "grey": torch.rand(1, 8, 6, generator=generator),
    "batch": torch.rand(2, 3, 5, 5, generator=generator),
}
# Greys among the colours, and the six corners of the colour circle.
images["color"][:, 0, :3] = torch.tensor([0.0, 0.5, 1.0])
images["color"][:, 1, :6] = torch.tensor([[1, 1, 0, 0, 0, 1], [0, 1, 1, 1, 0, 0], [0, 0, 0, 1, 1, 1.0]])
cases = []


def snake(name):
    return re.sub(r"[A-Z]", lambda match: "_" + match[0].lower(), name)


def case(name, image, args, options=None, kind=None):
    options = options or {}
    given = {snake(key): value for key, value in options.items()}
    if "interpolation" in given:
        given["interpolation"] = InterpolationMode(given["interpolation"])
    transform = getattr(T, kind or name[0].upper() + name[1:])(*args, **given)
    torch.manual_seed(3)
    outputs = [transform(images[image].clone()) for _ in range(3)]
    cases.append({"transform": name, "image": image, "args": args, "options": options,
                  "outputs": [pack(y) for y in outputs], "then": float(torch.rand(1))})


for image in images:
    case("randomCrop", image, [4])
    case("randomCrop", image, [[3, 5]], {"padding": 2})
    case("randomCrop", image, [5], {"padding": [1, 2], "fill": 0.5})
    case("randomCrop", image, [[4, 4]], {"padding": [1, 2, 0, 3], "paddingMode": "reflect"})
    case("randomCrop", image, [12], {"padIfNeeded": True, "paddingMode": "edge"})
    case("centerCrop", image, [4])
    case("centerCrop", image, [[3, 6]])
    case("centerCrop", image, [10])
    case("resize", image, [4])
    case("resize", image, [[3, 11]])
    case("resize", image, [[13, 2]], {"antialias": False})
    case("resize", image, [12], {"antialias": False})
    case("randomHorizontalFlip", image, [])
    case("randomVerticalFlip", image, [0.7])
    case("randomRotation", image, [30])
    case("randomRotation", image, [[100, 170]], {"interpolation": "bilinear", "fill": 0.5})
    case("randomRotation", image, [20], {"center": [1, 2]})
    case("randomAffine", image, [15], {"translate": [0.3, 0.2], "scale": [0.7, 1.4], "shear": 20})
    case("randomAffine", image, [[-90, 10]], {"shear": [-5, 25], "interpolation": "bilinear"})
    case("randomAffine", image, [0], {"shear": [-5, 25, 10, 40], "fill": 1, "center": [2, 2]})
    case("colorJitter", image, [], {"brightness": 0.5, "contrast": 0.4, "saturation": 0.8, "hue": 0.3})
    case("colorJitter", image, [], {"brightness": [0.5, 0.6], "hue": [-0.2, 0.5]})
    case("colorJitter", image, [])
    case("randomErasing", image, [])
    case("randomErasing", image, [1], {"value": "random", "scale": [0.1, 0.6], "ratio": [0.5, 2]})
    case("randomErasing", image, [1], {"value": 0.25})
golden = {"torch": torch.__version__, "images": {name: pack(x) for name, x in images.items()}, "cases": cases}
Path(__file__).with_suffix(".json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
