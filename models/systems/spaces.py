"""What systems are trained on that choose their spots themselves, or see none: no `--psf` is theirs. No torch."""

from __future__ import annotations

from collections.abc import Mapping

from models.aberrations.space import SPACES
from models.bleaching.space import TRACES
from models.colours.space import COLOURS
from models.crops.space import OWN
from models.masks.space import COLOURS_IN_FOCUS, DEPTH
from models.predicted.space import PREDICTED
from models.sample_space import SampleSpace

WITH_OPTICS: Mapping[str, SampleSpace] = {
    **SPACES, **OWN, "hershko": COLOURS_IN_FOCUS, "deepstorm3d-mask": DEPTH, "kim": COLOURS, "hershko-colour": COLOURS,
}  # fmt: skip
WITHOUT_OPTICS: Mapping[str, SampleSpace] = {"xu-bleaching": TRACES, "anna-palm": PREDICTED}
