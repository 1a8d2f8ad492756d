"""The output folder is never written over; small files appear whole or not at all."""

import json
import os
from pathlib import Path

import pytest

from stream import output
from stream.errors import OutputError, StorageFault


def test_a_new_folder_and_an_empty_one_are_taken(tmp_path: Path) -> None:
    output.create(tmp_path / "night" / "one")
    output.create(tmp_path / "night" / "one")
    assert list((tmp_path / "night" / "one").iterdir()) == []


def test_a_folder_that_holds_something_is_refused_and_a_free_name_is_offered(tmp_path: Path) -> None:
    for name in ("run", "run-2"):
        (tmp_path / name).mkdir()
    (tmp_path / "run" / "locs.hdf5").touch()
    with pytest.raises(OutputError, match="not empty") as error:
        output.create(tmp_path / "run")
    assert error.value.remedy.endswith("run-3")


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(OutputError):
        output.create(tmp_path / "run")
    with pytest.raises(OutputError, match="Not a directory"):
        output.create(tmp_path / "run" / "below")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_without_leave_to_write(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        output.create(tmp_path / "run")
    tmp_path.chmod(0o700)


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    output.write_json(path, {"frames": 1})
    (tmp_path / "ledger.json.partial").symlink_to("/dev/full")
    with pytest.raises(StorageFault, match="No space left on device") as error:
        output.write_json(path, {"frames": 2})
    assert "MB left" in error.value.limit
    assert json.loads(path.read_text()) == {"frames": 1}
