"""Writes print.json: how PyTorch prints tensors, for test/tensor/print.test.ts.

Each case holds the elements, as numbers in row-major order or as the call that makes them on either side, and the text.
PyTorch's names are left as they are: the test maps them to ours.

Run with torch 2.13.0: python3 test/golden/print/print.py
"""

import json
import math
import pathlib

import torch

cases = []


def plain(value):
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if value == 0 and math.copysign(1, value) < 0:
        return "-0"
    return value


def case(name, x, **made):
    entry = {"name": name, "dtype": str(x.dtype).removeprefix("torch."), "shape": list(x.shape)}
    entry |= made if made else {"data": [plain(value) for value in x.flatten().tolist()]}
    cases.append(entry | {"text": str(x)})


def f32(*values):
    return torch.tensor(values, dtype=torch.float32)


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)


inf, nan = math.inf, math.nan
for name, values in {
    "whole": [1, 2, 3],
    "whole, negative": [-1, 20, 300],
    "zero": [0],
    "zeros": [0, 0, -0.0],
    "minus zero beside fractions": [-0.0, 0.5, 1],
    "fractions": [0.1, -0.25, 3.14159],
    "halves to even": [0.03125, 0.09375, 0.15625, -0.03125, 1.46875],
    "small": [0.0001, 0.0002],
    "too small": [0.00009, 0.0002],
    "just a thousand apart": [0.5, 500],
    "more than a thousand apart": [0.5, 500.5],
    "whole, a thousand apart": [1, 1000],
    "whole, more than that": [1, 1001],
    "large": [1e8, 1.5e8],
    "at the limit": [1e8],
    "huge and tiny": [1e-30, 1e30],
    "scientific, halves to even": [100005, 1.0, 100015, -100025],
    "scientific, with zeros": [0, -0.0, 1e-7, 123456],
    "nan alone": [nan],
    "infinities alone": [inf, -inf],
    "whole beside nan": [1, nan, 3],
    "whole beside infinities": [1, inf, -inf],
    "fractions beside all": [0.5, nan, inf, -inf, 0],
    "scientific beside all": [1e-9, nan, inf, -inf, 0],
    "subnormal": [1e-40, 1],
    "almost whole": [0.99999, 1],
    "carries over": [9.99996, 1.5],
}.items():
    case(name, f32(*values))
    # Six characters more in "dtype=torch.float64" push that suffix of one case to a new line.
    if name != "scientific, halves to even":
        case(name, f64(*values))
case("largest", f64(1.7976931348623157e308, 5e-324))
case("many digits", f64(0.1 + 0.2, 1e16 / 3))

for value in [3.14159265, -2.0, 0.0, 1e-5, 123456.789, 1e9, nan, inf, -inf]:
    case(f"scalar {value}", torch.tensor(value, dtype=torch.float32))
case("scalar whole number", torch.tensor(-7, dtype=torch.int32))
case("scalar bool", torch.tensor(True))

case("whole numbers", torch.tensor([[1, -20], [300, 0]], dtype=torch.int32))
case("extreme whole numbers", torch.tensor([2**31 - 1, -(2**31)], dtype=torch.int32))
case("bools", torch.tensor([[True, False], [False, True]]))
case("true alone", torch.tensor([True, True]))
for shape in [(0,), (0, 3), (2, 0, 4)]:
    for dtype in [torch.float32, torch.float64, torch.int32, torch.bool]:
        case("empty", torch.zeros(shape, dtype=dtype))

generator = torch.Generator().manual_seed(3)
for shape in [(7,), (30,), (3, 4), (2, 15), (2, 3, 4), (2, 2, 2, 3), (1, 1, 1, 1), (3, 1, 12)]:
    case("normal numbers", torch.randn(shape, generator=generator))
    case("whole numbers", torch.randint(-500, 500, shape, generator=generator, dtype=torch.int32))
for exponent in range(-8, 12, 2):
    case(f"normal numbers times 1e{exponent}", torch.randn(5, generator=generator) * 10.0**exponent)
    case(f"float64 times 1e{exponent}", torch.randn(5, generator=generator, dtype=torch.float64) * 10.0**exponent)
case("magnitudes of all kinds", 10 ** (torch.rand(40, generator=generator) * 12 - 6))

# What follows is too long to keep: the test counts up on its side.
for shape in [(1000,), (1001,), (20, 51), (7, 143), (6, 200), (1001, 1), (1, 1001), (5, 6, 40), (7, 8, 9, 10)]:
    count = math.prod(shape)
    case("counted", torch.arange(count, dtype=torch.float32).reshape(shape), made="counted")
    case("counted", torch.arange(count, dtype=torch.int32).reshape(shape), made="counted")
    case("counted halves", torch.arange(count, dtype=torch.float64).reshape(shape) / 2, made="halves")
    case("counted, is odd", (torch.arange(count) % 2 == 1).reshape(shape), made="odd")
case("long elements in long lines", torch.arange(2000, dtype=torch.float64).reshape(2, 1000) / 2**20, made="millionths")
case("the outliers are left out", torch.cat([torch.ones(600), torch.tensor([1e9]), torch.ones(600)]), made="outlier")

path = pathlib.Path(__file__).with_name("print.json")
path.write_text('{"torch": "' + torch.__version__.split("+")[0] + '", "cases": [\n' + ",\n".join(map(json.dumps, cases)) + "\n]}\n")
print(len(cases), "cases,", path.stat().st_size, "bytes")
