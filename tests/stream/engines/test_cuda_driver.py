"""The CUDA driver is asked first. Drivers of all kinds are small libraries made here, and are really loaded."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stream.engines.cuda_driver import LIBRARY, driver_version, refuse_older, spelt
from stream.errors import ModelError

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
DRIVER = """
int cuInit(unsigned flags) {{ return {init}; }}
int cuDriverGetVersion(int *version) {{ *version = {version}; return {get_version}; }}
int cuDeviceGetCount(int *count) {{ *count = {count}; return {get_count}; }}
int cuGetErrorName(int status, const char **name) {{ *name = "CUDA_ERROR_SOMETHING"; return {get_name}; }}
"""
WORKS = {"init": 0, "version": 13010, "get_version": 0, "count": 1, "get_count": 0, "get_name": 0}


def driver(folder: Path, **answers: int) -> str:
    """Return the path of a driver that answers so."""
    (folder / "driver.c").write_text(DRIVER.format(**WORKS | answers))
    made = folder / "libdriver.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", made, folder / "driver.c"], check=True)
    return str(made)


@needs_gcc
def test_a_driver_that_works(tmp_path: Path) -> None:
    assert driver_version(driver(tmp_path)) == 13010


def test_there_is_no_driver() -> None:
    with pytest.raises(ModelError, match=r"there is no NVIDIA driver \(libno_such_driver") as error:
        driver_version("libno_such_driver.so.1")
    assert "install the driver" in error.value.remedy


@needs_gcc
@pytest.mark.parametrize("answers", [{"init": 100}, {"count": 0}, {"get_count": 100}])
def test_there_is_no_device(tmp_path: Path, answers: dict[str, int]) -> None:
    with pytest.raises(ModelError, match="the NVIDIA driver finds no device"):
        driver_version(driver(tmp_path, **answers))


@needs_gcc
@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"init": 803}, r"answers error 803 \(CUDA_ERROR_SOMETHING\) to cuInit"),
        ({"get_version": 1}, r"answers error 1 \(CUDA_ERROR_SOMETHING\) to cuDriverGetVersion"),
        ({"get_count": 999}, r"answers error 999 \(CUDA_ERROR_SOMETHING\) to cuDeviceGetCount"),
        ({"init": 12345, "get_name": 1}, "answers error 12345 to cuInit"),
    ],
)
def test_a_driver_that_fails(tmp_path: Path, answers: dict[str, int], said: str) -> None:
    with pytest.raises(ModelError, match=said) as error:
        driver_version(driver(tmp_path, **answers))
    assert "nvidia-smi" in error.value.remedy


def test_a_driver_that_is_too_old() -> None:
    refuse_older(13000, 13050)
    refuse_older(14000, 13000)
    with pytest.raises(ModelError, match=r"for CUDA 12\.8") as error:
        refuse_older(12080, 13050)
    assert error.value.limit.endswith("CUDA 13.0 or later")


def test_versions_as_people_write_them() -> None:
    assert [spelt(version) for version in (12080, 13000, 13010)] == ["12.8", "13.0", "13.1"]


@pytest.mark.skipif(sys.platform == "win32", reason="it has another name there")
def test_the_name_of_the_driver() -> None:
    assert LIBRARY == "libcuda.so.1"
