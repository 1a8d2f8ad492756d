"""Molecules are looked at as fast as they may cost, and what they tell has a name and an amount."""

from collections.abc import Callable

import numpy as np
import pytest

from models.camera import Camera
from models.guard.molecules.causes import IN_DEPTH
from models.guard.molecules.guard_file import Guard
from models.guard.molecules.measures import OTHERS, look
from models.guard.molecules.molecule_watch import MoleculeWatch
from models.guard.molecules.optics import Change
from models.guard.molecules.reference import reference
from models.guard.molecules.sequential import sum_rules
from models.guard.molecules.subject import InDepth
from models.guard.molecules.unlikeness import unlikeness
from models.localizations import Localizations

Molecules = tuple[np.ndarray, np.ndarray, Localizations]
CAUSES = ("astigmatism +1", "spherical aberration +1")


@pytest.fixture(scope="module")
def guard(draw: Callable[..., Molecules], subject: InDepth, camera: Camera) -> Guard:
    """What would take minutes with a network: single molecules with its errors are what is located here."""
    templates = subject.templates()

    def measured(count: int, change: Change, seed: int) -> tuple[np.ndarray, np.ndarray]:
        counts, frame, table = draw(count, change, seed=seed)
        seen = look(counts, frame, table, np.arange(count), subject.optics(camera), templates)
        return seen.measures, seen.conditions

    measures, conditions = measured(1500, Change(), 10)
    known = reference(templates.names + OTHERS, np.arange(1500) // 10, measures, conditions)
    shifts = np.array([
        known.deviations(*measured(200, IN_DEPTH[name].mismatch.optics, 20)).mean(0) for name in CAUSES
    ])  # fmt: skip
    usual = unlikeness(known, np.arange(1500) // 10, known.deviations(measures, conditions), conditions)
    rules = sum_rules(known, usual, shifts)
    return Guard(templates, subject.spline.window_px, 250.0, known, usual, CAUSES, shifts, rules, {})


@pytest.fixture
def watch(guard: Guard, subject: InDepth, camera: Camera) -> MoleculeWatch:
    return MoleculeWatch(guard, IN_DEPTH, subject.optics(camera), per_frame=2.0)


def show(watch: MoleculeWatch, molecules: Molecules, camera: Camera) -> None:
    counts, frame, table = molecules
    adu = np.clip(np.rint(counts * camera.gain_adu_per_e + camera.offset_adu), 0, 65535).astype(np.uint16)
    for number in frame:
        watch.pass_by(1)
        watch.take(adu[number], table.where(np.asarray(table["frame"]) == number))


def test_matched_molecules_say_nothing(watch: MoleculeWatch, draw: Callable[..., Molecules], camera: Camera) -> None:
    show(watch, draw(300, seed=30), camera)
    assert watch.molecules > 250
    assert watch.findings() == []


def test_changed_optics_are_named_with_their_amount(
    watch: MoleculeWatch, draw: Callable[..., Molecules], camera: Camera
) -> None:
    show(watch, draw(200, Change(6, 0.05), seed=31), camera)
    (finding,) = watch.findings()
    assert (finding.name, finding.word) == ("astigmatism", "outside")
    assert finding.evidence["amount"] == pytest.approx(0.05, abs=0.012)
    assert "astigmatism (Noll 6) has changed by +0.0" in finding.cause
    assert "retrieve" in finding.remedy


def test_a_small_change_is_called_drifting(
    watch: MoleculeWatch, draw: Callable[..., Molecules], camera: Camera
) -> None:
    show(watch, draw(600, Change(6, 0.035), seed=32), camera)
    (finding,) = watch.findings()
    assert (finding.name, finding.word) == ("astigmatism", "drifting")


def test_at_the_end_what_waits_is_looked_at(
    guard: Guard, subject: InDepth, camera: Camera, draw: Callable[..., Molecules]
) -> None:
    watch = MoleculeWatch(guard, IN_DEPTH, subject.optics(camera), per_frame=2.0)
    show(watch, draw(3, seed=34), camera)
    before = watch.molecules
    watch.settle()
    assert (before, watch.molecules) == (0, 3)


def test_no_more_molecules_are_looked_at_than_were_allowed(
    guard: Guard, subject: InDepth, camera: Camera, draw: Callable[..., Molecules]
) -> None:
    slow = MoleculeWatch(guard, IN_DEPTH, subject.optics(camera), per_frame=0.25)
    show(slow, draw(300, seed=33), camera)
    assert 0 < slow.molecules <= 0.25 * 300
