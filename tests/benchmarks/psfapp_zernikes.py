"""The aberrations that the authors of `bead-psfapp` found in their bead, beside those that are found here.

What their program does (schneidermc/psf-simulation-app @ ab378c7, aberration_measurement_exported.m): Noll modes of
unit root mean square, coefficients in waves, phase exp(+i ...) with +z k cos(theta) of the immersion for slice after
slice, as here; tilt and the defocus of a high aperture are taken off all modes, and the amplitude is a polynomial of
degree 6 of the radius. It is not said how their image lies to their pupil: sines change sign if y is turned over, odd
modes if the transform's sign is the other one. All four are tried, and the one that agrees best is printed.
"""

from itertools import product
from pathlib import Path

import numpy as np

from models.beads.finer import phase_and_amplitude
from models.beads.task import Answer, Task
from models.fitting.pixelwise import Pixelwise
from models.optics import zernike

DEFOCUS = 4


def compare(theirs_file: Path, task: Task, answer: Answer, cells: Pixelwise) -> None:
    """Print Noll index, theirs, ours of the modes, and ours with the cells put into modes, in waves."""
    theirs = {int(j): value for j, value in np.loadtxt(theirs_file) if j >= DEFOCUS}
    modes = tuple(theirs)
    pupil = task.spot(0.0).propagator.pupil
    inside = pupil.x**2 + pupil.y**2 <= 1
    basis = zernike.basis(modes, pupil.x, pupil.y)[:, inside].T
    tilt = np.stack((np.ones(inside.sum()), pupil.x[inside], pupil.y[inside]), 1)
    into_modes = np.linalg.pinv(np.concatenate((basis, tilt), 1))[: len(modes)]
    defocus = into_modes @ pupil.kz_immersion.real[inside]
    by_modes = np.array([answer.found.zernike_waves.get(j, 0.0) for j in modes])
    by_cells = into_modes @ phase_and_amplitude(task, answer, cells)[0][inside] / (2 * np.pi)
    known = np.array(list(theirs.values()))
    columns = [values - defocus * (values @ defocus) / (defocus @ defocus) for values in (by_modes, by_cells)]
    signs = min(_turns(modes), key=lambda turn: float(np.linalg.norm(turn[1] * columns[1] - known)))
    print(f"  against its authors ({signs[0]}), waves:\n    Noll  theirs   modes   cells")
    for j, *values in zip(modes, known, *(signs[1] * column for column in columns), strict=True):
        print(f"    {j:4d} " + " ".join(f"{value:+7.3f}" for value in values))
    for name, column in zip(("modes", "cells"), columns, strict=True):
        error = np.linalg.norm(signs[1] * column - known)
        print(f"    {name}: root sum of squares of the difference {error:.3f}, of theirs {np.linalg.norm(known):.3f}")


def _turns(modes: tuple[int, ...]) -> list[tuple[str, np.ndarray]]:
    """Return the names and signs of the four ways in which their image may lie."""
    orders = [zernike.noll_to_nm(j) for j in modes]
    result = []
    for y_over, half_turn in product((False, True), repeat=2):
        signs = [(-1.0 if y_over and m < 0 else 1.0) * (-1.0 if half_turn and n % 2 else 1.0) for n, m in orders]
        name = " and ".join([*["y turned over"] * y_over, *["turned by 180 degrees"] * half_turn]) or "as it lies"
        result.append((name, np.array(signs)))
    return result
