"""Micro-Manager's core by pycro-manager: the one file that imports it.

Both backends have the same names. In process a frame is (y, x) and every tag a string; over the bridge a frame is flat
and tags are strings or integers; lists and rectangles are objects of the other side.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stream.errors import InputError, SourceFault

EXTRA = "pip install 'livesmlm[micromanager]'"
CONNECT_MS = 2000


class TaggedImage(Protocol):
    """A frame as the core hands it out."""

    pix: NDArray[Any]
    tags: Mapping[str, Any]


class Core(Protocol):
    """What is used of the core."""

    def start_sequence_acquisition(self, frames: int, interval_ms: float, stop_on_overflow: bool, /) -> None: ...  # noqa: D102
    def stop_sequence_acquisition(self) -> None: ...  # noqa: D102
    def is_sequence_running(self) -> bool: ...  # noqa: D102
    def is_buffer_overflowed(self) -> bool: ...  # noqa: D102
    def get_remaining_image_count(self) -> int: ...  # noqa: D102
    def pop_next_tagged_image(self) -> TaggedImage: ...  # noqa: D102
    def get_camera_device(self) -> str: ...  # noqa: D102
    def get_roi(self) -> Any: ...  # noqa: D102
    def set_roi(self, x: int, y: int, width: int, height: int, /) -> None: ...  # noqa: D102
    def get_exposure(self) -> float: ...  # noqa: D102
    def set_exposure(self, exposure_ms: float, /) -> None: ...  # noqa: D102
    def get_image_width(self) -> int: ...  # noqa: D102
    def get_image_height(self) -> int: ...  # noqa: D102
    def get_image_bit_depth(self) -> int: ...  # noqa: D102
    def get_bytes_per_pixel(self) -> int: ...  # noqa: D102
    def get_number_of_components(self) -> int: ...  # noqa: D102
    def get_number_of_camera_channels(self) -> int: ...  # noqa: D102
    def get_pixel_size_um(self) -> float: ...  # noqa: D102
    def has_property(self, device: str, name: str, /) -> bool: ...  # noqa: D102
    def get_property(self, device: str, name: str, /) -> str: ...  # noqa: D102
    def set_property(self, device: str, name: str, value: str, /) -> None: ...  # noqa: D102
    def has_property_limits(self, device: str, name: str, /) -> bool: ...  # noqa: D102
    def get_property_lower_limit(self, device: str, name: str, /) -> float: ...  # noqa: D102
    def get_property_upper_limit(self, device: str, name: str, /) -> float: ...  # noqa: D102
    def get_loaded_devices(self) -> Any: ...  # noqa: D102
    def get_device_library(self, device: str, /) -> str: ...  # noqa: D102
    def get_device_description(self, device: str, /) -> str: ...  # noqa: D102
    def get_version_info(self) -> str: ...  # noqa: D102
    def get_api_version_info(self) -> str: ...  # noqa: D102
    def get_slm_device(self) -> str: ...  # noqa: D102
    def get_slm_width(self, device: str, /) -> int: ...  # noqa: D102
    def get_slm_height(self, device: str, /) -> int: ...  # noqa: D102
    def get_slm_bytes_per_pixel(self, device: str, /) -> int: ...  # noqa: D102
    def set_slm_image(self, device: str, pixels: NDArray[Any], /) -> None: ...  # noqa: D102
    def display_slm_image(self, device: str, /) -> None: ...  # noqa: D102
    def get_circular_buffer_memory_footprint(self) -> int: ...  # noqa: D102
    def set_circular_buffer_memory_footprint(self, megabytes: int, /) -> None: ...  # noqa: D102


def in_process(adapters: str, config_file: Path, buffer_mb: int) -> Core:
    """Return a core in this process with the devices of a configuration file.

    Parameters
    ----------
    adapters : str
        Folder of device adapters, or "auto".
    config_file : Path
    buffer_mb : int
        Memory of the core's circular buffer.

    Raises
    ------
    InputError
        There are no adapters, no such file, or the adapters are of another version than the core.
    SourceFault
        A device does not answer.
    """
    if not config_file.is_file():
        raise InputError(
            f"there is no configuration file {config_file}",
            limit="[source] config_file names the .cfg that Micro-Manager's hardware wizard writes",
            remedy="give its path, relative to the rig or absolute",
        )
    folder = _adapters(adapters)
    mmpycorex = _pycromanager()
    _refuse_second(mmpycorex)
    try:
        mmpycorex.create_core_instance(
            str(folder), str(config_file.resolve()), python_backend=True, buffer_size_mb=buffer_mb
        )
    except (OSError, RuntimeError, ValueError) as error:
        raise _not_loaded(str(error), folder) from error
    core: Core = mmpycorex.Core()
    return core


def unload(core: Core) -> None:
    """Let the devices of a core in this process go; it is of no use after that."""
    with suppress(RuntimeError):  # a device that fails while it is given up: the process ends soon
        _pycromanager().terminate_core_instances()


def over_bridge(port: int) -> Core:
    """Return the core of a running Micro-Manager. Call it in the thread that will use it."""
    mmpycorex = _pycromanager()
    _refuse_second(mmpycorex)
    _forget_exit_handlers()
    gc.collect()  # else it may collect what is left of another bridge while it holds the lock that this needs
    gc.disable()
    try:
        core: Core = mmpycorex.Core(port=port, timeout=CONNECT_MS)
    finally:
        gc.enable()
    return core


def _refuse_second(mmpycorex: Any) -> None:
    if mmpycorex.is_pymmcore_active():
        raise SourceFault(
            "this process has a core already", limit="pycro-manager hands out the first one to whoever asks",
            remedy="close the other source first, or run each in a process of its own",
        )  # fmt: skip


def _pycromanager() -> Any:
    try:
        import mmpycorex
    except ImportError as error:
        raise InputError(f"{error.name} is not installed", limit="needed for Micro-Manager", remedy=EXTRA) from error
    return mmpycorex


def _forget_exit_handlers() -> None:
    """Keep the bridge from noting every frame for the interpreter's end.

    Decision: its `atexit` is replaced. Context: it registers a handler for each object, and a frame is one, so memory
    grows for as long as the camera runs. Consequence: objects must be let go before the process ends, as they are.
    """
    import pyjavaz.bridge

    class Nothing:
        @staticmethod
        def register(handler: object) -> None:
            return None

    pyjavaz.bridge.atexit = Nothing


def _adapters(named: str) -> Path:
    """Return the folder of device adapters."""
    if named != "auto":
        if not Path(named).is_dir():
            raise InputError(
                f"there is no folder {named}", limit="[source] adapters is Micro-Manager's folder or auto",
                remedy="give the folder that holds the mmgr_dal_ files",
            )  # fmt: skip
        return Path(named)
    mmpycorex = _pycromanager()
    with suppress(ValueError):  # where Micro-Manager has no usual place
        if (found := mmpycorex.find_existing_mm_install()) is not None:
            return Path(found)
    try:
        from mm_test_adapters import device_adapter_path
    except ImportError as error:
        raise InputError(
            "no device adapters were found",
            limit="auto looks where Micro-Manager is usually installed, and for the package mm-test-adapters",
            remedy="set [source] adapters to Micro-Manager's folder, or for a trial pip install mm-test-adapters",
        ) from error
    return Path(device_adapter_path())


def _not_loaded(said: str, folder: Path) -> InputError | SourceFault:
    """Say why the devices could not be loaded; the core does not say that versions differ."""
    said = " ".join(said.strip("'\" \n").split())
    if "Invalid configuration file" in said:
        return InputError(
            f"the configuration file cannot be read: {said}", limit="a .cfg as the hardware wizard writes it",
            remedy="mend the line that is named",
        )  # fmt: skip
    if "Failed to load device adapter" not in said:
        return SourceFault(
            f"the devices could not be started: {said}", limit=f"device adapters of {folder}",
            remedy="see whether they are switched on, and not in the hands of Micro-Manager or another run",
        )  # fmt: skip
    needed = _needed_interface()
    others = {version for version in map(_interface, _libraries(folder, said)) if version != needed}
    if others - {None}:
        return InputError(
            f"the device adapters in {folder} have device interface {', '.join(map(str, others - {None}))}, "
            f"the core of pymmcore has {needed}",
            limit=f"both must be the same ({said})",
            remedy=f"install Micro-Manager with device interface {needed}, or pip install a pymmcore whose version "
            f"ends in it",
        )
    return InputError(
        f"a device adapter could not be loaded: {said}", limit=f"looked for in {folder}",
        remedy="set [source] adapters to the folder that holds it, and install what its maker asks for",
    )  # fmt: skip


def _needed_interface() -> int:
    import pymmcore

    return int(pymmcore.__version__.split(".")[3])


def _libraries(folder: Path, said: str) -> list[Path]:
    """Return the files of the adapter that a message names."""
    return [path for path in folder.glob("*mmgr_dal_*") if path.name.split("mmgr_dal_")[1].split(".")[0] in said]


def _interface(library: Path) -> int | None:
    """Return the version of the device interface that an adapter was built for; None if it cannot be asked."""
    try:
        return int(ctypes.CDLL(str(library)).GetDeviceInterfaceVersion())
    except (OSError, AttributeError):
        return None


def plain(vector: Any) -> list[str]:
    """Return a list of strings of either backend."""
    return [vector.get(place) for place in range(vector.size())] if hasattr(vector, "size") else [*vector]


def roi_px(core: Core) -> tuple[int, int, int, int]:
    """Return x, y, width and height of the camera's field, in either backend."""
    found = core.get_roi()
    values = (found.x, found.y, found.width, found.height) if hasattr(found, "width") else found
    x, y, width, height = map(int, values)
    return x, y, width, height


def take(core: Core) -> tuple[NDArray[Any], dict[str, Any]]:
    """Return the oldest frame of the buffer, flat or (y, x), and its tags."""
    image = core.pop_next_tagged_image()
    return np.asarray(image.pix), dict(image.tags)
