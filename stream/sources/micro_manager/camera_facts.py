"""What the core says of its camera: read before the first frame, and compared while frames come."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from stream.errors import FrameFormatError, SourceFault
from stream.sources.micro_manager.core import Core, plain, roi_px
from stream.sources.micro_manager.settings import MicroManagerSettings

MB = 2**20
ENOUGH_S = 2.0
NAMES = {
    "camera": "the camera", "x_px": "the field's x", "y_px": "the field's y", "width_px": "the field's width",
    "height_px": "the field's height", "exposure_ms": "the exposure in ms", "binning": "the binning",
    "bit_depth": "the bit depth", "bytes_per_pixel": "the bytes per pixel",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CameraState:
    """What must stay as it is while a run lasts.

    Parameters
    ----------
    camera : str
        Label of the device.
    x_px, y_px, width_px, height_px : int
        The field on the sensor.
    exposure_ms : float
    binning : str
        As the device says it; empty if it has none.
    bit_depth, bytes_per_pixel : int
    """

    camera: str
    x_px: int
    y_px: int
    width_px: int
    height_px: int
    exposure_ms: float
    binning: str
    bit_depth: int
    bytes_per_pixel: int

    def changes(self, now: CameraState) -> str:
        """Say what is different now, in words; empty if nothing is."""
        before, after = asdict(self), asdict(now)
        changed = [
            f"{NAMES[name]} was {before[name]} and is {after[name]}" for name in NAMES if before[name] != after[name]
        ]
        return ", ".join(changed)


def read_state(core: Core) -> CameraState:
    """Return the camera's settings. The size is that of the images: the core gives the field before binning."""
    camera = core.get_camera_device()
    x, y, _, _ = roi_px(core)
    has_binning = core.has_property(camera, "Binning")
    return CameraState(
        camera=camera, x_px=x, y_px=y, width_px=core.get_image_width(), height_px=core.get_image_height(),
        exposure_ms=round(float(core.get_exposure()), 6),
        binning=str(core.get_property(camera, "Binning")) if has_binning else "",
        bit_depth=core.get_image_bit_depth(), bytes_per_pixel=core.get_bytes_per_pixel(),
    )  # fmt: skip


def prepare(core: Core, settings: MicroManagerSettings) -> CameraState:
    """Set what the rig asks for, and return the camera's settings.

    Raises
    ------
    SourceFault
        There is no camera, or somebody else has it.
    FrameFormatError
        Its images are not grey with 8 or 16 bits, or it does not take what the rig asks for.
    """
    if not core.get_camera_device():
        raise SourceFault(
            "Micro-Manager has no camera", limit="the core's camera is the one that is used",
            remedy="load one in the configuration, and set it as Core, Camera",
        )  # fmt: skip
    if core.is_sequence_running():
        raise _in_use(core.get_camera_device())
    if settings.exposure_ms is not None:
        core.set_exposure(settings.exposure_ms)
    if settings.roi_px is not None:
        core.set_roi(*settings.roi_px)
        if roi_px(core) != settings.roi_px:
            raise FrameFormatError(
                f"[source] roi_px = {list(settings.roi_px)}: the camera makes {list(roi_px(core))} of it",
                limit="the field must lie on the sensor, and many cameras want multiples of some pixels",
                remedy="give what the camera makes of it, or leave roi_px out",
            )
    if settings.buffer_mb is not None:
        core.set_circular_buffer_memory_footprint(settings.buffer_mb)
    state = read_state(core)
    _refuse_other_pixels(core, state)
    return state


def _in_use(camera: str) -> SourceFault:
    return SourceFault(
        f"the camera {camera} already takes a sequence: Micro-Manager's live view, an acquisition or another run",
        limit="a frame can be handed out once, so two readers would each lose what the other gets",
        remedy="stop it there, then start this run",
    )


def _refuse_other_pixels(core: Core, state: CameraState) -> None:
    components, channels = core.get_number_of_components(), core.get_number_of_camera_channels()
    if (components, channels) != (1, 1) or state.bytes_per_pixel not in (1, 2):
        raise FrameFormatError(
            f"{state.camera} gives {state.bytes_per_pixel} bytes in {components} components per pixel, "
            f"{channels} images at once",
            limit="one grey image of 8 or 16 bits",
            remedy="set its pixel type to 8 or 16 bits, and choose one camera in the core",
        )


def describe(core: Core, state: CameraState) -> dict[str, Any]:
    """Return what `run.json` keeps: settings, devices, versions, and how much the buffer holds."""
    buffer_mb = core.get_circular_buffer_memory_footprint()
    frames = buffer_mb * MB // (state.width_px * state.height_px * state.bytes_per_pixel)
    return asdict(state) | {
        "devices": {name: _device(core, name) for name in plain(core.get_loaded_devices()) if name != "Core"},
        "core": f"{core.get_version_info()}, {core.get_api_version_info()}",
        "buffer_mb": buffer_mb,
        "buffer_frames": frames,
    }


def _device(core: Core, name: str) -> str:
    return f"{core.get_device_library(name)}, {core.get_device_description(name)}"


def doubts(facts: dict[str, Any]) -> tuple[str, ...]:
    """Say that the buffer is too small, if it is for frames that follow each other without a pause."""
    if (seconds := facts["buffer_frames"] * facts["exposure_ms"] / 1000) >= ENOUGH_S:
        return ()
    needed_mb = ENOUGH_S / max(seconds, 1e-3) * facts["buffer_mb"]
    return (
        f"Micro-Manager's buffer of {facts['buffer_mb']} MB holds {seconds:.2g} s at this exposure, less than "
        f"{ENOUGH_S:g} s: set [source] buffer_mb = {needed_mb:.0f}",
    )
