"""Writes randomTensors.json: PyTorch's random tensors, for test/tensor/randomTensors.test.ts and test/tensor/ops/fill.test.ts.

Each sequence seeds the default generator once and then makes its calls one after the other. A fill in place starts from
zeros of the shape and layout that the step names. Elements are in row-major order of what the tensor shows.

Run with torch 2.13.0: python3 test/golden/randomTensors/randomTensors.py
"""

import json
import pathlib

import torch

DTYPES = {"float32": torch.float32, "float64": torch.float64, "int32": torch.int32, "bool": torch.bool}

LAYOUTS = {
    "dense": lambda shape, dtype: torch.zeros(shape, dtype=dtype),
    "transposed": lambda shape, dtype: torch.zeros(shape[::-1], dtype=dtype).permute(*reversed(range(len(shape)))),
    "every second": lambda shape, dtype: torch.zeros([*shape[:-1], 2 * shape[-1]], dtype=dtype)[..., ::2],
}


def step(op, args, result, dtype, layout=None):
    entry = {"op": op, "args": args, "dtype": dtype, "shape": list(result.shape), "data": result.flatten().tolist()}
    return entry if layout is None else entry | {"layout": layout}


def factory(op, *args, dtype="float32"):
    """A call whose arguments are the same on either side."""
    return lambda: step(op, list(args), getattr(torch, op)(*args, dtype=DTYPES[dtype]), dtype)


def uniform(shape, start, stop, dtype="float32"):
    return lambda: step(
        "uniform", [shape, start, stop], torch.empty(shape, dtype=DTYPES[dtype]).uniform_(start, stop), dtype
    )


def fill(op, shape, *args, layout="dense", dtype="float32"):
    return lambda: step(
        op, list(args), getattr(LAYOUTS[layout](shape, DTYPES[dtype]), op)(*args), dtype, layout
    )


def bernoulli(shape, p, layout="dense", dtype="float32"):
    return lambda: step("bernoulli", [p], torch.bernoulli(LAYOUTS[layout](shape, DTYPES[dtype]) + p), dtype, layout)


def sequence(name, seed, *steps):
    torch.manual_seed(seed)
    return {"name": name, "seed": seed, "steps": [make() for make in steps]}


sequences = [
    sequence("rand", 0, factory("rand", [3]), factory("rand", [2, 3]), factory("rand", []), factory("rand", [0, 2]),
             factory("rand", [5], dtype="float64"), factory("rand", [2])),
    sequence("randn", 1, factory("randn", [3]), factory("randn", [4, 5]), factory("randn", []),
             factory("randn", [3], dtype="float64"), factory("randn", [17], dtype="float64")),
    sequence("randint", 2, factory("randint", 10, [6], dtype="int32"), factory("randint", -5, 5, [2, 3], dtype="int32"),
             factory("randint", 0, 2**31 - 1, [3], dtype="int32"), factory("randint", 3, [4], dtype="float32"),
             factory("randint", -4, 3, [4], dtype="float64")),
    sequence("randperm", 3, factory("randperm", 10, dtype="int32"), factory("randperm", 0, dtype="int32"),
             factory("randperm", 7, dtype="float32"), factory("randperm", 5, dtype="float64")),
    sequence("uniform", 4, uniform([3], 0, 1), uniform([2, 2], -0.5, 0.25), uniform([3], -1, 1, "float64")),
    sequence("bernoulli", 5, bernoulli([5], 0.5), bernoulli([5], 0.3, dtype="float64"),
             bernoulli([3, 4], 0.6, layout="transposed"), factory("rand", [2])),
    sequence("uniform_", 6, fill("uniform_", [4]), fill("uniform_", [3, 4], -1, 2, layout="transposed"),
             fill("uniform_", [2, 3], layout="every second", dtype="float64"), fill("uniform_", [2, 3, 4], layout="transposed")),
    sequence("normal_", 7, fill("normal_", [20]), fill("normal_", [3, 8], 1, 2, layout="transposed"),
             fill("normal_", [3, 8], layout="every second"), fill("normal_", [3, 7], dtype="float64"),
             fill("normal_", [3, 7], layout="transposed", dtype="float64"), factory("rand", [2])),
    sequence("bernoulli_", 8, fill("bernoulli_", [12]), fill("bernoulli_", [3, 4], 0.25, layout="transposed"),
             fill("bernoulli_", [6], 0.75, dtype="int32"), fill("bernoulli_", [6], dtype="bool"), factory("rand", [2])),
]

path = pathlib.Path(__file__).with_name("randomTensors.json")
path.write_text(
    '{"torch": "' + torch.__version__.split("+")[0] + '", "sequences": [\n' + ",\n".join(map(json.dumps, sequences)) + "\n]}\n"
)
print(len(sequences), "sequences,", path.stat().st_size, "bytes")
