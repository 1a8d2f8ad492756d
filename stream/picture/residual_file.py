"""The mean molecule that the guard saw as a file: Fiji, napari and the like open it as channels and heights."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.guard.molecules.mean_residual import ENOUGH, KINDS, MeanResidual
from stream.sinks.storage import writing

NAME = "guard-residual.ome.tif"
KEPT = "The localizations are safe, and so is what the guard said."


def write(path: Path, found: MeanResidual) -> None:
    """Write an OME-TIFF, (channel, z, y, x) float32 in units of the expected peak; channels are those of `KINDS`.

    Raises
    ------
    StorageFault
        The file could not be written; an older one stays as it was.
    """
    import tifffile  # with its codecs, needed at the end of a run only

    size_um = found.pixel_nm / 1000
    metadata = {
        "axes": "CZYX", "Channel": {"Name": list(KINDS)}, "Description": _described(found),
        "PhysicalSizeX": size_um, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": size_um, "PhysicalSizeYUnit": "µm",
    }  # fmt: skip
    if len(found.z_nm) > 1:
        step_um = float(np.diff(found.z_nm)[0]) / 1000
        metadata |= {"PhysicalSizeZ": step_um, "PhysicalSizeZUnit": "µm"}
    partial = path.with_name(path.name + ".partial")
    with writing(path, KEPT):
        tifffile.imwrite(partial, found.images, ome=True, photometric="minisblack", metadata=metadata)
        partial.replace(path)


def _described(found: MeanResidual) -> str:
    each = ", ".join(f"{z:.0f} nm: {n:.0f}" for z, n in zip(found.z_nm, found.molecules, strict=True))
    return (
        f"Mean molecule, in units of the expected peak. Molecules by z: {each}; none is shown of fewer than {ENOUGH}."
    )
