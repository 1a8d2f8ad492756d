"""`livesmlm train` and `livesmlm export`: the only commands that need torch."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from models.sample_space import LOCALIZER_2D
from models.systems import SYSTEMS
from stream.errors import InputError, OutputError


def _needs_torch(name: str) -> ModuleType:
    from importlib import import_module

    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise InputError(f"{error.name} is not installed", remedy="pip install 'livesmlm[train]'") from error


def train_in_terminal(system: str, steps: int, out: Path, resume: bool) -> int:
    """Train a system to its recipe's end; returns the exit code.

    Raises
    ------
    InputError
        No such system, or the extra `train` is not installed.
    OutputError
        A checkpoint exists and `resume` was not asked for, or the other way round.
    """
    from rich.progress import Progress

    if system not in SYSTEMS:
        raise InputError(f"no system is called {system!r}", limit=f"systems: {', '.join(SYSTEMS)}")
    training = _needs_torch("models.train")
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists() != resume:
        state, remedy = (
            ("exists", "add --resume, or name a new --out")
            if checkpoint.exists()
            else ("does not exist", "leave out --resume")
        )
        raise OutputError(f"{checkpoint} {state}", remedy=remedy)
    if resume:
        trainer = training.Trainer.load(checkpoint, steps=steps)
    else:
        trainer = training.Trainer(training.Recipe(steps=steps), LOCALIZER_2D)
    with Progress() as progress:
        task = progress.add_task(system, total=steps, completed=trainer.step)
        training.train(trainer, out, lambda line: progress.update(task, completed=line["step"]))
    return 0


def export_in_terminal(checkpoint: Path, out: Path) -> int:
    """Write the averaged weights of a checkpoint as one `.onnx` file with its card; returns the exit code."""
    if not checkpoint.is_file():
        raise InputError(f"no checkpoint at {checkpoint}", remedy="train first: livesmlm train")
    _needs_torch("export.export").export_checkpoint(checkpoint, out)
    return 0
