"""What the rig says of its camera, as far as a network for it must know; what nobody stated is asked for."""

from __future__ import annotations

import numpy as np

from models.space_of_microscope import EM_NOISE_E, CameraFacts
from stream.calibration import read_maps
from stream.config import CameraSettings
from stream.errors import RigError

NEEDED = ("offset_adu", "gain_e_per_adu", "read_noise_e")


def camera_facts(settings: CameraSettings) -> CameraFacts:
    """Return what a sample space needs to know.

    Raises
    ------
    RigError
        Numbers are not stated, the maps cannot be read, or there is too much noise behind an EM register.
    """
    maps = {} if settings.maps is None else read_maps(settings.maps)
    missing = [name for name in NEEDED if name not in settings.model_fields_set and name not in maps]
    if missing:
        raise RigError(
            f"[camera] {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not given",
            limit="a network for one's own microscope is trained on the noise of its camera: none of it is assumed",
            remedy="state what the data sheet says, or measure it: livesmlm calibrate-camera",
        )
    noise_e = float(np.median(maps.get("read_noise_e", np.array(settings.read_noise_e)))) / settings.em_gain
    if settings.em_gain > 1 and noise_e > EM_NOISE_E:
        raise RigError(
            f"[camera] read_noise_e is {noise_e:.2g} photo-electrons behind the EM register of em_gain = "
            f"{settings.em_gain:g}",
            limit=f"networks are trained for up to {EM_NOISE_E:g}",
            remedy="raise the EM gain, or switch the register off and state em_gain = 1",
        )
    return CameraFacts(settings.pixel_size_nm, noise_e, settings.em_gain > 1)
