"""Forward model against real bead stacks: the pupil's phase is retrieved, model and picture are laid side by side.

    python tests/benchmarks/beads.py [--out PICTURES] [--data FOLDER] [NAME ...]

chi2: deviance per degree of freedom, photo-electrons over the excess noise factor where the conversion is known, else
by the noise of the border; 1 where the model is right within the shot noise. Held out: chi2 of slices left out
of the fit, five of each stack. Residual: root mean square of data less model over that of the data without background,
whatever the conversion. Blur: what the bead, vibration and the camera's pixels add, searched for with the modes.
Modes: Noll 5 to 28; psfapp 5 to 37 and 56. Cells: phase and amplitude of each cell of the pupil besides.
"""

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path

import numpy as np
import tifffile
from psfapp_zernikes import compare
from scipy.io import loadmat

from models.beads.finer import Finer, finer
from models.beads.picture import draw
from models.beads.starts import Start
from models.beads.task import Answer, Task, fewer_slices, solve
from models.beads.verdict import residual_share
from models.optics.objective import Objective
from models.optics.propagator import Setup

ROOT = Path(__file__).parents[2]
MODES = tuple(range(5, 29))
THEIR_MODES = (*range(5, 38), 56)
"""Those of the authors of psfapp."""
WITHOUT_ASTIGMATISM = tuple(map(Start, ({}, {11: 0.1}, {11: -0.1})))
DOUBT = 3.0
"""The other direction of the stage is taken if its chi-square is lower by so many standard deviations."""
EMCCD = 2 * 6.9
"""ADU per count of the challenge: 6.9 per photon, twice for the excess noise of the EM register. Differences of slices
10 nm apart have a variance of 13.1 to 14.0 times their mean from 200 to 8,000 ADU."""


@dataclass(frozen=True)
class Bead:
    adu: np.ndarray  # (z, y, x)
    focus_nm: np.ndarray
    objective: Objective
    pixel_nm: float
    offset_adu: float
    adu_per_count: float | None = None
    starts: tuple[Start, ...] = WITHOUT_ASTIGMATISM
    modes: tuple[int, ...] = MODES

    def counts(self) -> np.ndarray:
        return (self.adu - self.offset_adu) / (self.adu_per_count or self._by_noise())

    def _by_noise(self) -> float:
        """ADU per count if the difference of neighbours in the border is shot noise."""
        rows = np.concatenate((self.adu[:, :2], self.adu[:, -2:]), axis=1)
        return float(np.diff(rows, axis=2).var() / 2 / (rows.mean() - self.offset_adu))

    def task(self) -> Task:
        counts = self.counts()
        none = np.zeros(counts.shape[1:])
        setup = Setup(self.objective, pupil_samples=64)
        return fewer_slices(Task(setup, self.pixel_nm, self.focus_nm, (counts,), (none,), self.modes, self.starts))


def challenge(folder: Path, kind: str, starts: tuple[Start, ...]) -> Bead:
    """The bead at (2505, 2038) nm of the 2016 challenge's training stacks: every fifth slice of 151."""
    stack = tifffile.imread(folder / "smlm-challenge-2016" / f"Beads-{kind}_151x150x150.tif")[::5].astype(float)
    x, y, half = 25, 20, 15
    objective = Objective(1.49, 1.518, 1.518, 1.33, 670.0)
    adu = stack[:, y - half : y + half + 1, x - half : x + half + 1]
    return Bead(adu, np.arange(-750, 751, 50.0), objective, 100, 100, EMCCD, starts)


def tetrapod(folder: Path) -> Bead:
    stack = tifffile.imread(folder / "bead-tetrapod" / "TP_im.tif")[::3].astype(float)
    z_um = loadmat(folder / "bead-tetrapod" / "NFP_pos_TP_images.mat")["z_stack_pos"].ravel()[::3]
    middle, half = stack.shape[1] // 2, 28
    cut = slice(middle - half, middle + half + 1)
    objective = Objective(1.45, 1.518, 1.518, 1.33, 605.0)
    starts = Start({6: 0.25, 12: 0.4}), Start({6: -0.25, 12: -0.4})
    return Bead(stack[:, cut, cut], 1000.0 * z_um, objective, 160, 100, None, starts)


def psfapp(folder: Path) -> Bead:
    stack = tifffile.imread(folder / "bead-psfapp" / "measured-psf.tif").astype(float)
    objective = Objective(1.49, 1.518, 1.518, 1.33, 670.0)
    return Bead(stack[:, :49, :49], 200.0 * (np.arange(17) - 8), objective, 97, 100, modes=THEIR_MODES)


def small_roi(folder: Path) -> Bead:
    """Photons; the three stacks are the same one. 120 slices of 5 nm, added up by four."""
    stack = tifffile.imread(folder / "bead-small-roi" / "Example abberation fit" / "psf_zstack.tiff")[0].astype(float)
    objective = Objective(1.49, 1.51, 1.51, 1.51, 710.0)
    return Bead(stack[:, :15, :15], np.linspace(-300, 300, 120), objective, 65, 0, 1.0)


BEADS: dict[str, Callable[[Path], Bead]] = {
    "challenge-2D": lambda folder: challenge(folder, "2D", WITHOUT_ASTIGMATISM),
    "challenge-AS": lambda folder: challenge(folder, "AS", (Start({6: 0.1}), Start({6: -0.1}))),
    "tetrapod": tetrapod,
    "psfapp": psfapp,
    "small-roi": small_roi,
}


def solved(task: Task) -> tuple[Task, Answer]:
    """No image tells the direction of the stage, but in a mismatched sample one fits better: that one is taken."""
    answer = solve(task)
    if answer.reversed.chi2 < answer.first.chi2 - DOUBT * sqrt(2 / answer.first.freedom):
        task = replace(task, focus_nm=-task.focus_nm)
        answer = solve(replace(task, starts=(Start.of(answer.reversed), *task.starts)))
    return task, answer


def report(name: str, turned: bool, task: Task, answer: Answer, cells: Finer) -> None:
    found, (bead,) = answer.found, answer.found.beads
    largest = sorted(found.zernike_waves.items(), key=lambda item: -abs(item[1]))[:4]
    print(
        f"{name}: stage {'turned over' if turned else 'as given'} (chi2 of the other way "
        f"{answer.reversed.chi2:.2f}), blur {answer.blur_nm:.0f} nm, {bead.photons.mean():,.0f} counts and background "
        f"{bead.background.mean():.1f} a slice, " + ", ".join(f"Z{j} {value:+.3f}" for j, value in largest)
    )
    for what, chi2, beads, told in (
        ("modes", found.chi2, found.beads, cells.before),
        ("cells", cells.pixelwise.chi2, cells.pixelwise.beads, cells.after),
    ):
        share = residual_share(beads, task.stacks)
        each = " ".join(f"{value:.2f}" for value in told.chi2_of_slice)
        print(f"  {what}: chi2 {chi2:.2f}, residual {100 * share:.1f} %, held out {told.chi2:.2f} ({each})")
    print(f"  cells are {'used' if cells.better else 'not used'}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(BEADS), metavar="NAME", help=", ".join(BEADS))
    parser.add_argument("--out", type=Path)
    parser.add_argument(
        "--data", type=Path, default=os.environ.get("LIVESMLM_SHARED_DATA", ROOT.parent / "shared" / "data")
    )
    arguments = parser.parse_args()
    folder = Path(arguments.data)
    for name in arguments.names:
        begun = time.perf_counter()
        given = BEADS[name](folder).task()
        task, answer = solved(given)
        cells = finer(task, answer)
        report(name, task.focus_nm[0] != given.focus_nm[0], task, answer, cells)
        if name == "psfapp":
            compare(folder / "bead-psfapp" / "zernike-coefficients-fitted.csv", task, answer, cells.pixelwise)
        if arguments.out:
            draw(answer.found, task, arguments.out / f"{name}-modes.png")
            draw(answer.found, task, arguments.out / f"{name}-cells.png", cells.pixelwise)
        print(f"  {time.perf_counter() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
