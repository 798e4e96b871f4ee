"""Checks all ONNX files of a folder, with their types and shapes. Names those that fail, and says how many there were."""

import sys
from pathlib import Path

import onnx

files = sorted(Path(sys.argv[1]).glob("*.onnx"))
for file in files:
    try:
        onnx.checker.check_model(onnx.load(file), full_check=True)
    except Exception as error:
        print(file.name, error)
print(len(files), "files")
