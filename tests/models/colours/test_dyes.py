"""Dyes stand in a sample space as plain numbers, and come out of it and of its file as they went in."""

from pathlib import Path

import pytest

from models.colours.dyes import CF568_AND_AF647, Dye, dyes_of, names_of, with_dyes
from models.colours.space import COLOURS
from models.sample_space import LOCALIZER_3D, SampleSpace
from models.sample_space_file import read_space

FILE = """
[space]
z_nm = [-300, 300]
[[colour]]
wavelength_nm = 680
focus_nm = 60
noll_11_waves = 0.04
[[colour]]
wavelength_nm = 560
width_nm = 12
[[colour]]
wavelength_nm = 620
"""


def test_a_card_gives_the_dyes_back() -> None:
    assert dyes_of(SampleSpace.from_dict(COLOURS.to_dict())) == CF568_AND_AF647
    assert names_of(COLOURS) == ("600 nm", "680 nm")
    assert dyes_of(LOCALIZER_3D) == ()


def test_a_file_states_dyes_in_any_order(tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text(FILE)
    space, _ = read_space(tmp_path / "space.toml", COLOURS)
    assert space["z_nm"].high == 300
    assert dyes_of(space) == (Dye(560, 12), Dye(620), Dye(680, focus_nm=60, zernike_waves={11: 0.04}))
    with pytest.raises(ValueError, match="colour is not known"):
        read_space(tmp_path / "space.toml", LOCALIZER_3D)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[colour]]\nwavelength_nm = 600", "1 colours: from 2 to 5"),
        ("[[colour]]\nwavelength_nm = 600\n[[colour]]\nwavelength_nm = 600", "two colours are the same"),
        ("[[colour]]\nwavelength_nm = 60\n[[colour]]\nwavelength_nm = 600", "must be from 300 to 1100"),
        ("[[colour]]\nfocus_nm = 60\n[[colour]]\nwavelength_nm = 600", "wavelength_nm"),
        ("[[colour]]\nwavelength_nm = 500\nwide = 2\n[[colour]]\nwavelength_nm = 600", "wide"),
    ],
)
def test_what_cannot_be_told_apart_or_is_no_dye_is_refused(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text(text)
    with pytest.raises(ValueError, match=says):
        read_space(tmp_path / "space.toml", COLOURS)


def test_other_dyes_take_the_place_of_those_before() -> None:
    space = with_dyes(COLOURS, [Dye(700), Dye(500)])
    assert [dye.wavelength_nm for dye in dyes_of(space)] == [500, 700]
    assert "colour_0_noll_11_waves" not in space.fields
