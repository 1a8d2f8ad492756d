"""Beads, model, what is left, the pupil and its coefficients as one picture."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from models.beads.task import Task
from models.fitting.bead_model import phase_basis
from models.fitting.pixelwise import Pixelwise
from models.fitting.retrieved import Retrieved, RetrievedBead

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

Float64 = NDArray[np.float64]
SLICES, PULL, MOST_TICKS = 9, 5.0, 24


def draw(found: Retrieved, task: Task, path: Path, cells: Pixelwise | None = None) -> None:
    """Write a picture of the first bead and of the pupil.

    Parameters
    ----------
    found : Retrieved
    task : Task
    path : Path
        PNG.
    cells : Pixelwise or None
        What else is in the pupil.
    """
    figure = plt.figure(figsize=(13.5, 8), layout="constrained")
    halves = figure.subfigures(2, 1, height_ratios=(1.5, 1))
    assert isinstance(halves, np.ndarray)
    above, below = halves
    _slices(above.subplots(3, SLICES), (cells or found).beads[0], task)
    *pupil, bars = below.subplots(1, 3 if cells else 2, width_ratios=(1, 1, 2) if cells else (1, 3))
    _phase(pupil[0], found, task, cells)
    if cells:
        _shown(pupil[1], task, cells.pupil.amplitude, "pupil's amplitude", (0.0, None), "viridis")
    _coefficients(bars, found, cells)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def _slices(axes: np.ndarray, bead: RetrievedBead, task: Task) -> None:
    data = task.stacks[0]
    variance = np.broadcast_to(task.variances[0], data.shape)
    chosen = np.unique(np.linspace(0, len(data) - 1, SLICES).round().astype(int))
    for panel in axes.flat:
        panel.set(xticks=[], yticks=[])
    for column, k in enumerate(chosen):
        low, high = float(bead.background[k]), float(data[k].max())
        pull = (data[k] - bead.model[k]) / np.sqrt(np.maximum(bead.model[k] + variance[k], 1e-3))
        for row, image in enumerate((data[k], bead.model[k])):
            axes[row, column].imshow(image, vmin=low, vmax=high, cmap="magma")
        axes[2, column].imshow(pull, vmin=-PULL, vmax=PULL, cmap="coolwarm")
        axes[0, column].set_title(f"{task.focus_nm[k]:+.0f} nm", fontsize=9)
    for row, name in enumerate(("measured", "model", f"residual / noise, ±{PULL:.0f}")):
        axes[row, 0].set_ylabel(name, fontsize=9)


def _phase(panel: Axes, found: Retrieved, task: Task, cells: Pixelwise | None) -> None:
    basis = phase_basis(task.spot(0.0), tuple(found.zernike_waves))
    phase = np.tensordot(list(found.zernike_waves.values()), basis, 1) + (cells.pupil.phase_rad if cells else 0.0)
    waves, inside = phase / (2 * np.pi), _inside(task)
    most = float(np.abs(waves[inside]).max()) or 1.0
    _shown(panel, task, waves, "pupil's phase, waves", (-most, most), "RdBu_r")


def _shown(
    panel: Axes, task: Task, values: Float64, title: str, limits: tuple[float, float | None], colours: str
) -> None:
    image = np.where(_inside(task), values, np.nan)
    shown = panel.imshow(image, vmin=limits[0], vmax=limits[1], cmap=colours)
    panel.set(xticks=[], yticks=[], title=title)
    plt.colorbar(shown, ax=panel)


def _inside(task: Task) -> NDArray[np.bool_]:
    pupil = task.spot(0.0).propagator.pupil
    return np.asarray(pupil.x**2 + pupil.y**2 <= 1)


def _coefficients(panel: Axes, found: Retrieved, cells: Pixelwise | None) -> None:
    modes = list(found.zernike_waves)
    panel.bar(modes, list(found.zernike_waves.values()), yerr=list(found.sigma_waves.values()), color="#4477aa")
    panel.axhline(0, color="0.5", lw=0.8)
    panel.set(xlabel="Noll index", ylabel="waves, root mean square", xticks=modes[:: -(-len(modes) // MOST_TICKS)])
    chi2 = f"{found.chi2:.2f}" + (f" by modes, {cells.chi2:.2f} with cells" if cells else "")
    panel.set_title(f"chi-square {chi2}; modes known to {found.error_waves:.4f} waves")
