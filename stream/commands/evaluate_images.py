"""`livesmlm evaluate` of models that draw images: beside localize-and-render, and beside the sum of all frames."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from models.camera import Camera
from models.evaluation.conditions import Conditions, in_focus
from models.images.scoring import DENSITIES_PER_UM2, Draw, Float32, by_density, sum_image
from models.images.space import UPSAMPLING
from stream import zoo
from stream.commands.console import ERR
from stream.commands.evaluate import contestant
from stream.commands.evaluation_file import keep
from stream.config import EngineSettings, ModelSettings
from stream.engine import Engine
from stream.engines import open_engine
from stream.errors import ModelError
from stream.images.blocks import Blocks
from stream.images.model import draws_images
from stream.picture.render import Renderer, RenderSettings
from stream.stages.localize import maps_of

RIVAL = ModelSettings().name
"""The localizer that is run unless a rig says otherwise."""
SUM = "sum of all frames"
TITLES = {
    "nmse": "Normalised mean square error, by emitters per µm² of the field",
    "nmse_coarse": "The same under a Gaussian of three super-resolved pixels",
    "counted": "Sum of the image over the molecules that shone",
}
Results = dict[str, dict[str, dict[str, float]]]
"""Name of a contestant -> density -> figures."""


def drawn(engine: Engine) -> Draw:
    """Return a model that draws images, as it would run beside a microscope."""

    def draw(stack: NDArray[np.uint16], camera: Camera) -> Float32:
        return Blocks(engine.run, engine.card, maps_of(camera, stack.shape[1:])).whole(stack)

    return draw


def located(engine: Engine, conditions: Conditions) -> Draw:
    """Return a localizer whose localizations are drawn as in a run, in pixels of the same size."""
    locate, pixel_nm = contestant(engine, conditions, refine=False), conditions.spot.pixel_size_nm
    settings = RenderSettings(pixel_nm=pixel_nm / UPSAMPLING, colours=())

    def draw(stack: NDArray[np.uint16], camera: Camera) -> Float32:
        height, width = stack.shape[1:]
        renderer = Renderer(width * pixel_nm, height * pixel_nm, settings)
        renderer.add(locate(stack, camera))
        return renderer.image()

    return draw


def evaluate(models: list[str], frames: int, densities: tuple[float, ...] = DENSITIES_PER_UM2) -> Results:
    """Return the figures of each model, of the usual localizer and of the sum; in focus.

    Raises
    ------
    ModelError
        A model that draws no images.
    """
    with ExitStack() as stack:
        opened = {name: stack.enter_context(closing(open_engine(zoo.find(name), EngineSettings()))) for name in models}
        for name, engine in opened.items():
            if not draws_images(engine.card):
                raise ModelError(f"{name} draws no images", remedy="evaluate localizers by themselves")
        rival, conditions = stack.enter_context(closing(open_engine(zoo.find(RIVAL), EngineSettings()))), in_focus()
        contestants = {engine.card.name: drawn(engine) for engine in opened.values()}
        contestants |= {f"{RIVAL}, rendered": located(rival, conditions), SUM: sum_image(conditions)}
        return by_density(contestants, conditions, frames, densities)


def images_in_terminal(models: list[str], frames: int, out: Path | None, as_json: bool) -> int:
    """Print what was found, and write it as JSON; returns the exit code."""
    results = evaluate(models, frames)
    text = keep(results, out)
    if as_json:
        Console().print_json(text)
        return 0
    for figure, title in TITLES.items():
        Console().print(_table(results, figure, title))
        Console().print()
    ERR.print(f"[dim]filaments of 64 x 64 pixels, {frames} frames for each density; 0 is perfect, 1 nothing[/]")
    return 0


def _table(results: Results, figure: str, title: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    table.add_column("")
    for density in next(iter(results.values())):
        table.add_column(density, justify="right")
    for name, rows in results.items():
        shown = [f"{row[figure]:.3f}" for row in rows.values()] if not (name == SUM and figure == "counted") else []
        table.add_row(name, *(shown or ["-"] * len(rows)))
    return table
