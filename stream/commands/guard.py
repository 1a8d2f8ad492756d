"""`livesmlm guard`: what a model's guard must know is learned by simulation, and written beside the model."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from models.guard.molecules.guard_file import ENDING
from stream.commands.training import needs_torch
from stream.config import Rig
from stream.errors import InputError
from stream.optics import objective
from stream.zoo import find


def in_terminal(model: str, rig: Rig | None, pupil: Path | None, molecules: int) -> int:
    """Learn, write, and print what was written; returns the exit code.

    Parameters
    ----------
    model : str
        Name or path of a localizer.
    rig : Rig or None
        Its optics are those of the spots; None: as the training's sample space states them.
    pupil : Path or None
        The pupil.json of the spots; None: the one beside the training's file of spots.
    molecules : int
        Matched ones.

    Raises
    ------
    InputError
        It is no localizer, it is not known what its spots were computed from, or the extra `train` is not installed.
    """
    path = find(model, "MODEL")
    out = learned(path, rig, pupil, molecules)
    Console().print(
        f"{out}: the guard of {path.stem} knows what {molecules:,} matched molecules are like", soft_wrap=True
    )
    return 0


def learned(path: Path, rig: Rig | None, pupil: Path | None, molecules: int) -> Path:
    """Learn what the guard of an exported localizer must know, with a bar; returns the file beside the model."""
    module, subjects = needs_torch("export.guard"), needs_torch("export.subjects")
    try:
        subject = subjects.subject_of(path, objective(rig.optics) if rig else None, pupil)
    except ValueError as error:
        remedy = "where optics are asked for: --rig RIG.toml, --pupil pupil.json"
        raise InputError(f"{path.name}: {error}", remedy=remedy) from error
    with Progress() as progress:
        task = progress.add_task("guard", total=1.0)
        guard = module.learn(
            module.bench_for(path, subject), {"model": path.stem},
            lambda what, share: progress.update(task, completed=share, description=f"guard: {what}"), molecules,
        )  # fmt: skip
        progress.update(task, completed=1.0, description="guard")
    out = path.with_suffix(ENDING)
    guard.save(out)
    return out
