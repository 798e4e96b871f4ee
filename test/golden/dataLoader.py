"""Writes dataLoader.json: the orders of PyTorch's loaders, samplers and splits, for the tests in test/data.

Beside each order stands the next 64-bit draw of every generator that was at work: it shows how much was drawn, and when.

Run with torch 2.13.0: python3 test/golden/dataLoader.py
"""

import json
import pathlib
import warnings

import torch
from torch.utils.data import DataLoader, RandomSampler, SubsetRandomSampler, random_split


def draw(generator):
    """A string: JSON has no integers of 63 bits."""
    return str(torch.empty((), dtype=torch.int64).random_(generator=generator).item())


def generators(seed, own):
    """Seeds the default generator; with `own`, makes one that the call is given."""
    torch.manual_seed(seed)
    return None if own is None else torch.Generator().manual_seed(own)


def ends(generator):
    return {"default": draw(None)} | ({} if generator is None else {"own": draw(generator)})


def loader(n, batch_size, shuffle=False, drop_last=False, own=None, stop=None, sampler=None, epochs=2):
    g = generators(0, own)
    order = None if sampler is None else SubsetRandomSampler(sampler)
    made = DataLoader(
        list(range(n)), batch_size=batch_size, shuffle=shuffle, drop_last=drop_last, generator=g, sampler=order
    )
    passes = []
    for _ in range(epochs):
        batches = []
        for batch in made:
            batches.append(batch.tolist())
            if len(batches) == stop:
                break
        passes.append(batches)
    options = {"batchSize": batch_size, "shuffle": shuffle, "dropLast": drop_last}
    if stop is not None:
        passes = [[batch[:8] for batch in batches] for batches in passes]
    return {
        "n": n,
        "options": options,
        "own": own,
        "stop": stop,
        "subset": sampler,
        "length": len(made),
        "passes": passes,
        "ends": ends(g),
    }


def random_sampler(n, own=None, replacement=False, num_samples=None):
    g = generators(0, own)
    sampler = RandomSampler(range(n), replacement=replacement, num_samples=num_samples, generator=g)
    options = {"replacement": replacement} | ({} if num_samples is None else {"numSamples": num_samples})
    return {"n": n, "options": options, "own": own, "orders": [list(sampler) for _ in range(2)], "ends": ends(g)}


def subset_sampler(indices, own=None):
    g = generators(0, own)
    sampler = SubsetRandomSampler(indices, generator=g)
    return {"indices": indices, "own": own, "orders": [list(sampler) for _ in range(2)], "ends": ends(g)}


def split(n, lengths, own=None):
    g = generators(0, own)
    parts = random_split(range(n), lengths) if g is None else random_split(range(n), lengths, generator=g)
    return {"n": n, "lengths": lengths, "own": own, "parts": [list(part.indices) for part in parts], "ends": ends(g)}


def main():
    warnings.simplefilter("ignore")
    loaders = [
        loader(n, batch_size, shuffle, drop_last, own)
        for n, batch_size in ((10, 4), (10, 5), (1, 1), (3, 8), (7, 1))
        for shuffle in (True, False)
        for drop_last in (False, True)
        for own in (None, 7)
    ]
    loaders += [
        loader(60000, 64, shuffle=True, stop=1),
        loader(60000, 64, shuffle=True, own=3, stop=2),
        loader(20, 4, sampler=[3, 5, 7, 11, 13]),
        loader(20, 2, sampler=[3, 5, 7, 11, 13], own=9, drop_last=True),
    ]
    samplers = [
        random_sampler(n, own, replacement, num_samples)
        for n, num_samples in ((8, None), (8, 19), (8, 16), (8, 3), (5, 70), (1, None))
        for replacement in (False, True)
        for own in (None, 7)
    ]
    subsets = [subset_sampler(indices, own) for indices in ([3, 5, 7, 11, 13], [4], []) for own in (None, 7)]
    splits = [
        split(10, [3, 7]),
        split(10, [3, 7], 42),
        split(10, [0, 10]),
        split(11, [0.3, 0.3, 0.4]),
        split(10, [0.3, 0.3, 0.4], 1),
        split(13, [0.5, 0.25, 0.25]),
        split(29, [0.9, 0.1]),
        split(2, [0.4, 0.3, 0.3]),
        split(10, [1]),
        split(0, [0]),
    ]
    golden = {"loaders": loaders, "randomSamplers": samplers, "subsetSamplers": subsets, "splits": splits}
    lines = (
        f"{json.dumps(name)}: [\n" + ",\n".join(json.dumps(each, separators=(",", ":")) for each in cases) + "\n]"
        for name, cases in golden.items()
    )
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


main()
