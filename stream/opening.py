"""From the rig to its source and its output folder's companions; runs in the source's process."""

from __future__ import annotations

from models.optics.objective import Objective
from models.scenes.settings import SceneSettings
from stream.calibration import camera
from stream.config import Rig
from stream.source import Source
from stream.sources import SOURCES
from stream.sources.limited import Limited
from stream.sources.simulated import SimulatedSettings, SimulatedSource


def source_of(rig: Rig, frames: int | None = None) -> Source:
    """Return the rig's source, not yet open; it ends after `frames` frames if that is given."""
    source = _simulated(rig, rig.source) if isinstance(rig.source, SimulatedSettings) else _from_table(rig)
    return source if frames is None else Limited(source, frames)


def _from_table(rig: Rig) -> Source:
    kind = next(kind for kind in SOURCES.values() if type(rig.source) is kind.settings)
    return kind.source(rig.source)


def _simulated(rig: Rig, settings: SimulatedSettings) -> Source:
    """Return the simulated camera: the one source that plays the rig's camera and optics instead of reading them."""
    optics = rig.optics
    objective = Objective(
        numerical_aperture=optics.numerical_aperture,
        immersion_index=optics.immersion_index,
        sample_index=optics.sample_index,
        wavelength_nm=optics.wavelength_nm,
    )
    defaults = SceneSettings(pixel_size_nm=rig.camera.pixel_size_nm, objective=objective)
    return SimulatedSource(settings, defaults, camera(rig.camera, settings.height_px, settings.width_px))
