"""Running beside the microscope imports no torch, unless its engine is asked for."""

import subprocess
import sys

CODE = """
import sys, pkgutil, importlib, stream
asked_for = ("stream.engines.torch_", "stream.engines.tensorrt_", "stream.engines.cuda")
for module in pkgutil.walk_packages(stream.__path__, "stream."):
    if not module.name.startswith(asked_for):
        importlib.import_module(module.name)
import models.scenes.scene, export.card
heavy = {"torch", "onnx", "onnxscript", "matplotlib", "pandas"} & set(sys.modules)
assert not heavy, heavy
"""


def test_no_part_of_stream_imports_torch() -> None:
    subprocess.run([sys.executable, "-c", CODE], check=True, timeout=120)
