"""Writes random.json: what PyTorch's CPU generator gives, for test/tensor/random.test.ts.

Each sequence seeds the default generator once and then makes its calls one after the other, so that how many bits a call
takes, and the normal sample that some calls keep for later, show in the calls that follow. Of a long result the file
holds its head and tail, and a hash of all its bytes where PyTorch's numbers are met exactly.

Run with torch 2.13.0: python3 test/golden/random.py
"""

import hashlib
import json
import math
import pathlib

import torch

DTYPES = {"float32": torch.float32, "float64": torch.float64, "int32": torch.int32, "uint8": torch.uint8}


def uniform(n, dtype, start, stop):
    return torch.empty(n, dtype=dtype).uniform_(start, stop)


def normal(n, dtype, mean, std):
    return torch.empty(n, dtype=dtype).normal_(mean, std)


def randint(n, dtype, low, high):
    return torch.randint(low, high, (n,), dtype=dtype)


def bernoulli(n, dtype, p):
    return torch.empty(n, dtype=dtype).bernoulli_(p)


def permutation(n, dtype):
    return torch.randperm(n, dtype=dtype)


def call(function, n, dtype, *args):
    values = function(n, DTYPES[dtype], *args)
    step = {"op": function.__name__, "dtype": dtype, "n": n, "args": list(args)}
    if n <= 48:
        step["values"] = values.tolist()
    else:
        step["head"] = values[:12].tolist()
        step["tail"] = values[-18:].tolist()
        if function is not normal:
            step["sha256"] = hashlib.sha256(values.numpy().tobytes()).hexdigest()
    return step


def random_seed():
    return {"op": "randomSeed", "values": [str(torch.empty((), dtype=torch.int64).random_().item()) for _ in range(3)]}


def sequence(name, seed, *steps):
    torch.manual_seed(seed)
    return {"name": name, "seed": str(seed), "steps": [step() for step in steps]}


def later(function, *args):
    return lambda: call(function, *args)


def main():
    bound = 1 / math.sqrt(27)
    sequences = [
        sequence(
            "uniform",
            0,
            later(uniform, 3, "float32", 0, 1),
            later(uniform, 3, "float64", 0, 1),
            later(uniform, 0, "float32", 0, 1),
            later(uniform, 7, "float32", -bound, bound),
            later(uniform, 20000, "float32", -0.1, 0.1),
            later(uniform, 20001, "float32", -1 / 3, 1 / 3),
            later(uniform, 5000, "float32", 0.3, 7.7),
            later(uniform, 5000, "float32", -1e5, 3),
            later(uniform, 5000, "float32", 1000, 1000.25),
            later(uniform, 20000, "float64", -0.1, 0.1),
            later(uniform, 5000, "float64", -1e5, 3),
            later(uniform, 40, "float32", 2**24, 2**24 + 2),
            later(uniform, 5000, "float64", 1e6, 1e6 + 1e-4),
            later(uniform, 40, "float64", 2**53, 2**53 + 2),
            later(uniform, 5000, "float64", -1e290, 7e291),
            later(uniform, 4, "float32", 2, 2),
            later(uniform, 1, "float32", 0, 1),
        ),
        *[
            sequence(
                f"normal {dtype}",
                3,
                *[later(normal, n, dtype, 0, 1) for n in (1, 2, 7, 15, 16, 17, 31, 32, 33, 47, 1, 3, 0, 1000, 1003)],
                *[later(normal, n, dtype, 1.5, 0.3) for n in (3, 20, 5, 1, 16, 1)],
                later(normal, 100, dtype, -1000, 5),
                later(normal, 5, dtype, 2, 0),
                later(uniform, 2, "float32", 0, 1),
            )
            for dtype in ("float32", "float64")
        ],
        *[
            sequence(
                f"randint {dtype}",
                4,
                *[later(randint, 9, dtype, low, high) for low, high in ranges],
                later(randint, 3000, dtype, 0, 10),
                later(uniform, 2, "float32", 0, 1),
            )
            for dtype, ranges in {
                "int32": [
                    (0, 10),
                    (-5, 7),
                    (0, 1),
                    (0, 2**28 - 1),
                    (0, 2**28),
                    (-3, 2**28),
                    (-(2**31), -3),
                    (-(2**31), 2**31),
                ],
                "float32": [(0, 10), (-(2**24), 2**24 + 1), (-7, -2)],
                "float64": [
                    (0, 2**28 - 1),
                    (-1, 2**28 - 1),
                    (0, 2**32 - 1),
                    (0, 2**32),
                    (1, 2**32 + 2),
                    (0, 2**53 - 1),
                    (-(2**53) + 1, 2**53 - 1),
                ],
            }.items()
        ],
        sequence(
            "bernoulli",
            8,
            *[
                later(bernoulli, n, dtype, p)
                for n, dtype, p in (
                    (40, "float32", 0.8),
                    (3001, "float32", 0.5),
                    (40, "float64", 0.1),
                    (3001, "float64", 1 / 3),
                    (40, "int32", 0.25),
                    (40, "uint8", 0.9),
                    (5, "float32", 0.0),
                    (5, "float32", 1.0),
                )
            ],
            later(uniform, 2, "float32", 0, 1),
        ),
        sequence(
            "permutation",
            6,
            *[later(permutation, n, "int32") for n in (0, 1, 2, 3, 10, 1000, 60000)],
            later(uniform, 2, "float32", 0, 1),
        ),
        sequence(
            "calls of all kinds, with a normal sample kept across them",
            67280421310721,
            later(normal, 1, "float32", 0, 1),
            later(uniform, 5, "float32", 0, 1),
            later(randint, 3, "int32", 0, 100),
            random_seed,
            later(normal, 20, "float32", 0, 1),
            later(permutation, 5, "int32"),
            later(normal, 2, "float64", 0, 1),
            later(bernoulli, 3, "float32", 0.5),
            later(normal, 1, "float64", 0, 1),
            later(uniform, 5, "float64", 0, 1),
        ),
        *[
            sequence(f"seed {seed}", seed, later(uniform, 3, "float32", 0, 1), random_seed)
            for seed in (1, 2**32 - 1, 2**32, 2**32 + 5, 2**53 - 1, 2**63 - 1, 2**64 - 1)
        ],
    ]
    golden = {"torch": torch.__version__.split("+")[0], "defaultSeed": torch.Generator().initial_seed()}
    path = pathlib.Path(__file__).with_suffix(".json")
    lines = ",\n".join("  " + json.dumps(item) for item in sequences)
    path.write_text(json.dumps(golden)[:-1] + ',\n"sequences": [\n' + lines + "\n]}\n")


if __name__ == "__main__":
    main()
