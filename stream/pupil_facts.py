"""What a retrieval found, as the plain facts of pupil.json."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models.beads.field import Field
from models.beads.find import Found
from models.beads.finer import Finer
from models.beads.held_out import HeldOut
from models.beads.task import Answer, Task
from models.beads.verdict import (
    MOLECULE_COUNTS,
    chi2_of_molecule,
    contradictions,
    field_verdict,
    finer_verdict,
    residual_share,
    verdict,
)
from models.fitting.pixelwise import Pixelwise
from models.fitting.retrieved import RetrievedBead
from stream.config import BeadsSettings


@dataclass(frozen=True, slots=True)
class PupilFound:
    """All that was found.

    Parameters
    ----------
    task : Task
    answer : Answer
    field : Field or None
        None with too few beads.
    finer : Finer or None
        None where cells were not asked for.
    held_out : HeldOut or None
        None where that was not asked for.
    """

    task: Task
    answer: Answer
    field: Field | None
    finer: Finer | None
    held_out: HeldOut | None

    @property
    def cells(self) -> Pixelwise | None:
        """The cells of the pupil if they are used."""
        return self.finer.pixelwise if self.finer and self.finer.better else None


def pupil_facts(found: PupilFound, beads: list[list[Found]], settings: BeadsSettings) -> dict[str, Any]:
    """Return plain scalars, lists and mappings."""
    answer, fitted = found.answer, found.answer.found
    facts: dict[str, Any] = {
        "verdict": _lines(found, settings),
        "chi2": fitted.chi2,
        "explained": fitted.explained,
        "contradictions": contradictions(answer, _known(settings)),
        "chi2_of_a_molecule": chi2_of_molecule(fitted, MOLECULE_COUNTS),
        "residual_share": _residual_share(found, fitted.beads),
        "wavefront_error_waves": fitted.error_waves,
        "zernike_waves": {str(j): value for j, value in fitted.zernike_waves.items()},
        "sigma_waves": {str(j): value for j, value in fitted.sigma_waves.items()},
        "blur_nm": answer.blur_nm,
        "chi2_of_one_bead": answer.first.chi2,
        "chi2_of_one_bead_if_the_stage_moves_the_other_way": answer.reversed.chi2,
        "field": found.field and found.field.to_dict(),
        **_beads(found, [bead for stack in beads for bead in stack]),
    }
    if found.finer:
        facts["pixelwise"] = _pixelwise(found, found.finer)
    if found.held_out:
        facts["held_out"] = _held_out(found.held_out)
    return facts


def _lines(found: PupilFound, settings: BeadsSettings) -> list[str]:
    lines = verdict(found.answer, _known(settings))
    if found.finer:
        lines.append(finer_verdict(found.finer))
    if found.field:
        lines.append(field_verdict(found.field))
    return lines


def _known(settings: BeadsSettings) -> dict[int, float]:
    """Return coefficients whose sign the rig states, by Noll index."""
    return {} if settings.astigmatism_waves is None else {6: settings.astigmatism_waves}


def _beads(found: PupilFound, all_beads: list[Found]) -> dict[str, Any]:
    return {
        "beads": [
            {
                "x_nm": bead.x_nm, "y_nm": bead.y_nm, "focus_nm": bead.focus_nm, "chi2": bead.chi2,
                "photo_electrons_over_excess": float(bead.photons.mean()), "background": float(bead.background.mean()),
            }
            for bead in found.answer.found.beads
        ],
        "beads_found": len(all_beads),
        "beads_usable": len(found.task.stacks),
        "beads_left_out": [bead.why_not for bead in all_beads if bead.why_not],
    }  # fmt: skip


def _pixelwise(found: PupilFound, finer: Finer) -> dict[str, Any]:
    cells = finer.pixelwise
    return {
        "used": finer.better,
        "chi2_before": found.answer.found.chi2,
        "chi2": cells.chi2,
        "residual_share_before": _residual_share(found, found.answer.found.beads),
        "residual_share": _residual_share(found, cells.beads),
        "held_out_before": _held_out(finer.before),
        "held_out": _held_out(finer.after),
        "converged": cells.converged,
    }


def _held_out(told: HeldOut) -> dict[str, Any]:
    return {"chi2": told.chi2, "slices": told.slices.tolist(), "chi2_of_slice": told.chi2_of_slice.tolist()}


def _residual_share(found: PupilFound, beads: tuple[RetrievedBead, ...]) -> float:
    return residual_share(beads, found.task.stacks[: len(beads)])
