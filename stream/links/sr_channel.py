"""The super-resolved picture of a run as images of an acquisition of pycro-manager, in a channel of their own.

    with AcquisitionHook(address, picture=SRChannel("tcp://127.0.0.1:5557", mode="on", every=100)) as hook:
        with Acquisition(directory=..., name=..., image_process_fn=hook) as acquisition:
            ...

Two ways, which may be used together. With `every`, each so many images are followed by one with `channel` = `SR`: only
the Java backend takes two images for one. In both backends an image that the acquisition's own events place in channel
`SR` is replaced by the picture; its exposure is spent for nothing.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from stream.errors import InputError
from stream.links.feed import Origin
from stream.links.live_picture import LivePicture, Picture
from stream.links.sockets import next_port

CHANNEL = "SR"
Image = NDArray[np.generic]
Answer = tuple[Image, dict[str, Any]]


class SRSettings(BaseModel):
    """How the picture is added."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    mode: Literal["dry-run", "on"] = "dry-run"
    """dry-run: nothing is added or replaced, but the run's record says what would have been."""
    every: int | None = Field(None, ge=2)
    """Add a picture after so many images (Java backend); None adds none."""
    most: int = Field(1000, ge=1)
    """No more pictures than this in one acquisition."""
    max_side_px: int = Field(1024, ge=64, le=4096)
    """The longer side of a picture; its pixels are as small as that allows."""
    counts_per_localization: float = Field(100.0, gt=0)
    """A pixel of the picture holds so many counts for each localization in it."""


class SRChannel:
    """Follows a run, and puts its picture into an acquisition.

    Parameters
    ----------
    address : str
        Where the run publishes.
    snapshot_address : str, optional
        Where it answers requests; one port above `address` if not given.
    certificate : Path, optional
        As `stream.subscribe`.
    **settings
        The fields of `SRSettings`.

    Raises
    ------
    InputError
        Pictures cannot be added in pycro-manager's Python backend.
    """

    def __init__(
        self, address: str, snapshot_address: str | None = None, certificate: Path | None = None, **settings: Any
    ) -> None:
        self._settings = SRSettings(**settings)
        if self._settings.every is not None and _in_python():
            raise InputError(
                f"every = {self._settings.every}: pycro-manager's Python backend takes one image for one",
                limit="only its Java backend stores an additional image",
                remedy="leave `every` out, and give the acquisition events of channel SR, whose images are replaced",
            )
        self._seen = self._shown = 0
        self._lacked = self._warned = False
        self._trouble = ""
        origin = Origin(address, snapshot_address or next_port(address), certificate)
        self._live = LivePicture(origin, self._settings.max_side_px, self._note_trouble)

    @property
    def ready(self) -> bool:
        """True once there is a picture to add."""
        return self._live.newest() is not None

    def attach(self, image: Image, metadata: dict[str, Any]) -> Answer | list[Answer] | None:
        """Return what the acquisition is to store for an image: itself, itself and the picture, or the picture alone.

        None, which stores nothing, where an image is to be replaced and no picture is there yet.
        """
        placed = metadata.get("Axes", {}).get("channel") == CHANNEL
        self._seen += not placed
        due = placed or (self._settings.every is not None and self._seen % self._settings.every == 0)
        picture = self._live.newest() if due and self._shown < self._settings.most else None
        if due:
            self._warn()
            self._tell(picture, placed, metadata)
        if self._settings.mode == "dry-run":
            return image, metadata
        if picture is None:
            return None if placed else (image, metadata)
        answer = self._answer(picture, image.dtype, metadata)
        return answer if placed else [(image, metadata), answer]

    def close(self) -> None:
        """Stop following the run."""
        self._live.close()

    def _answer(self, picture: Picture, dtype: np.dtype[Any], metadata: Mapping[str, Any]) -> Answer:
        """Return the picture and its metadata; counts beyond what the camera's type holds are cut, and counted."""
        stored = _stored(picture, dtype, self._settings.counts_per_localization)
        height_px, width_px = stored.pixels.shape
        facts = {
            "Axes": {**metadata.get("Axes", {}), "channel": CHANNEL},
            "Height": height_px,
            "Width": width_px,
            "PixelSizeUm": picture.pixel_nm / 1000,
            "LiveSMLM-CountsPerLocalization": self._settings.counts_per_localization,
            "LiveSMLM-Localizations": picture.localizations,
            "LiveSMLM-SaturatedPixels": stored.saturated_px,
        }
        return stored.pixels, {**metadata, **facts}

    def _tell(self, picture: Picture | None, placed: bool, metadata: Mapping[str, Any]) -> None:
        """Let the run keep a record of it; a picture that lacks is told of once."""
        if picture is None and self._lacked:
            return
        self._lacked, self._shown = picture is None, self._shown + (picture is not None)
        where = ", ".join(f"{name} {value}" for name, value in metadata.get("Axes", {}).items() if name != "channel")
        what = f"{'replaces the image' if placed else 'follows the image'} at {where or 'no axis'}"[:200]
        full = f"no more than {self._settings.most} pictures"
        lacks = full if self._shown >= self._settings.most else "no picture is there yet"
        shown = lacks if picture is None else f"{picture.localizations} localizations"
        frame = -1 if picture is None else picture.frame
        dry_run = self._settings.mode == "dry-run"
        self._live.feed.report({"kind": "picture", "frame": frame, "why": f"{what}: {shown}", "dry_run": dry_run})

    def _note_trouble(self, reason: str) -> None:
        self._trouble = reason

    def _warn(self) -> None:
        """Say once why there is no picture; in the thread of the acquisition, which may want warnings as errors."""
        if self._trouble and not self._warned:
            self._warned = True
            warnings.warn(f"the acquisition goes on without new pictures: {self._trouble}", stacklevel=3)


class _Stored(NamedTuple):
    pixels: NDArray[Any]
    saturated_px: int


def _stored(picture: Picture, dtype: np.dtype[Any], counts: float) -> _Stored:
    """Return the picture in the camera's type: an acquisition has one for all its images."""
    highest = np.iinfo(dtype).max
    values = np.rint(picture.density * np.float32(counts))
    return _Stored(np.minimum(values, highest).astype(dtype), int((values > highest).sum()))


def _in_python() -> bool:
    """Return whether pycro-manager is there, and runs its Python backend in this process."""
    try:
        from mmpycorex import is_pymmcore_active
    except ImportError:
        return False
    return bool(is_pymmcore_active())
