"""Result tables of all programs that can be read, and what is said about the others."""

import gzip

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import TableFormatError
from stream.readers.csv_list import header_names
from stream.readers.tables import read_table

THUNDERSTORM_2D = (
    '"id","frame","x [nm]","y [nm]","sigma [nm]","intensity [photon]","offset [photon]","bkgstd [photon]","chi2",'
    '"uncertainty_xy [nm]"\n1,1,10.5,20.5,130,1000,5,1,2,7\n2,3,30.5,40.5,140,2000,6,1,2,8\n'
)
THUNDERSTORM_OLD = "id,frame,x [nm],y [nm],uncertainty [nm]\n1.0,1.0,10.5,20.5,7\n2.0,3.0,30.5,40.5,8\n"
THUNDERSTORM_3D = (
    '"frame","x [nm]","y [nm]","z [nm]","sigma1 [nm]","sigma2 [nm]","uncertainty_z [nm]"\n1,10.5,20.5,-50,1,2,9\n'
)
SPREADSHEET = '"id,""frame"",""x [nm]"",""y [nm]"""\n1.0,1.0,10.5,20.5\n'
CHALLENGE = "Ground-truth,frame,xnano,ynano,znano,intensity \n    1,  1, 10.5, 20.5, -50.0, 1000.5 \n"
CHALLENGE_BARE = "1,1,10.5,20.5,-50,1000.5\n"
SMAP = "frame,xnm,ynm,znm,phot,bg,locprecnm,locprecznm\n1,10.5,20.5,-50,1000.5,5,7,9\n"
PLAIN = "frame,x_nm,y_nm,intensity_photons,molecule_id\n1,10.5,20.5,1000.5,77\n"


@pytest.mark.parametrize("text", [THUNDERSTORM_2D, THUNDERSTORM_OLD])
@pytest.mark.parametrize("packed", [False, True])
def test_thunderstorm(tmp_path, text, packed):
    path = tmp_path / ("list.csv.gz" if packed else "list.csv")
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    table = read_table(path)
    assert table["frame"].tolist() == [0, 2]
    assert (table["x_nm"].tolist(), table["y_nm"].tolist()) == ([10.5, 30.5], [20.5, 40.5])
    assert table["sigma_x_nm"].tolist() == table["sigma_y_nm"].tolist() == [7, 8]
    assert "z_nm" not in table
    if "photons" in table:
        assert (table["photons"].tolist(), table["background"].tolist()) == ([1000, 2000], [5, 6])
        assert table["psf_sigma_nm"].tolist() == [130, 140]


@pytest.mark.parametrize("text", [THUNDERSTORM_3D, SPREADSHEET, CHALLENGE, CHALLENGE_BARE, SMAP, PLAIN])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_other_text_lists(tmp_path, text, newline):
    path = tmp_path / "list.csv"
    path.write_bytes(text.replace("\n", newline).encode("utf-8-sig"))
    table = read_table(path)
    assert (table["frame"][0], table["x_nm"][0], table["y_nm"][0]) == (0, 10.5, 20.5)
    assert table["z_nm"][0] == -50 if "z_nm" in table else text in (SPREADSHEET, PLAIN)
    assert table["photons"][0] == 1000.5 if "photons" in table else text in (SPREADSHEET, THUNDERSTORM_3D)
    assert table["sigma_z_nm"][0] == 9 if "sigma_z_nm" in table else text not in (SMAP, THUNDERSTORM_3D)


@given(st.lists(st.tuples(st.integers(1, 10**7), st.floats(-1e6, 1e6, width=32), st.floats(-1e6, 1e6, width=32))))
def test_any_numbers_come_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("lists") / "list.csv"
    path.write_text("frame,xnm,ynm\n" + "".join(f"{frame},{x!r},{y!r}\n" for frame, x, y in rows))
    table = read_table(path)
    assert table["frame"].tolist() == [frame - 1 for frame, _, _ in rows]
    assert table["x_nm"].tolist() == [x for _, x, _ in rows]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "in no format that is known"),
        ("a,b,c\n1,2,3\n", "starts with: a, b, c"),
        ("frame,xnm\n1,2\n", "in no format that is known"),
        ("frame,xnm,ynm\n1,2\n", "Expected 3 columns, got 2"),
        ("frame,xnm,ynm\n1,2,three\n", "three"),
        ("frame,xnm,ynm\n1,2,3\n0,2,3\n", "frame 0 in row 2"),
        ("frame,xnm,ynm\n1.5,2,3\n", "frame 1.5 in row 1"),
        ("frame,xnm,ynm\n,2,3\n", "frame nan in row 1"),
    ],
)
def test_says_what_is_wrong_with_a_text_list(tmp_path, text, said):
    path = tmp_path / "list.csv"
    path.write_text(text)
    with pytest.raises(TableFormatError, match=said) as caught:
        read_table(path)
    assert caught.value.limit


def test_says_what_an_unknown_file_is_and_what_is_known(tmp_path):
    path = tmp_path / "list.tif"
    path.write_bytes(b"MM\0*\0\0\0\x08")
    with pytest.raises(TableFormatError, match="4d 4d 00 2a") as caught:
        read_table(path)
    assert "ThunderSTORM CSV" in caught.value.limit


def test_says_that_there_is_no_file(tmp_path):
    with pytest.raises(TableFormatError, match=r"nothing\.csv cannot be read"):
        read_table(tmp_path / "nothing.csv")


@pytest.mark.parametrize("start", [b"\x89HDF\r\n\x1a\n", b"PAR1", b"\x1f\x8b"])
def test_says_that_a_file_is_damaged(tmp_path, start):
    path = tmp_path / "list"
    path.write_bytes(start)
    with pytest.raises(TableFormatError, match="cannot be read"):
        read_table(path)


def picasso_file(path, **columns):
    columns = {"frame": np.array([3], "u4"), "x": np.array([4.5], "f4"), "y": np.array([9.5], "f4")} | columns
    rows = np.empty(1, [(name, values.dtype) for name, values in columns.items()])
    for name, values in columns.items():
        rows[name] = values
    with h5py.File(path, "w") as file:
        file["locs"] = rows
    return path


def test_picasso_in_pixels_needs_a_pixel_size(tmp_path):
    path = picasso_file(tmp_path / "locs.hdf5", lpx=np.array([0.1], "f4"), bg=np.array([7], "f4"))
    with pytest.raises(TableFormatError, match="does not say how large") as caught:
        read_table(path)
    assert "--pixel-size-nm" in caught.value.remedy
    table = read_table(path, pixel_size_nm=100)
    assert (table["frame"][0], table["x_nm"][0], table["y_nm"][0]) == (3, 500, 1000)
    assert (table["sigma_x_nm"][0], table["background"][0]) == (10, 7)
    assert "sigma_y_nm" not in table


def test_picassos_last_step_with_a_pixel_size_counts_but_less_than_the_users(tmp_path):
    path = picasso_file(tmp_path / "locs.hdf5")
    path.with_suffix(".yaml").write_text("Width: 32\nPixelsize: 160\n---\nPixelsize: 130\n---\nGenerated by: x\n")
    assert read_table(path)["x_nm"][0] == 5 * 130
    assert read_table(path, pixel_size_nm=100)["x_nm"][0] == 500


def test_a_sidecar_never_runs_code(tmp_path):
    path = picasso_file(tmp_path / "locs.hdf5")
    path.with_suffix(".yaml").write_text("Pixelsize: !!python/object/apply:os.getpid []\n")
    with pytest.raises(TableFormatError, match=r"locs\.yaml cannot be read"):
        read_table(path)


def test_molecules_are_no_localizations(tmp_path):
    with pytest.raises(TableFormatError, match="fractions of frames"):
        read_table(picasso_file(tmp_path / "mols.hdf5", frame=np.array([3.5], "f4")), pixel_size_nm=100)


def test_header_names_are_those_of_the_first_line():
    assert header_names(b'\xef\xbb\xbf"a b", c ,"d"\r\n1,2,3') == ["a b", "c", "d"]


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "rows", "first_frame"),
    [
        ("picasso/testdata_locs.hdf5", 564, 11),
        ("smlm-challenge-2016/activations.csv", 24938, 0),
        ("smlm-challenge-2016/Beads_activations.csv", 906, 0),
        ("table-formats/Thunderstorm_dstorm_data.csv", 19, 2000),
        ("thunderstorm-synth/kept/sparse_108nm_gt.csv.gz", 5511, 0),
        ("thunderstorm-synth/kept/sparse_108nm_thunderstorm_wavelet.csv.gz", 5167, 0),
    ],
)
def test_files_that_the_programs_wrote(shared_data, name, rows, first_frame):
    table = read_table(shared_data / name)
    assert len(table) == rows
    assert table["frame"].min() == first_frame
    assert np.isfinite(table["x_nm"]).all()


@pytest.mark.shared_data
def test_files_of_other_programs_are_refused_by_name(shared_data):
    known = {"Thunderstorm_dstorm_data.csv"}
    for path in sorted((shared_data / "table-formats").iterdir()):
        if path.name not in known:
            with pytest.raises(TableFormatError, match=r"in no format that is known|not Picasso's"):
                read_table(path)
