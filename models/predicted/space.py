"""What networks that predict dense images are trained on."""

from __future__ import annotations

from models.sample_space import Range, SampleSpace

PIXEL_NM = 20.0
"""Of the images."""
COARSER = 4
"""Pixels of an image along one of the widefield image (Ouyang et al. 2018)."""
TILE_PX = 256
"""Edge of what a network sees: eight stages halve it to one."""
FULL_FRAMES = 30_000
"""Frames after which an image counts as dense."""
SCORED_PER_UM2 = 800.0
"""Localizations of the dense images that scores are of."""
TRAINED_STRUCTURES = ("filaments", "rings")
"""That a network is told of, in this order."""

PREDICTED = SampleSpace({
    "localizations_per_um2": Range(200, 2000, "log-uniform"),  # after all frames
    "share": Range(60 / FULL_FRAMES, 1, "log-uniform"),  # of them that are there already
    "precision_nm": Range(6, 20),
    "false_share": Range(0, 0.05),  # of the localizations that are anywhere
    "widefield_sigma_nm": Range(110, 160),
    "widefield_background": Range(0, 0.3),  # over the brightest pixel
    "widefield_noise": Range(0, 0.04),  # standard deviation over the brightest pixel
})  # fmt: skip
