"""What networks that tell colours are trained on, unless a file says otherwise."""

from __future__ import annotations

from models.colours.dyes import CF568_AND_AF647, with_dyes
from models.crops.space import SHARED
from models.sample_space import LOCALIZER_3D, Range, SampleSpace

COLOURS = with_dyes(
    SampleSpace({name: LOCALIZER_3D.fields[name] for name in SHARED}).changed(
        z_nm=Range(-500, 500), offset_px=Range(-0.9, 0.9)
    ),
    CF568_AND_AF647,
)
"""Nothing in the pupil, two dyes; fields as those of other crops (`models/crops/space.py`)."""
