"""`[refine]` of rig.toml -> the spot that localizations are fitted with."""

from __future__ import annotations

from pathlib import Path

from export.card import Card
from models.camera import Camera
from models.optics.low_rank import LowRankSpot
from models.refining.refine import Optics
from models.refining.spline import LARGEST_PX, spline_of
from models.refining.widths import WINDOW_PX, gaussian_spline
from stream import zoo
from stream.config import Rig
from stream.errors import RigError

USUAL_WIDTH_PX = 1.3


def optics(rig: Rig, card: Card, camera: Camera, largest_px: int = LARGEST_PX) -> Optics:
    """Return what a fit must know: the spots of the rig or of the model; in focus Gaussians whose width is found.

    Parameters
    ----------
    rig : Rig
    card : Card
    camera : Camera
    largest_px : int
        Odd; windows are not larger.

    Raises
    ------
    RigError
        The file holds no spots, or their pixels have another size than the camera's.
    """
    pixel = rig.camera.pixel_size_nm
    if "channel" in card.columns:
        raise RigError(
            f"[refine] mode = {rig.refine.mode!r} with {card.name!r}, whose spots differ from colour to colour",
            limit="fits know one spot",
            remedy='set [refine] mode = "off"',
        )
    if "z_nm" not in card.columns:
        return gaussians(pixel, rig.optics.psf_sigma_nm, camera, min(WINDOW_PX, largest_px))
    spot = _read(rig.refine.spot or zoo.spot_of(rig.model.name))
    if abs(spot.pixel_size_nm - pixel) > 0.02 * pixel:
        raise RigError(
            f"the spots of {rig.model.name!r} have pixels of {spot.pixel_size_nm:g} nm, the rig says {pixel:g} nm",
            limit="2 % apart at most",
            remedy='train for this rig: livesmlm train, or set [refine] mode = "off"',
        )
    return Optics(spline_of(spot, largest_px), camera)


def gaussians(
    pixel_size_nm: float, sigma_nm: float | None, camera: Camera, window_px: int = WINDOW_PX
) -> Optics:  # fmt: skip
    """Return Gaussian spots whose width is fitted too; `sigma_nm` is where it starts, if it is known."""
    width_nm = sigma_nm or USUAL_WIDTH_PX * pixel_size_nm
    return Optics(gaussian_spline(pixel_size_nm, window_px), camera, width_nm)


def _read(path: Path) -> LowRankSpot:
    try:
        return LowRankSpot.load(path)
    except (OSError, ValueError) as error:
        raise RigError(
            f"[refine] spot = {path}: {error}", remedy='name the spot.npz of the training, or set mode = "off"'
        ) from error
