"""`livesmlm retrieve`: stacks of beads -> the pupil of the microscope, and the spots that everything else reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from threadpoolctl import threadpool_limits

from models.beads.field_fit import field
from models.beads.find import Found
from models.beads.finer import finer, phase_and_amplitude
from models.beads.held_out import FEWEST, held_out, zernike_fit
from models.beads.spots import retrieved_spots
from models.beads.task import Task, solve
from models.refining.spline import LEAST_SPOT_PX
from stream.bead_stacks import read_beads
from stream.commands.console import ERR
from stream.config import BeadsSettings, Rig
from stream.errors import InputError
from stream.pupil_facts import PupilFound, pupil_facts
from stream.sinks.storage import creating

SPOTS, PUPIL, CELLS, PICTURE = "psf.npz", "pupil.json", "pupil.npz", "beads.png"


def in_terminal(
    stacks: Sequence[Path], rig: Rig, out: Path, height_nm: float | None, as_json: bool, check: bool = False
) -> int:
    """Retrieve, write, and print what was found; returns the exit code.

    `check` has slices foretold that were left out of the fit.
    """
    task, beads = read_beads(stacks, rig)
    if (check or rig.beads.pixelwise) and len(task.focus_nm) < FEWEST:
        raise InputError(
            f"a stack of {len(task.focus_nm)} slices", limit=f"{FEWEST} of which one can be left out",
            remedy="retrieve without --check and without [beads] pixelwise",
        )  # fmt: skip
    with creating(out):  # only now: what cannot be read leaves no folder behind
        out.mkdir(parents=True)
    facts = retrieve_into(out, task, beads, rig.beads, height_nm, as_json, check)
    if as_json:
        Console().print_json(data=facts)
        return 0
    Console().print(f'\n[dim]rig.toml:[/]\n\\[refine]\nspot = "{escape(str(out / SPOTS))}"', highlight=False)
    return 0


def retrieve_into(
    out: Path, task: Task, beads: list[list[Found]], settings: BeadsSettings, height_nm: float | None = None,
    silent: bool = False, check: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Retrieve the pupil, write spots, coefficients and picture into a folder, print what was found; return it.

    Parameters
    ----------
    out : Path
    task : Task
    beads : list of list of Found
        As `read_beads` returns them.
    settings : BeadsSettings
    height_nm : float or None
        Of the molecules that the spots are for; None: z is the stage's.
    silent, check : bool
        Print nothing; have slices foretold that were left out of the fit.
    """
    if not silent:
        _print_beads(beads)
    with threadpool_limits(1):  # matrices are small: several threads wait for each other on a busy machine
        found = _found(task, settings.pixelwise, check)
        facts = pupil_facts(found, beads, settings)
        _write(found, facts, out, height_nm)
    if not silent:
        _print_pupil(facts)
    return facts


def _found(task: Task, pixelwise: bool, check: bool) -> PupilFound:
    answer = solve(task)
    cells = finer(task, answer) if pixelwise else None
    told = None if not check else cells.before if cells else held_out(task, zernike_fit(answer))
    return PupilFound(task, answer, field(task, answer), cells, told)


def _write(found: PupilFound, facts: dict[str, Any], out: Path, height_nm: float | None) -> None:
    task, answer, cells = found.task, found.answer, found.cells
    setup = replace(task.spot(answer.blur_nm).setup, mask=cells.pupil if cells else None)
    half = float(np.abs(task.focus_nm).max())
    size = max(task.stacks[0].shape[-1], LEAST_SPOT_PX)  # the pupil tells spots beyond the beads' window too
    spots = retrieved_spots(setup, answer.found.zernike_waves, task.pixel_size_nm, size, half, height_nm)
    spots.save(out / SPOTS)
    (out / PUPIL).write_text(json.dumps(facts, indent=1) + "\n")
    if cells:
        phase, amplitude = phase_and_amplitude(task, answer, cells)
        np.savez_compressed(out / CELLS, phase_rad=phase, amplitude=amplitude)
    _draw(found, out / PICTURE)


def _print_beads(beads: list[list[Found]]) -> None:
    for number, stack in enumerate(beads):
        used = sum(not bead.why_not for bead in stack)
        Console().print(f"stack {number + 1}: {len(stack)} beads, {used} used", highlight=False)
        for bead in stack:
            if bead.why_not:
                Console().print(
                    f"  [dim]({bead.column}, {bead.row}) left out: {escape(bead.why_not)}[/]", highlight=False
                )


def _print_pupil(facts: dict[str, Any]) -> None:
    table = Table.grid(padding=(0, 2))
    waves, sigma = facts["zernike_waves"], facts["sigma_waves"]
    for j in sorted(waves, key=lambda j: -abs(waves[j]))[:10]:
        table.add_row(f"[dim]Noll {j}[/]", f"{waves[j]:+.4f}", f"[dim]± {sigma[j]:.4f} waves[/]")
    Console().print(table)
    if len(facts["beads"]) < facts["beads_usable"]:
        Console().print(f"the {len(facts['beads'])} brightest of {facts['beads_usable']} beads were fitted")
    Console().print(f"blur {facts['blur_nm']:.0f} nm; residual {100 * facts['residual_share']:.1f} % of the light")
    if "held_out" in facts:
        told = facts["held_out"]
        Console().print(
            f"{len(told['slices'])} slices left out in turn are foretold with chi-square {told['chi2']:.2f}"
        )
    if "pixelwise" in facts:
        cells = facts["pixelwise"]
        Console().print(
            f"cell by cell: chi-square {cells['chi2']:.2f} instead of {cells['chi2_before']:.2f}, "
            f"residual {100 * cells['residual_share']:.1f} % of the light"
        )
    for line in facts["verdict"]:
        Console().print(escape(line), style="green" if facts["explained"] else "yellow", highlight=False)


def _draw(found: PupilFound, path: Path) -> None:
    try:
        from models.beads.picture import draw
    except ModuleNotFoundError as error:
        ERR.print(f"[yellow]warning:[/] {error.name} is not installed: no {PICTURE}", highlight=False)
        return
    draw(found.answer.found, found.task, path, found.cells)
