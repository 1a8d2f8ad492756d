"""The sample space of somebody's own microscope: what its camera, its pixels and its spots leave open."""

from __future__ import annotations

from dataclasses import dataclass

from models.sample_space import LOCALIZER_3D, Range, SampleSpace

PIXEL_SHARE = 0.02
"""So far from what is stated the size of a pixel may be."""
NOISE_SHARE, NOISE_E = 0.3, 0.2
"""Read noise is drawn around what is stated, as a share of it and in photo-electrons besides."""
EM_NOISE_E = 0.5
"""Up to here read noise behind an EM register is drawn, whatever is stated (`training_cameras.py`)."""


@dataclass(frozen=True, slots=True)
class CameraFacts:
    """What is known of a camera.

    Parameters
    ----------
    pixel_size_nm : float
        In the sample.
    read_noise_e : float
        Photo-electrons, the EM gain taken out; the median of the pixels.
    em : bool
        Whether there is an EM register that multiplies.
    """

    pixel_size_nm: float
    read_noise_e: float
    em: bool


def space_of_microscope(camera: CameraFacts, z_range_nm: tuple[float, float]) -> SampleSpace:
    """Return what a network for this camera and these spots is trained on; the rest is as in `LOCALIZER_3D`.

    Parameters
    ----------
    camera : CameraFacts
    z_range_nm : (float, float)
        Where the spots are known; emitters are nowhere else.
    """
    pixel, noise = camera.pixel_size_nm, camera.read_noise_e
    around = Range(max(0.0, (1 - NOISE_SHARE) * noise - NOISE_E), (1 + NOISE_SHARE) * noise + NOISE_E)
    return LOCALIZER_3D.changed(
        pixel_size_nm=Range((1 - PIXEL_SHARE) * pixel, (1 + PIXEL_SHARE) * pixel),
        z_nm=Range(*z_range_nm),
        read_noise_e=Range(0, EM_NOISE_E) if camera.em else around,
        em_share=float(camera.em),
    )
