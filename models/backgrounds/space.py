"""What networks for the background are trained on: the optics of a localizer, and background of any structure."""

from __future__ import annotations

from models.sample_space import Range, SampleSpace

SHARED = ("pixel_size_nm", "psf_sigma_px", "z_nm", "photons", "read_noise_e", "em_share", "hot_share")
"""Fields of a localizer's sample space that hold for crops too."""


def background_space(localizer: SampleSpace) -> SampleSpace:
    """Return the sample space of crops for the spot of a localizer's.

    Parameters
    ----------
    localizer : SampleSpace
        As `models.psf.default_space` gives it.
    """
    shared = SampleSpace({name: localizer.fields[name] for name in SHARED if name in localizer.fields})
    return shared.changed(
        background_e=Range(1, 300, "log-uniform"),  # mean photo-electrons per pixel
        background_contrast=Range(0, 0.6),  # standard deviation over the mean, within the crop
        background_period_nm=Range(400, 10_000, "log-uniform"),  # from what the optics resolve to hardly a slope
        offset_px=Range(-0.9, 0.9),  # of the emitter from the centre: half a pixel by cutting, the rest the detector's
        neighbour_share=0.25,  # of the crops with a second emitter, whose light is not background
    )
