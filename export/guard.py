"""What a model's guard knows is learned here: matched data and each cause are simulated, and the model locates them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.evaluate import locator
from export.exported import OfCard, exported
from export.trained import read_model
from models.camera import Camera
from models.evaluation.conditions import Locate
from models.guard.molecules import matched
from models.guard.molecules.guard_file import Guard
from models.guard.molecules.matched import MATCHED, Mismatch
from models.guard.molecules.measures import OTHERS, Seen, alone, look
from models.guard.molecules.reference import reference
from models.guard.molecules.sequential import sum_rules
from models.guard.molecules.subject import Subject
from models.guard.molecules.templates import Templates
from models.guard.molecules.unlikeness import unlikeness
from models.localizations import Localizations
from models.sample_space import SampleSpace

FOR_EACH, SCENES_FOR_EACH = 20, 300
"""A cause is shown by a 20th of the matched molecules, and by a scene for each 300 of them at most: of what is far off
a network finds little."""
MOLECULES, FOR_CAUSES = 24_000, 1.4
"""Matched molecules; how long the causes take, over that."""
SIGMAS = "sigma_x_nm", "sigma_y_nm", "sigma_z_nm"
CROWD_PX, CROWD_FRAMES, CROWD_PHOTONS, CROWD_BACKGROUND = 128, 24, 2000.0, 15.0
LEAST_COUNTS = 250.0
"""Dimmer molecules tell little, and unseen neighbours are as bright."""
SEED = 20_261_127

Float64 = NDArray[np.float64]
Progress = Callable[[str, float], None]
"""Told what is simulated, and which part of all is done."""


SPREAD = 0.01, 0.99
"""Quantiles of the stated uncertainties of matched molecules that are kept."""


@dataclass(frozen=True, slots=True)
class Looked:
    """Molecules of many scenes: which scene, measures, conditions and stated uncertainties of each."""

    scene: NDArray[np.int64]
    measures: Float64
    conditions: Float64
    sigma_nm: Float64


class Bench:
    """Simulates data for a model, has it locate them, and looks at what it found.

    Parameters
    ----------
    locate : callable
        The model.
    subject : Subject
    space : SampleSpace
    templates : Templates
    """

    def __init__(self, locate: Locate, subject: Subject, space: SampleSpace, templates: Templates) -> None:
        self.locate, self._space, self.subject, self.templates = locate, space, subject, templates

    def look(self, stack: NDArray[np.uint16], camera: Camera) -> tuple[Seen, Localizations] | None:
        """Look at the molecules of some frames; returns their rows too, or None if none can be looked at."""
        table = self.locate(stack, camera)
        frame, spline = np.asarray(table["frame"], np.int64), self.subject.spline
        rows = alone(table, frame, (stack.shape[1], stack.shape[2]), spline)
        bright = np.asarray(table["photons"], np.float64)[rows] / camera.excess > LEAST_COUNTS
        if not bright.any():
            return None
        counts = np.asarray(camera.photo_electrons(stack) / np.float32(camera.excess), np.float32)
        seen = look(counts, frame, table, rows[bright], self.subject.optics(camera), self.templates)
        return seen, table.where(rows[bright])

    def many(self, molecules: int, seed: int, mismatch: Mismatch = MATCHED, most_scenes: float = inf) -> Looked:
        """Look at as many molecules, each scene under conditions of its own; at fewer, if scenes show too few.

        A scene has the same conditions and molecules whatever the mismatch.
        """
        total, scene = 0, 0
        parts: list[Looked] = []
        while total < molecules and (scene < most_scenes or not parts):
            scene += 1
            sample, exposure = (np.random.default_rng((seed, scene, part)) for part in range(2))
            drawn = matched.conditions(self._space, sample)
            spot = self.subject.spot(drawn, mismatch, sample)
            found = self.look(*matched.frames(drawn, spot, self.subject.depth_nm, mismatch, exposure))
            if found is not None:
                seen, table = found
                sigma = np.column_stack([np.asarray(table[name], np.float64) for name in table if name in SIGMAS])
                parts.append(Looked(np.full(len(table), scene), seen.measures, seen.conditions, sigma))
                total += len(table)
        return Looked(*(np.concatenate([getattr(p, name) for p in parts]) for name in Looked.__slots__))

    def found_at_most(self) -> float:
        """Return how many molecules per um2 the model finds where there are as many as it was trained up to."""
        rng, most = np.random.default_rng(SEED - 1), self._space["density_per_um2"].high
        drawn = replace(
            matched.conditions(self._space, rng), density_per_um2=most, photons=CROWD_PHOTONS,
            background=CROWD_BACKGROUND, multiplied=False,
        )  # fmt: skip
        spot = self.subject.spot(drawn, MATCHED, rng)
        stack, camera = matched.frames(drawn, spot, self.subject.depth_nm, MATCHED, rng, CROWD_PX, CROWD_FRAMES)
        area_um2 = (CROWD_PX * self.subject.pixel_size_nm / 1000) ** 2
        return len(self.locate(stack, camera)) / (CROWD_FRAMES * area_um2)


def bench_for(model: Path, subject: Subject) -> Bench:
    """Return the bench of an exported localizer."""
    _, card = read_model(model)
    locate = locator(exported(model, OfCard.of(card)), card.threshold, subject.pixel_size_nm)
    return Bench(locate, subject, card.sample_space, subject.templates())


def learn(bench: Bench, made: dict[str, Any], progress: Progress, molecules: int = MOLECULES) -> Guard:
    """Return what the guard of a model knows.

    Parameters
    ----------
    bench : Bench
    made : dict
        To keep of how it was made.
    progress : callable
    molecules : int
        Matched ones; a 20th of them for each cause.
    """
    causes, names = bench.subject.causes, bench.templates.names + OTHERS
    progress("as in the training", 0.0)
    matched_ones = bench.many(molecules, SEED)
    known = reference(names, matched_ones.scene, matched_ones.measures, matched_ones.conditions)
    deviations = known.deviations(matched_ones.measures, matched_ones.conditions)
    usual = unlikeness(known, matched_ones.scene, deviations, matched_ones.conditions)
    shifts = []
    for number, (name, cause) in enumerate(causes.items()):
        progress(name, (1 + number / len(causes) * FOR_CAUSES) / (1 + FOR_CAUSES))
        looked = bench.many(molecules // FOR_EACH, SEED, cause.mismatch, molecules // SCENES_FOR_EACH)
        changed = known.deviations(looked.measures, looked.conditions)
        shifts.append(paired(matched_ones.scene, deviations, looked.scene, changed))
    rules = sum_rules(known, usual, np.array(shifts))
    crowded = bench.found_at_most()
    sigmas = np.quantile(matched_ones.sigma_nm, SPREAD, axis=0).T.tolist()
    facts = made | {
        "molecules": len(matched_ones.scene),
        "usual_sigma_nm": sigmas,
        "found_at_most_per_um2": crowded,
        "pixel_size_nm": bench.subject.pixel_size_nm,
        "scenes": int(matched_ones.scene[-1]),
        "seed": SEED,
    }
    return Guard(
        bench.templates, bench.subject.spline.window_px, LEAST_COUNTS, known, usual, tuple(causes), np.array(shifts),
        rules, facts,
    )  # fmt: skip


def paired(scene: NDArray[np.int64], usual: Float64, other_scene: NDArray[np.int64], other: Float64) -> Float64:
    """Return the mean difference (m,) of scenes with and without a mismatch: what samples differ by is in both.

    Parameters
    ----------
    scene, other_scene : (n,), (k,) int64
    usual, other : (n, m), (k, m) float64
        Deviations of the molecules of these scenes.
    """
    both = np.intersect1d(scene, other_scene)
    counts = [np.array([(where == one).sum() for one in both]) for where in (scene, other_scene)]
    means = [
        np.array([values[where == one].mean(0) for one in both])
        for where, values in ((scene, usual), (other_scene, other))
    ]
    weights = counts[0] * counts[1] / (counts[0] + counts[1])
    return np.asarray(np.average(means[1] - means[0], axis=0, weights=weights), np.float64)
