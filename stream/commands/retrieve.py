"""`livesmlm retrieve`: stacks of beads -> the pupil of the microscope, and the spots that everything else reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.beads.field_fit import field
from models.beads.find import Found
from models.beads.held_out import FEWEST, held_out, zernike_fit
from models.beads.spots import retrieved_spots
from models.beads.task import Answer, Task, solve
from models.beads.verdict import field_verdict, residual_share, verdict
from stream.bead_stacks import read_beads
from stream.commands.console import ERR
from stream.config import BeadsSettings, Rig
from stream.errors import InputError
from stream.sinks.storage import creating

SPOTS, PUPIL, PICTURE = "psf.npz", "pupil.json", "beads.png"


def in_terminal(
    stacks: Sequence[Path], rig: Rig, out: Path, height_nm: float | None, as_json: bool, check: bool = False
) -> int:
    """Retrieve, write, and print what was found; returns the exit code.

    `check` has slices foretold that were left out of the fit.
    """
    task, beads = read_beads(stacks, rig)
    if check and len(task.focus_nm) < FEWEST:
        raise InputError(
            f"a stack of {len(task.focus_nm)} slices", limit=f"{FEWEST} of which one can be left out",
            remedy="retrieve without --check",
        )  # fmt: skip
    with creating(out):  # only now: what cannot be read leaves no folder behind
        out.mkdir(parents=True)
    if not as_json:
        _print_beads(beads)
    answer = solve(task)
    over_field = field(task, answer)
    lines = [*verdict(answer, _known_signs(rig.beads)), *([field_verdict(over_field)] if over_field else [])]
    facts = _facts(answer, task, beads, lines)
    facts["field"] = over_field and over_field.to_dict()
    if check:
        facts["held_out"] = _held_out(answer, task)
    half = float(np.abs(task.focus_nm).max())
    size = task.stacks[0].shape[-1]
    setup = task.spot(answer.blur_nm).setup
    spots = retrieved_spots(setup, answer.found.zernike_waves, task.pixel_size_nm, size, half, height_nm)
    spots.save(out / SPOTS)
    (out / PUPIL).write_text(json.dumps(facts, indent=1) + "\n")
    _draw(answer, task, out / PICTURE)
    if as_json:
        Console().print_json(data=facts)
        return 0
    _print_pupil(facts)
    Console().print(f'\n[dim]rig.toml:[/]\n\\[refine]\nspot = "{escape(str(out / SPOTS))}"', highlight=False)
    return 0


def _known_signs(settings: BeadsSettings) -> dict[int, float]:
    return {} if settings.astigmatism_waves is None else {6: settings.astigmatism_waves}


def _facts(answer: Answer, task: Task, beads: list[list[Found]], lines: list[str]) -> dict[str, Any]:
    found, all_beads = answer.found, [bead for stack in beads for bead in stack]
    return {
        "verdict": lines,
        "chi2": found.chi2,
        "explained": found.explained,
        "residual_share": residual_share(found, list(task.stacks[: len(found.beads)])),
        "wavefront_error_waves": found.error_waves,
        "zernike_waves": {str(j): value for j, value in found.zernike_waves.items()},
        "sigma_waves": {str(j): value for j, value in found.sigma_waves.items()},
        "blur_nm": answer.blur_nm,
        "chi2_of_one_bead": answer.first.chi2,
        "chi2_of_one_bead_if_the_stage_moves_the_other_way": answer.reversed.chi2,
        "beads": [
            {
                "x_nm": bead.x_nm, "y_nm": bead.y_nm, "focus_nm": bead.focus_nm, "chi2": bead.chi2,
                "photo_electrons_over_excess": float(bead.photons.mean()), "background": float(bead.background.mean()),
            }
            for bead in found.beads
        ],
        "beads_found": len(all_beads),
        "beads_usable": len(task.stacks),
        "beads_left_out": [bead.why_not for bead in all_beads if bead.why_not],
    }  # fmt: skip


def _held_out(answer: Answer, task: Task) -> dict[str, Any]:
    told = held_out(task, zernike_fit(answer))
    return {"chi2": told.chi2, "slices": told.slices.tolist(), "chi2_of_slice": told.chi2_of_slice.tolist()}


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
    for line in facts["verdict"]:
        Console().print(line, style="green" if facts["explained"] else "yellow", highlight=False)


def _draw(answer: Answer, task: Task, path: Path) -> None:
    try:
        from models.beads.picture import draw
    except ModuleNotFoundError as error:
        ERR.print(f"[yellow]warning:[/] {error.name} is not installed: no {PICTURE}", highlight=False)
        return
    draw(answer.found, task, path)
