"""Movies of a benchmark through `livesmlm replay`, as a user would run them."""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODES = ("off", "isolated", "all")


def replay(
    stack: Path,
    camera: dict[str, float | str],
    model: str,
    mode: str,
    out: Path,
    more: str = "",
    accept_outside: bool = False,
) -> Path:
    """Localize a movie; returns `out`, the folder with the results.

    A path of a model is taken from here; `more` are further sections of the rig; `accept_outside`: even if it is not
    what the model was trained on.
    """
    name = str(Path(model).resolve()) if Path(model).suffix == ".onnx" else model
    fields = "\n".join(f"{key} = {value!r}" for key, value in camera.items())
    publish = '[publish]\naddress = "tcp://127.0.0.1:*"'
    rig = out.with_suffix(".toml")
    model_section = f'[model]\nname = "{name}"\naccept_outside = {str(accept_outside).lower()}'
    rig.write_text(f'[camera]\n{fields}\n{publish}\n{model_section}\n[refine]\nmode = "{mode}"\n{more}')
    command = ["replay", str(stack), "--rig", str(rig), "--out", str(out), "--fps", "max", "--no-page"]
    subprocess.run([sys.executable, "-m", "stream.cli", *command], cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    return out


def arguments(description: str | None) -> argparse.Namespace:
    """Return what a benchmark with a network of its own is told: data, prepare, model."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--prepare", type=Path, help="Write spots and sample space for the training into this folder.")
    parser.add_argument("--model", type=Path, help="The exported network.")
    return parser.parse_args()
