"""Checks all ONNX files of a folder, with their types and shapes. Says how many there were."""

import sys
from pathlib import Path

import onnx

files = sorted(Path(sys.argv[1]).glob("*.onnx"))
for file in files:
    onnx.checker.check_model(onnx.load(file), full_check=True)
print(len(files), "files")
