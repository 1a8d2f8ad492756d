"""The CUDA driver, asked before any vendor's library is.

Decision: nothing of TensorRT is made before the driver has answered. Context: without a driver its Runtime is made
without an error and ends the process at the next call. Consequence: this file needs no package, only the driver.
"""

from __future__ import annotations

import ctypes
import sys

from stream.errors import ModelError

LIBRARY = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
NO_DEVICE = 100
"""CUDA_ERROR_NO_DEVICE: the driver works and there is nothing for it to drive, or CUDA_VISIBLE_DEVICES hides it."""
_REMEDY = 'see `nvidia-smi`, or use device = "cpu"'


def driver_version(library: str = LIBRARY) -> int:
    """Return the CUDA version that the driver is made for, 1000 major + 10 minor, once it has found a device.

    Parameters
    ----------
    library : str
        The driver's own library.

    Raises
    ------
    ModelError
        There is no driver, it does not start, or it finds no device.
    """
    try:
        driver = ctypes.CDLL(library)
    except OSError as error:
        raise ModelError(
            f"device = 'cuda' is not usable: there is no NVIDIA driver ({error})",
            remedy='install the driver of the graphics card, or use device = "cpu"',
        ) from error
    _ask(driver, "cuInit", ctypes.c_uint(0))
    version, devices = ctypes.c_int(), ctypes.c_int()
    _ask(driver, "cuDriverGetVersion", ctypes.byref(version))
    _ask(driver, "cuDeviceGetCount", ctypes.byref(devices))
    if not devices.value:
        raise _no_device()
    return version.value


def refuse_older(driver: int, needed: int) -> None:
    """Raise ModelError if the driver is made for an older CUDA than a package needs; only the major number matters."""
    if driver // 1000 < needed // 1000:
        raise ModelError(
            f"device = 'cuda' is not usable: the NVIDIA driver is for CUDA {spelt(driver)}",
            limit=f"the installed packages need a driver for CUDA {needed // 1000}.0 or later",
            remedy="install a newer driver of the graphics card",
        )


def spelt(version: int) -> str:
    """Return 13010 as 13.1."""
    return f"{version // 1000}.{version % 1000 // 10}"


def _ask(driver: ctypes.CDLL, name: str, argument: object) -> None:
    status = getattr(driver, name)(argument)
    if status == NO_DEVICE:
        raise _no_device()
    if status:
        raise ModelError(
            f"device = 'cuda' is not usable: the NVIDIA driver answers {_named(driver, status)} to {name}",
            remedy=f"restart the computer if the driver was updated; {_REMEDY}",
        )


def _named(driver: ctypes.CDLL, status: int) -> str:
    name = ctypes.c_char_p()
    if driver.cuGetErrorName(status, ctypes.byref(name)) or name.value is None:
        return f"error {status}"
    return f"error {status} ({name.value.decode()})"


def _no_device() -> ModelError:
    return ModelError("device = 'cuda' is not usable: the NVIDIA driver finds no device", remedy=_REMEDY)
