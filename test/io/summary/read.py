"""What TensorBoard and PyTorch make of our logs, for summaryWriter.test.ts.

read.py FOLDER: prints as JSON what TensorBoard's own reader finds in each folder within FOLDER that has event files, and
the buckets that torch.utils.tensorboard makes of the values in FOLDER/values.json.
"""
import json
import os
import sys
from io import BytesIO
from pathlib import Path

import numpy
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import make_histogram


def number(value):
    return value if abs(value) < float("inf") else str(value)


def histogram(h):
    sums = {name: number(getattr(h, name)) for name in ("min", "max", "num", "sum", "sum_squares")}
    return {**sums, "bucket_limit": list(h.bucket_limit), "bucket": list(h.bucket)}


def picture(event):
    pixels = numpy.asarray(Image.open(BytesIO(event.encoded_image_string)))
    return {"step": event.step, "width": event.width, "height": event.height, "pixels": pixels.tolist()}


def run(folder):
    events = EventAccumulator(str(folder), size_guidance={kind: 0 for kind in ("histograms", "images", "scalars", "tensors")})
    events.Reload()
    tags = events.Tags()
    shapes = lambda node: [d.size for d in node.attr["_output_shapes"].list.shape[0].dim]
    return {
        "scalars": {tag: [[e.wall_time, e.step, number(e.value)] for e in events.Scalars(tag)] for tag in tags["scalars"]},
        "histograms": {
            tag: histogram(events.Histograms(tag)[0].histogram_value) for tag in tags["histograms"]
        },
        "images": {tag: picture(events.Images(tag)[0]) for tag in tags["images"]},
        "texts": {tag: events.Tensors(tag)[0].tensor_proto.string_val[0].decode() for tag in tags["tensors"]},
        "graph": [[n.name, n.op, list(n.input), shapes(n)] for n in events.Graph().node] if tags["graph"] else None,
    }


root = Path(sys.argv[1])
folders = sorted({path.parent for path in root.rglob("events.out.tfevents.*")})
runs = {os.path.relpath(folder, root): run(folder) for folder in folders}
values = json.loads((root / "values.json").read_text())
writer = SummaryWriter(str(root / "torch"))
limits = {name: writer.default_bins if bins is None else bins for name, (bins, _) in values.items()}
expected = {
    name: histogram(make_histogram(numpy.array(given, dtype=numpy.float64), limits[name]))
    for name, (_, given) in values.items()
}
print(json.dumps({"runs": runs, "histograms": expected}))
