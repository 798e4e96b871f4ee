"""Writes create.json: PyTorch's ranges and matrices, for test/tensor/create.test.ts.

Run with torch 2.13.0: python3 test/golden/create/create.py
"""

import json
import pathlib

import torch

cases = []


def case(op, *args, dtype="float32"):
    result = getattr(torch, op)(*args, dtype=getattr(torch, dtype))
    cases.append({"op": op, "args": args, "dtype": dtype, "shape": list(result.shape), "data": result.flatten().tolist()})


for dtype in ["float32", "float64"]:
    for args in [(5,), (0,), (2.5,), (1, 4), (1, 2.5, 0.5), (0, 1, 0.1), (0.1, 0.7, 0.1), (5, 0, -1.5), (3, 3), (-1, 1, 0.25),
                 (1e6, 1e6 + 3), (0, 1e-3, 3e-4), (0, 10, 100)]:
        case("arange", *args, dtype=dtype)
    for args in [(0, 1, 5), (3, 10, 4), (-10, 10, 7), (1, 0, 3), (2, 2, 3), (0, 1, 1), (0, 1, 0), (0, 1, 2), (-0.3, 0.7, 11),
                 (1e-3, 1e3, 6)]:
        case("linspace", *args, dtype=dtype)
for args in [(5,), (1, 4), (10, 0, -3), (-7, 8, 5)]:
    case("arange", *args, dtype="int32")
for args in [(0, 10, 5), (-10, 10, 7), (0, 3, 9), (5, 5, 2), (9, -4, 6), (3, 8, 1)]:
    case("linspace", *args, dtype="int32")
for dtype in ["float32", "int32", "bool"]:
    for args in [(3,), (2, 3), (3, 2), (0,), (0, 2), (2, 0), (1, 4)]:
        case("eye", *args, dtype=dtype)

path = pathlib.Path(__file__).with_name("create.json")
path.write_text('{"torch": "' + torch.__version__.split("+")[0] + '", "cases": [\n' + ",\n".join(map(json.dumps, cases)) + "\n]}\n")
print(len(cases), "cases,", path.stat().st_size, "bytes")
