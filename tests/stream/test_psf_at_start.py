"""The PSF before the first frame: of the pupil that is watched, else of the spots beside the model."""

import pytest

from models.optics.low_rank import LowRankSpot
from stream import zoo
from stream.config import Rig, validate
from stream.psf_at_start import psf_at_start

Z_NM = (-500.0, 0.0, 500.0)


def rig_of(model: str, **more: object) -> Rig:
    camera = {"pixel_size_nm": 100, "offset_adu": 100, "gain_e_per_adu": 0.5}
    return validate({"camera": camera, "source": {"kind": "simulated"}, "model": {"name": model}, **more}, "test")


def test_a_model_in_depth_has_the_spots_that_it_was_trained_with():
    psf = psf_at_start(rig_of("astigmatic-fast"), zoo.shipped()["astigmatic-fast"])
    spot = LowRankSpot.load(zoo.spot_of("astigmatic-fast"))
    assert psf is not None
    assert (psf.z_nm, psf.pixel_nm, psf.images.shape) == (Z_NM, 100.0, (3, spot.size_px, spot.size_px))
    assert 0.9 < psf.images[1].sum() < 1


def test_a_pupil_that_is_watched_is_shown_instead():
    watched = rig_of("astigmatic-fast", phase={"mode": "molecules", "mask": "astigmatism"})
    psf = psf_at_start(watched, zoo.shipped()["astigmatic-fast"])
    assert psf is not None
    assert (psf.z_nm, psf.pixel_nm) == (Z_NM, 40.0)


@pytest.mark.parametrize("model", ["2d-fast", "2d-accurate"])
def test_in_focus_there_is_none(model):
    assert psf_at_start(rig_of(model), zoo.shipped()[model]) is None
