"""Error over the bound through the depth, as one picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt

SHOWN = ("x_px", "y_px", "z_nm")
MOST = 6.0


def draw(results: Mapping[str, Mapping[str, Mapping[str, Any]]], title: str, path: Path) -> None:
    """Write a PNG: a row for each kind of crops, a panel for each coordinate.

    Parameters
    ----------
    results : mapping of kind of crops to mapping of name to what `scores_of` returns
    title : str
    path : Path
    """
    size = (4.2 * len(SHOWN), 2.9 * len(results))
    figure, panels = plt.subplots(len(results), len(SHOWN), figsize=size, layout="constrained", squeeze=False)
    figure.suptitle(title)
    for row, (at, contestants) in zip(panels, results.items(), strict=True):
        for panel, quantity in zip(row, SHOWN, strict=True):
            for name, scores in contestants.items():
                slices = scores.get(quantity, {}).get("by_z", [])
                known = [one for one in slices if "over_bound" in one]
                if known:
                    panel.plot([one["z_nm"] for one in known], [one["over_bound"] for one in known], label=name)
            panel.axhline(1, color="0.7", linewidth=1)
            panel.set(ylim=(0, MOST), xlabel="z / nm", ylabel=f"{quantity[0]}: RMSE / bound", title=at)
    panels[0, 0].legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)
