"""The file that a user states a training's sample space in.

[optics]                      # of the objective; what is left out is as in `Objective`
numerical_aperture = 1.45
wavelength_nm = 670

[space]                       # what is left out is as the PSF has it
pixel_size_nm = [105, 109]
z_nm = [-500, 500]
photons = [200, 20000, "log-uniform"]
em_share = 1.0

[[colour]]                    # of networks that tell colours: each dye, as in `Dye`, with aberrations by Noll index
wavelength_nm = 600
width_nm = 15
focus_nm = 0
noll_11_waves = 0.05
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from models.colours.dyes import dye_from, dyes_of, with_dyes
from models.optics.objective import Objective
from models.sample_space import SampleSpace


def read_space(path: Path | None, default: SampleSpace) -> tuple[SampleSpace, Objective]:
    """Return the sample space of a file, and the objective.

    Parameters
    ----------
    path : Path or None
        None: the default and an ordinary objective.
    default : SampleSpace
        Gives what the file leaves out.

    Raises
    ------
    ValueError
        The file cannot be read, or names what is not known, or a value cannot be.
    """
    if path is None:
        return default, Objective()
    try:
        plain = tomllib.loads(path.read_text(encoding="utf-8"))
        dyes = [dye_from(one) for one in plain.get("colour", ())]
        known = {"optics", "space"} | ({"colour"} if dyes_of(default) else set())
        unknown = [*(set(plain) - known), *(set(plain.get("space", {})) - set(default.fields))]
        if unknown:
            raise ValueError(f"{', '.join(unknown)} is not known; fields are {', '.join(default.fields)}")
        default = with_dyes(default, dyes) if dyes else default
        changes = SampleSpace.from_dict(plain.get("space", {}))
        return default.changed(**changes.fields), Objective(**plain.get("optics", {}))
    except (OSError, TypeError, ValueError) as error:
        raise ValueError(f"sample space {path}: {error}") from error


def write_space(path: Path, space: SampleSpace) -> None:
    """Write a sample space so that `read_space` reads it."""
    lines = [f"{name} = {json.dumps(value)}" for name, value in space.to_dict().items()]
    path.write_text("\n".join(("[space]", *lines)) + "\n", encoding="utf-8")
