"""`livesmlm guard`: what cannot be taught is refused, with the reason."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Call = Callable[..., CompletedProcess[str]]


def test_optics_that_do_not_give_the_models_spots_are_refused(livesmlm: Call, rig: Callable[..., Path]) -> None:
    other = rig("[optics]\nnumerical_aperture = 1.2\nimmersion_index = 1.33\nsample_index = 1.33\n")
    ran = livesmlm("guard", "astigmatic-fast", "--rig", other)
    assert ran.returncode == 2
    assert "differ by" in ran.stderr
    assert "5% at most" in ran.stderr
    assert "--rig RIG.toml" in ran.stderr


@pytest.mark.parametrize(("model", "reason"), [("2d-bgnet", "only localizers"), ("nothing", "no such model or file")])
def test_what_is_no_localizer_is_refused(livesmlm: Call, model: str, reason: str) -> None:
    ran = livesmlm("guard", model)
    assert ran.returncode == 2
    assert reason in ran.stderr
