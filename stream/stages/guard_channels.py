"""The ways in which the guard looks at frames and at what was found in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.camera import Camera
from models.guard.camera.camera_watch import CameraWatch
from models.guard.camera.places import Places
from models.guard.coverage.coverage import Coverage
from models.guard.molecules.molecule_watch import MoleculeWatch
from models.guard.verdict import Finding
from models.localizations import Localizations

CAMERA_EVERY = 8
"""What the camera's pixels say is summed up after so many looks: it takes as long as some of them."""


class CameraChannel:
    """The camera: its noise against its level, single pixels, repeated frames.

    Parameters
    ----------
    camera : Camera
    shape : (y, x)
    pixel_size_nm : float
    """

    def __init__(self, camera: Camera, shape: tuple[int, int], pixel_size_nm: float) -> None:
        self._watch, self._pixel_nm = CameraWatch(camera, shape), pixel_size_nm
        self._taken, self._found = 0, list[Finding]()

    def take(self, pixels: NDArray[np.uint16], index: NDArray[np.int64], table: Localizations) -> None:
        """Take some frames that follow each other and all rows in them."""
        self._watch.take(pixels, Places.of(table, index, self._pixel_nm))
        self._taken += 1
        if self._taken % CAMERA_EVERY == 0:
            self._found = self._watch.findings()

    def findings(self) -> list[Finding]:
        """Return what was wrong with the camera when it was last summed up."""
        return self._found


class CoverageChannel:
    """What was found, held against the sample space of the model."""

    def __init__(self, watch: Coverage) -> None:
        self._watch = watch

    def take(self, pixels: NDArray[np.uint16], index: NDArray[np.int64], table: Localizations) -> None:
        """Take some frames that follow each other and all rows in them."""
        self._watch.take(table, index)

    def findings(self) -> list[Finding]:
        """Return what is beyond the sample space, or piles up at its ends."""
        return self._watch.findings()


class MoleculeChannel:
    """Single molecules, drawn again: one frame of those that are kept, since neighbours show the same ones."""

    def __init__(self, watch: MoleculeWatch) -> None:
        self._watch = watch

    def take(self, pixels: NDArray[np.uint16], index: NDArray[np.int64], table: Localizations) -> None:
        """Take some frames that follow each other and all rows in them."""
        here = np.asarray(table["frame"]) == index[0]
        self._watch.take(pixels[0], table.where(here))

    def findings(self) -> list[Finding]:
        """Return what the molecules tell."""
        return self._watch.findings()
