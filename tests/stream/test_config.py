"""rig.toml: only the pixel size is required, what is assumed is said, and every wrong field is named at once."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.commands.fields import all_fields
from stream.config import CameraSettings, Rig, read, validate, with_source
from stream.errors import RigError
from stream.sources import SOURCES
from stream.sources.left_frames import LeftFramesSettings

LEAST = {"camera": {"pixel_size_nm": 100}}


def written(folder: Path, text: str) -> Path:
    path = folder / "rig.toml"
    path.write_text(text)
    return path


def test_only_the_pixel_size_is_required() -> None:
    assert validate(LEAST, "rig").camera.pixel_size_nm == 100
    with pytest.raises(RigError, match=r"\[camera\] pixel_size_nm: is required"):
        validate({"camera": {}}, "rig")


def test_each_default_of_the_camera_is_said_and_nothing_that_was_given() -> None:
    rig = validate({"camera": {"pixel_size_nm": 100, "em_gain": 30}}, "rig")
    said = "\n".join(rig.assumed())
    for name in CameraSettings.model_fields:
        assert (f"{name} is not given" in said) == (name not in ("pixel_size_nm", "em_gain", "maps"))


def test_all_wrong_fields_of_all_sections_in_one_message() -> None:
    plain = {
        "camera": {"pixel_size_nm": 4, "ofset_adu": 1},
        "policy": {"overload": "drop"},
        "source": {"kind": "replay", "rate": -1},
    }
    with pytest.raises(RigError) as error:
        validate(plain, "my rig")
    assert error.value.what.startswith("my rig: 5 wrong fields")
    for part in ("pixel_size_nm = 4", "greater than 10", "ofset_adu: is not a field", "overload = 'drop'", "'live'",
                 "[source] path: is required", "[source] rate = -1: ", "; or: "):  # fmt: skip
        assert part in error.value.what
    assert error.value.remedy


@pytest.mark.parametrize(
    ("plain", "what"),
    [
        ({"source": {"kind": "simulated", "colour": "red"}}, "[source] colour = 'red': should be a list in square"),
        ({"source": {"kind": "simulated", "colour": ["red"]}}, "[source] colour = 'red': should be a section"),
        ({"publish": "x"}, "[publish] = 'x': should be a section"),
    ],
)
def test_what_is_no_list_or_section_is_told_in_words_of_toml(plain: dict[str, object], what: str) -> None:
    with pytest.raises(RigError) as error:
        validate(LEAST | plain, "my rig")
    assert what in error.value.what


def test_an_unknown_source_lists_the_known() -> None:
    with pytest.raises(RigError, match="'camra': one of " + ", ".join(SOURCES)):
        validate(LEAST | {"source": {"kind": "camra"}}, "rig")
    with pytest.raises(RigError, match="is not a field"):
        with_source(validate(LEAST, "rig"), "simulated", {"frames": 3, "paint": "red"})


def test_an_unknown_section_is_not_passed_over() -> None:
    with pytest.raises(RigError, match=r"\[polcy\]: is not a field"):
        validate(LEAST | {"polcy": {"overload": "live"}}, "rig")


def test_paths_start_at_the_rig(tmp_path: Path) -> None:
    rig = read(written(tmp_path, '[camera]\npixel_size_nm=100\nmaps="m.npz"\n[source]\nkind="replay"\npath="s.tif"\n'))
    assert rig.camera.maps == tmp_path / "m.npz"
    assert rig.source.path == tmp_path / "s.tif"


@pytest.mark.parametrize("content", [b"[camera\n", b"\xff\xfe\x00"])
def test_what_is_not_toml(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rig.toml"
    path.write_bytes(content)
    with pytest.raises(RigError, match=r"rig\.toml is not TOML"):
        read(path)


def test_the_demo_and_the_examples_of_the_readme_are_rigs(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    blocks = [part.split("```")[0] for part in (root / "README.md").read_text().split("```toml\n")[1:]]
    sources = [block for block in blocks if block.startswith("[source]")]
    rigs = [block for block in blocks if block.startswith("[camera]")]
    assert len(rigs) == 1
    shown = {type(read(written(tmp_path, rigs[0] + source)).source) for source in sources}
    assert shown == {kind.settings for kind in SOURCES.values()} - {LeftFramesSettings}  # `replay` opens that one
    for shipped in ("demo.toml", "micromanager.toml"):
        assert read(root / "stream" / shipped).assumed() == []


@given(st.floats(10.001, 999.9), st.sampled_from(["lossless", "live"]))
def test_a_rig_survives_being_written_down(pixel_size_nm: float, overload: str) -> None:
    rig = validate({"camera": {"pixel_size_nm": pixel_size_nm}, "policy": {"overload": overload}}, "rig")
    assert Rig(**rig.to_dict()) == rig


def test_the_list_of_fields_is_a_rig_but_for_what_is_required() -> None:
    plain = tomllib.loads(all_fields())
    rig = validate(plain | {"camera": plain["camera"] | {"pixel_size_nm": 100}}, "fields")
    assert rig == Rig(camera=CameraSettings(pixel_size_nm=100)).model_copy(update={"source": None})
    assert set(plain) == set(Rig.model_fields) - {"source"}
    assert '# kind = "zmq_in"' in all_fields()
    assert "quantum_efficiency = 1" in all_fields()


FITS = LEAST | {"refine": {"mode": "all"}}


@pytest.mark.parametrize(
    ("rig", "background", "says"),
    [
        (LEAST, {"mode": "constant"}, r"\[background\].*set \[refine\] mode to isolated or all"),
        (FITS, {"mode": "bgnet"}, "bgnet needs a model"),
        (FITS, {"mode": "constant", "model": "x.onnx"}, "the other modes have none"),
        (FITS, {"mode": "median"}, r"\[background\] mode = 'median'"),
        (FITS, {"mode": "localizer", "time_constant_frames": 1}, "time_constant_frames = 1"),
    ],
)
def test_a_background_that_cannot_be_is_named(rig: dict, background: dict, says: str) -> None:
    with pytest.raises(RigError, match=says):
        validate(rig | {"background": background}, "rig")


def test_the_background_is_left_to_the_fits_unless_told_otherwise() -> None:
    assert validate(FITS, "rig").background.mode == "none"
    assert validate(FITS | {"background": {"mode": "localizer"}}, "rig").background.time_constant_frames == 400


LOOP = {"mode": "dry-run", "device": "laser", "property": "power", "molecules": 10, "maximum": 50}


@pytest.mark.parametrize(
    ("sections", "says"),
    [
        ({"activation": {"mode": "on", "device": "laser"}}, "needs property, molecules, maximum too"),
        ({"activation": LOOP | {"minimum": 50}}, "minimum = 50 must be below maximum = 50"),
        ({"activation": LOOP | {"start": 51}}, "start = 51 must be from minimum to maximum"),
        ({"activation": LOOP | {"minimum": 2, "after": 1}}, "after = 1 must be from minimum to maximum"),
        ({"activation": LOOP | {"maximum": float("inf")}}, "maximum"),
        ({"activation": LOOP, "stop": {"at_maximum_frames": 9}}, r"\[stop\].*set \[activation\] mode to on"),
        ({"stop": {"localizations": 0}}, "localizations = 0"),
        ({"stop": {"resolution_nm": 30}}, r"\[stop\].*resolution_nm = 30.*set \[resolution\] mode to on"),
        ({"stop": {"resolution_nm": 8}, "resolution": {"mode": "on"}}, "resolution_nm = 8 is no more than two of"),
        ({"resolution": {"mode": "on", "every_s": 0}}, "every_s = 0"),
    ],
)
def test_an_activation_that_cannot_be_is_named(sections: dict, says: str) -> None:
    with pytest.raises(RigError, match=says):
        validate(LEAST | sections, "rig")


def test_nothing_is_done_to_the_microscope_unless_told() -> None:
    rig = validate(LEAST, "rig")
    assert rig.activation.mode == "off"
    assert set(rig.stop.model_dump().values()) == {None}
