"""`livesmlm train` and `livesmlm export`: the only commands that need torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.console import Console

from models import psf as spots
from models.aberrations.space import with_objective
from models.backgrounds.space import background_space
from models.crops.space import OWN, crops_space
from models.images.space import image_space
from models.optics.low_rank import LowRankSpot
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.sample_space_file import read_space
from models.systems import SYSTEMS
from models.systems.spaces import WITH_OPTICS, WITHOUT_OPTICS
from stream.commands.parity import is_compared, show
from stream.errors import InputError, OutputError
from stream.zoo import find


def needs_torch(name: str) -> ModuleType:
    """Import a module that needs the extra `train`; raises InputError if that is not installed."""
    from importlib import import_module

    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise InputError(f"{error.name} is not installed", remedy="pip install 'livesmlm[train]'") from error


def recipe_of(
    system: str, psf: str, size: str, seed: int, steps: int | None, sample_space: str, start: str
) -> Recipe:  # fmt: skip
    """Return a system's usual recipe with what the user stated; raises InputError for what does not exist."""
    if system not in SYSTEMS:
        raise InputError(
            f"no system is called {system!r}", limit=f"systems: {', '.join(SYSTEMS)}",
            remedy="`livesmlm models` says what each of them is for",
        )  # fmt: skip
    kind, usual = SYSTEMS[system]
    if psf and (system in WITH_OPTICS or system in WITHOUT_OPTICS):
        raise InputError(f"--psf {psf}: {system} is not trained for a spot", remedy="leave it out")
    chosen = replace(
        usual, psf=psf or usual.psf, size=size, seed=seed, steps=steps or usual.steps, sample_space=sample_space,
        start=start,
    )  # fmt: skip
    if kind not in ("background", "crops") or system in OWN:
        return chosen
    try:
        return replace(chosen, patch_px=spots.crop_px(chosen.psf))
    except ValueError as error:
        raise InputError(str(error)) from error


def train_in_terminal(recipe: Recipe, out: Path, resume: bool) -> int:
    """Train a system to its recipe's end; returns the exit code.

    Parameters
    ----------
    recipe : Recipe
        With `resume` only its steps are taken; the rest is in the checkpoint.
    out : Path
        Folder of the training.
    resume : bool

    Raises
    ------
    InputError
        No such PSF, a sample space that cannot be, or the extra `train` is not installed.
    OutputError
        A checkpoint exists and `resume` was not asked for, or the other way round.
    """
    from rich.progress import Progress

    training = needs_torch("models.train")
    checkpoint = out / training.CHECKPOINT
    if checkpoint.exists() != resume:
        state, remedy = (
            ("exists", "add --resume, or name a new --out")
            if checkpoint.exists()
            else ("does not exist", "leave out --resume")
        )
        raise OutputError(f"{checkpoint} {state}", remedy=remedy)
    trainer = training.Trainer.load(out, steps=recipe.steps) if resume else new_trainer(recipe)
    with Progress() as progress, needs_torch("export.watch").Validation(out) as validation:
        for name in validation.missing:
            progress.console.print(f"{name} is not installed: no {validation.missing[name]}")
        task = progress.add_task(out.name, total=recipe.steps, completed=trainer.step)
        training.train(trainer, out, [lambda _, line: progress.update(task, completed=line["step"]), validation])
    return 0


def new_trainer(recipe: Recipe) -> Any:
    """Return the trainer of a recipe; raises InputError for a PSF, a sample space or a start that cannot be."""
    space_file = Path(recipe.sample_space) if recipe.sample_space else None
    try:
        if recipe.system in WITH_OPTICS:
            space, spot = with_objective(*read_space(space_file, WITH_OPTICS[recipe.system])), None
        elif recipe.system in WITHOUT_OPTICS:
            space, spot = read_space(space_file, WITHOUT_OPTICS[recipe.system])[0], None
        else:
            space, spot = _of_a_spot(recipe, space_file)
        trainer = needs_torch("models.train").Trainer(recipe, space, spot)
        if recipe.start:
            _start(trainer, recipe.start)
        return trainer
    except ValueError as error:
        raise InputError(str(error)) from error


def _of_a_spot(recipe: Recipe, space_file: Path | None) -> tuple[SampleSpace, LowRankSpot | None]:
    """Return the sample space of a system that is trained for a spot, and that spot."""
    kind, usual = SYSTEMS[recipe.system].kind, spots.default_space(recipe.psf)
    if kind == "background":
        usual = background_space(usual)
    if kind == "crops":
        usual = crops_space(usual, recipe.system)
    if kind == "image":
        usual = image_space(usual)
    space, objective = read_space(space_file, usual)
    spot = spots.spot(recipe.psf, space, objective)
    return with_objective(space, objective) if kind == "crops" else space, spot


def _start(trainer: Any, start: str) -> None:
    if Path(start).is_dir():
        trainer.start_from(Path(start))
        return
    weights, card = needs_torch("export.trained").weights_in(find(start, "--from"))
    try:
        commands = [*card.provenance["before"], card.provenance["command"]]
        trainer.start_with(weights, commands, card.sample_space)
    except (KeyError, RuntimeError, ValueError) as error:
        same = card.provenance["recipe"]["system"] == trainer.recipe.system
        lacks = same and trainer.network.state_dict().keys() - weights.keys()
        remedy = "; the folder of its training holds all that the network has" if lacks else ""
        raise ValueError(f"cannot start from {start}: {error}{remedy}") from error


def export_in_terminal(source: str, out: Path, precision: str, to: str) -> int:
    """Write a training or a model as one `.onnx` file with its card; returns the exit code.

    Parameters
    ----------
    source : str
        Folder of a training; or name or path of a localizer.
    out : Path
    precision : {"fp32", "fp16", "int8"}
    to : {"onnx", "tensorrt"}
        tensorrt: a graph of known shapes, which CUDA graphs need too.

    Raises
    ------
    InputError
        There is no such training or model, it has no such form, or the extra `train` is not installed.
    """
    path = Path(source) if Path(source).is_dir() else find(source, "MODEL")
    if out.suffix != ".onnx":
        raise InputError(f"--out {out}", limit="a file that ends in .onnx")
    if path.resolve() == out.resolve():
        raise InputError(f"--out {out} is what is read", remedy="give another file")
    module, rows = needs_torch("export.export"), needs_torch("export.static_rows").ROWS_PER_BLOCK
    try:
        card = module.export(path, out, precision, rows if to == "tensorrt" else 0)
    except ValueError as error:
        raise InputError(str(error)) from error
    if is_compared(card):
        show(out, card, path)
    else:
        Console().print(f"{out}: [bold]{card.name}[/], {card.title}", soft_wrap=True)
    return 0
