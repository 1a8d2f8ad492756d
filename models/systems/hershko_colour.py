"""Crops behind an open pupil -> colour: the classifier of Hershko et al., Opt. Express 27, 6158 (2019).

Of the paper: a convolutional network tells the colour of single emitters from their images on a grayscale camera, two
to five colours, with nothing or with a mask in the pupil; this is the one for the open pupil. Chosen here, where
nothing is public: the layers of `zelger.py`, crops as for Kim's network, and simulated training.
"""

from __future__ import annotations

from models.systems.colouring import Kind
from models.systems.zelger import ZelgerNetwork

SIZES = {"fast": (24,), "accurate": (64,)}
"""Name of a size -> channels at half resolution."""


def classifier(crop_px: int, outputs: int, size: tuple[int, ...]) -> ZelgerNetwork:
    """Return the network for crops of an even side that gives so many numbers for each."""
    (channels,) = size
    return ZelgerNetwork(crop_px, outputs, channels)


CLASSIFIER = Kind(classifier, SIZES, finds_z=False)
