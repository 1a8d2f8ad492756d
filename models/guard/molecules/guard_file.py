"""What a model's guard knows, in one file beside the model: templates, reference, causes, thresholds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.guard.molecules.reference import Reference
from models.guard.molecules.sequential import SumRules
from models.guard.molecules.templates import Templates
from models.npz import read_npz

FORMAT = 2
ENDING = ".guard.npz"
Float64 = NDArray[np.float64]
_REFERENCE = ("low", "high", "means", "spreads", "center", "covariance", "between")
_USUAL = "usual_"
_RULES = ("weights", "allowance", "threshold")


@dataclass(frozen=True, slots=True)
class Guard:
    """What is needed to look at molecules, and to say what their deviations mean.

    Parameters
    ----------
    templates : Templates
    window_px : int
        Of the molecules that are looked at; odd.
    least_counts : float
        Dimmer molecules are not looked at; photo-electrons / F**2.
    reference : Reference
        Of the measures.
    usual : Reference
        Of the unlikeness.
    causes : tuple of str
        Keys of the causes whose shifts are known.
    shifts : (s, m) float64
        Mean deviations at the amount that a cause was simulated with.
    rules : SumRules
    made : dict
        How: weights of the model, molecules, scenes, seed.
    """

    templates: Templates
    window_px: int
    least_counts: float
    reference: Reference
    usual: Reference
    causes: tuple[str, ...]
    shifts: Float64
    rules: SumRules
    made: dict[str, Any]

    def save(self, path: Path) -> None:
        """Write one `.npz`."""
        about = {
            "format": FORMAT, "window_px": self.window_px, "least_counts": self.least_counts,
            "templates": self.templates.names, "measures": self.reference.names, "causes": self.causes,
            "made": self.made,
        }  # fmt: skip
        arrays = {name: getattr(self.reference, name) for name in _REFERENCE}
        arrays |= {_USUAL + name: getattr(self.usual, name) for name in _REFERENCE}
        arrays |= {name: getattr(self.rules, name) for name in _RULES}
        np.savez_compressed(
            path, about=json.dumps(about), templates=self.templates.coefficients.astype("f2"), shifts=self.shifts,
            **arrays,
        )  # fmt: skip

    @classmethod
    def load(cls, path: Path) -> Guard:
        """Read what `save` wrote; raises ValueError if the file is something else."""
        try:
            archive = read_npz(path)
            about = json.loads(str(archive["about"]))
            if about["format"] != FORMAT:
                raise ValueError(f"format {about['format']}, this version reads format {FORMAT}")
            names = (*_REFERENCE, *(_USUAL + name for name in _REFERENCE), *_RULES, "shifts")
            found = {name: archive[name].astype(float) for name in names}
            made = Templates(tuple(about["templates"]), archive["templates"].astype(np.float32))
        except (KeyError, ValueError) as error:
            raise ValueError(f"{path} holds no statistics of a guard: {error}") from error
        known, usual = (
            Reference(named, *(found[prefix + name] for name in _REFERENCE))
            for prefix, named in (("", tuple(about["measures"])), (_USUAL, ("unlikeness",)))
        )
        return cls(
            made, about["window_px"], about["least_counts"], known, usual, tuple(about["causes"]), found["shifts"],
            SumRules(*(found[name] for name in _RULES)), about["made"],
        )  # fmt: skip
