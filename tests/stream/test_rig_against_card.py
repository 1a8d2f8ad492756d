"""Rig and card, field by field: what is compared, what is refused, what is accepted and kept."""

import json
from dataclasses import replace

import numpy as np
import pytest

from models.sample_space import HOT_TIMES
from stream import zoo
from stream.cli import app
from stream.commands.check import check
from stream.config import validate
from stream.engines import open_engine
from stream.errors import SampleSpaceError
from stream.pipeline import Pipeline
from stream.rig_against_card import compare
from stream.suitability import outside, refuse_outside
from tests.stream.test_alarms_in_a_run import Listener

SMALL = {"kind": "simulated", "width_px": 32, "height_px": 32, "frames_per_s": "max", "frames": 40}
IN_DEPTH = {"pixel_size_nm": 100.0}


def rig_of(camera=IN_DEPTH, **sections):
    model = {"name": "astigmatic-fast"} | sections.pop("model", {})
    return validate({"camera": {"pixel_size_nm": 100.0} | camera, "model": model} | sections, "a test")


def compared(rig, card=None):
    card = card or zoo.shipped()[rig.model.name]
    return {one.field: one for one in compare(rig, card)}


def test_every_range_of_the_card_is_named_and_nothing_unknown_is_judged():
    for name in ("2d-fast", "astigmatic-fast", "localizer-2d"):
        card = zoo.shipped()[name]
        fields = compared(rig_of(model={"name": name}))
        ranges = {field for field, value in card.sample_space.fields.items() if not isinstance(value, float | int)}
        assert ranges <= set(fields)
        for one in fields.values():
            assert (one.inside is None) == bool(one.why), one
            assert one.inside is not False, one
    assert fields["psf_sigma_px"].why == "[optics] psf_sigma_nm is not given"


@pytest.mark.parametrize(
    ("sections", "field"),
    [
        ({"camera": {"pixel_size_nm": 107.0}}, "pixel_size_nm"),
        ({"camera": {"read_noise_e": 4.5}}, "read_noise_e"),
        ({"camera": {"em_gain": 20.0, "read_noise_e": 40.0}}, "read_noise_e"),
        ({"optics": {"numerical_aperture": 1.2}}, "numerical_aperture"),
        ({"optics": {"wavelength_nm": 580.0}}, "wavelength_nm"),
        ({"optics": {"sample_index": 1.33}}, "sample_index"),
        ({"source": SMALL | {"mask": "double-helix"}}, "mask"),
        ({"phase": {"mode": "molecules", "mask": "tetrapod-3"}}, "mask"),
        ({"model": {"name": "2d-fast"}, "source": SMALL | {"mask": "astigmatism"}}, "mask"),
        ({"model": {"name": "2d-fast"}, "optics": {"psf_sigma_nm": 300.0}}, "psf_sigma_px"),
    ],
)
def test_what_is_outside_is_refused_with_value_and_limit_unless_it_is_accepted(sections, field):
    rig = rig_of(**sections)
    card = zoo.shipped()[rig.model.name]
    assert [one.field for one in compare(rig, card) if one.inside is False and one.decides] == [field]
    with pytest.raises(SampleSpaceError, match=f"{field} = .* is (outside|not) ") as raised:
        refuse_outside(rig, card)
    assert "accept_outside" in raised.value.remedy
    accepting = rig.model_copy(update={"model": rig.model.model_copy(update={"accept_outside": True})})
    refuse_outside(accepting, card)
    assert any(f"{field} = " in line for line in outside(compare(accepting, card), card) if "accepted" in line)


@pytest.mark.parametrize(
    "sections",
    [
        {"camera": {"em_gain": 100.0, "read_noise_e": 40.0}},
        {"optics": {"numerical_aperture": 1.42, "wavelength_nm": 670.0, "immersion_index": 1.515}},
        {"phase": {"mode": "molecules", "mask": "astigmatism"}},
        {"phase": {"mode": "molecules", "pupil": "pupil.json"}},
    ],
)
def test_what_is_inside_is_not_refused(sections):
    rig = rig_of(**sections)
    refuse_outside(rig, zoo.shipped()[rig.model.name])


@pytest.mark.parametrize(
    ("share", "em_gain", "inside"),
    [(0.0, 1, True), (0.0, 100, False), (1.0, 1, False), (1.0, 100, True), (0.5, 100, True)],
)
def test_a_register_that_the_training_never_had(share, em_gain, inside):
    card = zoo.shipped()["astigmatic-fast"]
    card = replace(card, sample_space=card.sample_space.changed(em_share=share))
    assert compared(rig_of(camera={"em_gain": em_gain}), card)["em_register"].inside is inside


def test_of_maps_the_median_and_the_noisiest_pixels_count(tmp_path):
    noise = np.full((32, 32), 1.5, np.float32)
    noise.flat[:20] = HOT_TIMES * 4 + 1  # 2 % of the pixels
    np.savez(tmp_path / "maps.npz", read_noise_e=noise)
    fields = compared(rig_of(camera={"maps": str(tmp_path / "maps.npz")}))
    assert (fields["read_noise_e"].rig, fields["read_noise_e"].inside) == (1.5, True)
    noisiest = fields["read_noise_e, 99 % of pixels"]
    assert (noisiest.model, noisiest.inside) == ((0, 4 * HOT_TIMES), False)


def test_what_is_simulated_beyond_the_training_is_a_warning():
    rig = rig_of(source=SMALL | {"mask": "astigmatism", "depth_nm": 2000.0, "photons": 50_000.0})
    card = zoo.shipped()[rig.model.name]
    refuse_outside(rig, card)
    (line,) = outside(compare(rig, card), card)
    assert "z_nm = 1000 is outside -600 to 600" in line
    assert "photons = 50000 is outside" in line


def test_check_says_it_in_words_and_as_json_and_refuses(tmp_path, capsys):
    path = tmp_path / "rig.toml"
    path.write_text('[camera]\npixel_size_nm = 107\n[model]\nname = "astigmatic-fast"\n[source]\nkind = "simulated"\n')
    with pytest.raises(SampleSpaceError):
        app(["check", str(path)], standalone_mode=False)
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split()[:5] == ["pixel_size_nm", "107", "98", "to", "102"] and "no" in line for line in lines)
    assert any(line.startswith("not compared: numerical_aperture: ") for line in lines)
    rig = rig_of(source=SMALL | {"mask": "astigmatism", "frames_per_s": 200.0})
    told = json.loads(json.dumps(check(rig)["compared"]))
    pixel = next(one for one in told if one["field"] == "pixel_size_nm")
    assert pixel == {
        "field": "pixel_size_nm", "rig": 100.0, "model": [98, 102], "inside": True, "why": "", "decides": True,
    }  # fmt: skip


def test_a_run_that_is_accepted_outside_keeps_which_fields_and_warns(tmp_path):
    rig = rig_of(
        camera={"pixel_size_nm": 107.0, "gain_e_per_adu": 0.5}, model={"accept_outside": True},
        source=SMALL | {"mask": "astigmatism"}, publish={"address": "tcp://127.0.0.1:*"}, engine={"threads": 1},
    )  # fmt: skip
    listener = Listener()
    Pipeline(rig, tmp_path / "out", listener).run(open_engine(zoo.find(rig.model.name), rig.engine))
    document = json.loads((tmp_path / "out" / "run.json").read_text())
    beyond = [one for one in document["sample_space"] if one["inside"] is False and one["decides"]]
    assert [(one["field"], one["rig"], one["model"]) for one in beyond] == [("pixel_size_nm", 107.0, [98.0, 102.0])]
    assert any(text.startswith("accepted, the rig lies outside") for text in document["warnings"])
    assert any("pixel_size_nm = 107 is outside 98 to 102" in text for text in listener.warnings)
