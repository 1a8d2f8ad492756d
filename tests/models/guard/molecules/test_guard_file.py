"""What a guard knows survives the file, and other files are refused."""

from pathlib import Path

import numpy as np
import pytest

from models.guard.molecules.guard_file import Guard
from models.guard.molecules.measures import OTHERS
from models.guard.molecules.reference import reference
from models.guard.molecules.sequential import sum_rules
from models.guard.molecules.subject import InDepth
from models.guard.molecules.unlikeness import unlikeness
from models.guard.verdict import Finding, verdict


@pytest.fixture
def guard(subject: InDepth) -> Guard:
    templates = subject.templates()
    rng, names = np.random.default_rng(1), templates.names + OTHERS
    measures, conditions = rng.normal(0, 1, (3000, len(names))), rng.uniform(0, 1, (3000, 5))
    known = reference(names, np.repeat(np.arange(100), 30), measures, conditions)
    shifts = rng.normal(0, 0.3, (2, len(names)))
    usual = unlikeness(known, np.repeat(np.arange(100), 30), known.deviations(measures, conditions), conditions)
    rules = sum_rules(known, usual, shifts)
    return Guard(templates, 15, 250.0, known, usual, ("blur", "gain low"), shifts, rules, {"seed": 1})


def test_a_guard_comes_back_as_it_was(guard: Guard, tmp_path: Path) -> None:
    guard.save(tmp_path / "m.guard.npz")
    again = Guard.load(tmp_path / "m.guard.npz")
    assert (again.window_px, again.causes, again.made) == (15, ("blur", "gain low"), {"seed": 1})
    assert again.reference.names == guard.reference.names
    np.testing.assert_array_equal(again.reference.covariance, guard.reference.covariance)
    np.testing.assert_array_equal(again.rules.threshold, guard.rules.threshold)
    np.testing.assert_array_equal(again.usual.means, guard.usual.means)
    largest = np.abs(guard.templates.coefficients).max()
    assert again.templates.coefficients == pytest.approx(guard.templates.coefficients, abs=1e-3 * float(largest))


def test_another_file_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", basis=np.zeros(3))
    with pytest.raises(ValueError, match="holds no statistics of a guard"):
        Guard.load(tmp_path / "other.npz")


def test_the_worst_word_counts_and_its_strongest_cause_is_told() -> None:
    findings = [
        Finding("a", "drifting", "a little", "wait", 9.0),
        Finding("b", "outside", "b much", "stop", 1.5),
        Finding("c", "outside", "c more", "run", 3.0),
    ]
    told = verdict(findings, 7, 100)
    assert (told.word, told.cause, told.remedy) == ("outside", "c more", "run")
    assert [one["name"] for one in told.header()["findings"]] == ["c", "b", "a"]
    assert verdict([], 7, 100).word == "inside"
