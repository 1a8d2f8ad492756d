"""What may be wrong: causes that are none for a model are not learned."""

import numpy as np
import pytest

from models.guard.molecules.causes import IN_DEPTH, IN_FOCUS
from models.guard.molecules.optics import Change, KnownOptics
from models.guard.molecules.subject import InDepth
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.scenes.optics import MASKS

Z_NM = (-350.0, 350.0)


def test_another_mask_is_a_cause_and_the_own_one_is_none(subject: InDepth) -> None:
    assert {"double helix", "no mask"} <= set(subject.causes)
    helix = KnownOptics(Setup(Objective(sample_index=1.33), {}, MASKS["double-helix"], height_nm=400.0), 100.0, Z_NM)
    causes = InDepth(helix, helix.quick(Change(), 25), 300.0).causes
    assert "double helix" not in causes
    assert "no mask" in causes


def test_a_mask_takes_the_place_of_a_lens_that_beads_have_shown() -> None:
    """A pupil from beads shows a cylindrical lens as astigmatism, and keeps its other aberrations."""
    waves = {6: 0.1, 8: 0.03}
    lens = KnownOptics(Setup(Objective(sample_index=1.33), waves, None, height_nm=400.0), 100.0, Z_NM)
    rest = KnownOptics(Setup(Objective(sample_index=1.33), {8: 0.03}, None, height_nm=400.0), 100.0, Z_NM)
    place = np.array([[0.0, 0.0, 200.0]])
    without = np.asarray(lens.exact(Change(mask="none"), 15)(place))
    assert without == pytest.approx(np.asarray(rest.exact(Change(), 15)(place)), abs=1e-7)
    assert lens.differs(Change(mask="none"), 15)


def test_every_cause_is_told_in_words_with_its_amount_and_a_remedy() -> None:
    for cause in IN_DEPTH.values():
        told = cause.words.format(amount=cause.told(1.0))
        assert "{" not in told
        assert cause.remedy


def test_no_more_than_all_light_is_told_to_be_in_a_halo() -> None:
    assert IN_FOCUS["halo"].told(0.5) == pytest.approx(0.25)
    assert IN_FOCUS["halo"].told(6.0) == 1.0
    assert IN_FOCUS["tail up"].told(9.0) == 1.0
    assert IN_FOCUS["gain low"].told(9.0) > -1
    assert IN_FOCUS["gain high"].told(9.0) == pytest.approx(2.25)
