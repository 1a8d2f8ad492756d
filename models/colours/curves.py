"""Colours told rightly by brightness and by height, and the error of z, as one picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt

Scores = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Brightness ("1000 photons") -> name -> what `scores_of_colours` returns."""


def draw(results: Scores, title: str, path: Path) -> None:
    """Write a PNG: accuracy by photons, accuracy by z at the middle brightness, RMSE of z by photons.

    Parameters
    ----------
    results : mapping
        As `Scores`.
    title : str
    path : Path
    """
    figure, (by_photons, by_z, depth) = plt.subplots(1, 3, figsize=(13, 3.6), layout="constrained")
    figure.suptitle(title)
    photons, middle = [float(at.split()[0]) for at in results], list(results)[len(results) // 2]
    for name, scores in results[middle].items():
        rows = [of[name] for of in results.values()]
        (line,) = by_photons.plot(photons, [row["accuracy"] for row in rows], marker="o", label=name)
        colour = line.get_color()
        by_photons.plot(photons, [row["stated"] for row in rows], ":", color=colour)
        by_z.plot([one["z_nm"] for one in scores["by_z"]], [one["accuracy"] for one in scores["by_z"]], color=colour)
        for k, _ in enumerate(rows[0].get("z_nm", ())):
            depth.plot(photons, [row["z_nm"][k]["rmse"] for row in rows], color=colour, alpha=0.5 + 0.5 * (k == 0))
    by_photons.set(xscale="log", xlabel="photo-electrons", ylabel="told rightly; dotted: stated", ylim=(0, 1.02))
    by_z.set(xlabel="z / nm", ylabel="told rightly", ylim=(0, 1.02), title=middle)
    depth.set(xscale="log", yscale="log", xlabel="photo-electrons", ylabel="RMSE of z / nm; a line each colour")
    by_photons.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)
