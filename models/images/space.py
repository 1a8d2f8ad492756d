"""What networks that draw images are trained on: the optics of a localizer, and far more molecules."""

from __future__ import annotations

from models.sample_space import Range, SampleSpace

UPSAMPLING = 8
"""Super-resolved pixels along a camera pixel (Nehme et al. 2018)."""


def image_space(localizer: SampleSpace) -> SampleSpace:
    """Return the sample space of images for the spot of a localizer's.

    Parameters
    ----------
    localizer : SampleSpace
        As `models.psf.default_space` gives it.
    """
    narrower = {"psf_sigma_px": Range(1.0, 1.6, "log-uniform")} if "psf_sigma_px" in localizer.fields else {}
    return localizer.changed(
        **narrower,  # where spots overlap, how many there are is told by their width alone
        photons=Range(300, 10_000, "log-uniform"),
        density_per_um2=Range(0.1, 8, "log-uniform"),
        empty_share=0.05,
        along_share=0.5,  # of the samples whose molecules lie along curves, and so are locally denser; others: anywhere
    )
