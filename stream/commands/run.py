"""The commands that run: from the terminal to the pipeline and back to an exit code."""

from __future__ import annotations

from pathlib import Path

from stream import zoo
from stream.commands.console import Terminal, show_outcome
from stream.config import Rig
from stream.engines import open_engine
from stream.page.address import PageAddress
from stream.pipeline import Pipeline


def in_terminal(rig: Rig, folder: Path, frames: int | None, page: PageAddress | None) -> int:
    """Run, showing what goes on; returns the exit code."""
    engine = open_engine(zoo.find(rig.model.name), rig.engine)
    with Terminal() as terminal:
        terminal.say(f"model [bold]{engine.card.name}[/] on {engine.device}; results in [bold]{folder}[/]")
        outcome = Pipeline(rig, folder, terminal, frames, page).run(engine)
    show_outcome(outcome.state, outcome.health, str(folder))
    return outcome.exit_code
