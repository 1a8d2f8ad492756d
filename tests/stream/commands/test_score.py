"""`livesmlm score` on files: offsets, what is missing, and numbers that others have published."""

import io
import json

import pytest
from rich.console import Console

from models.metrics import Rules
from stream.commands.score import score_dict, score_files, score_table
from stream.errors import InputError, TableFormatError


@pytest.fixture
def lists(tmp_path):
    (tmp_path / "truth.csv").write_text("frame,xnm,ynm\n1,1000,1000\n2,1000,1000\n")
    (tmp_path / "locs.csv").write_text("frame,xnm,ynm\n1,1054,1054\n1,5000,5000\n")
    return tmp_path / "locs.csv", tmp_path / "truth.csv"


def test_the_reference_can_have_another_origin(lists):
    result = score_files(*lists, Rules(), reference_offset_nm=(54, 54))
    assert (result.references, result.tests, result.matched, result.rmse_lateral_nm) == (2, 2, 1, 0)


def test_json_has_no_nan(lists):
    plain = score_dict(score_files(*lists, Rules()))
    assert plain["rmse_axial_nm"] is None
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain


def test_the_table_leaves_out_what_is_not_defined(lists):
    text = io.StringIO()
    Console(file=text, width=80).print(
        score_table(score_files(*lists, Rules(tolerance_nm=100)), Rules(tolerance_nm=100))
    )
    assert "100 nm" in text.getvalue()
    assert "jaccard" in text.getvalue()
    assert "rmse_axial_nm" not in text.getvalue()


def test_says_what_a_border_needs(lists):
    with pytest.raises(InputError, match="without the size of the field") as caught:
        score_files(*lists, Rules(border_nm=450))
    assert "--field-nm" in caught.value.remedy


def test_says_that_there_are_no_photons(lists):
    with pytest.raises(TableFormatError, match="no photon counts"):
        score_files(*lists, Rules(min_photons=100))


def test_says_where_a_position_is_missing(lists):
    lists[0].write_text("frame,xnm,ynm\n1,1,1\n1,nan,1\n")
    with pytest.raises(TableFormatError, match="no position in row 2"):
        score_files(*lists, Rules())


@pytest.mark.shared_data
def test_thunderstorms_published_error_of_isolated_molecules(shared_data):
    kept = shared_data / "thunderstorm-synth" / "kept"
    result = score_files(
        kept / "sparse_108nm_thunderstorm_wavelet.csv.gz",
        kept / "sparse_108nm_gt.csv.gz",
        Rules(isolated_nm=1000),
        reference_offset_nm=(54, 54),
    )
    assert result.rmse_isolated_nm == pytest.approx(14.9, abs=0.05)
    assert result.jaccard == pytest.approx(0.9105, abs=1e-4)
