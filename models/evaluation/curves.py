"""The figures of several localizers as one picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

AXES = ("x", "y", "z")


def draw(results: Mapping[str, dict[str, Any]], title: str, path: Path) -> None:
    """Write a PNG.

    Parameters
    ----------
    results : mapping of a localizer's name to what `judge` returns
    title : str
    path : Path
    """
    deep = len(next(iter(results.values()))["single"][0]["over_bound"]) == 3
    figure, panels = plt.subplots(2, 4, figsize=(17, 7.5), layout="constrained")
    figure.suptitle(title)
    for panel, column, label in zip(
        panels[0],
        ("jaccard", "rmse_lateral_nm", "rmse_axial_nm" if deep else "median_lateral_nm", "efficiency_lateral"),
        (
            "Jaccard",
            "lateral RMSE / nm",
            "axial RMSE / nm" if deep else "median lateral distance / nm",
            "efficiency / %",
        ),
        strict=True,
    ):
        _by(panel, results, "by_density", "density_per_um2", column)
        panel.set(xscale="log", xlabel="emitters per µm²", ylabel=label)
    _by(panels[1, 0], results, "by_photons", "photons", "jaccard")
    panels[1, 0].set(xscale="log", xlabel="photons at 0.5 per µm²", ylabel="Jaccard")
    for axis, panel in enumerate(panels[1, 1:]):
        if axis >= (3 if deep else 2):
            panel.set_visible(False)
        elif deep:
            _by_depth(panel, results, axis)
        else:
            _by_brightness(panel, results, axis)
    panels[0, 0].legend(frameon=False, fontsize=8)
    for panel in panels.flat:
        panel.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _by(panel: Axes, results: Mapping[str, dict[str, Any]], table: str, x: str, y: str) -> None:
    for name, result in results.items():
        panel.plot([row[x] for row in result[table]], [row[y] for row in result[table]], "o-", ms=3, label=name)


def _by_depth(panel: Axes, results: Mapping[str, dict[str, Any]], axis: int) -> None:
    """Draw RMSE over the bound of the brightest single emitters by z."""
    for name, result in results.items():
        single = result["single"][-1]
        rows = [row for row in single["by_depth"] if row["found"]]
        panel.plot([row["z_nm"] for row in rows], [row["over_bound"][axis] for row in rows], "o-", ms=3, label=name)
        panel.set(xlabel=f"z / nm, {single['photons']:.0f} photons")
    _against_the_bound(panel, axis)


def _by_brightness(panel: Axes, results: Mapping[str, dict[str, Any]], axis: int) -> None:
    """Draw RMSE over the bound of single emitters by photons."""
    for name, result in results.items():
        rows = result["single"]
        panel.plot([row["photons"] for row in rows], [row["over_bound"][axis] for row in rows], "o-", ms=3, label=name)
    panel.set(xscale="log", xlabel="photons of single emitters")
    _against_the_bound(panel, axis)


def _against_the_bound(panel: Axes, axis: int) -> None:
    panel.axhline(1, color="0.5", lw=1)
    panel.set(ylabel=f"RMSE in {AXES[axis]} / Cramér-Rao bound", ylim=(0.8, None))
