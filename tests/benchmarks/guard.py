"""What the guard sees, how soon, under which name; what it says of data that are as in the training; what it costs.

    python tests/benchmarks/guard.py table [--model astigmatic-fast] [--streams 5]
    python tests/benchmarks/guard.py roc [--molecules 3000]
    python tests/benchmarks/guard.py false-alarms --molecules 1000000

`table`: streams of frames of one sample behind an sCMOS camera, with all channels of the guard; molecules until the
first finding, and its name. `roc`: area under the curve of the molecules' channel, of n molecules against n matched
ones. `false-alarms`: matched samples, each under conditions of its own drawn from the sample space, one sum over all.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from export.guard import bench_for
from export.subjects import subject_of
from export.trained import read_model
from models.camera import Camera
from models.guard.coverage.coverage import Coverage
from models.guard.molecules import causes, matched
from models.guard.molecules.diagnosis import diagnose
from models.guard.molecules.guard_file import Guard
from models.guard.molecules.matched import MATCHED, Conditions, Mismatch
from models.guard.molecules.molecule_watch import MoleculeWatch
from models.guard.molecules.optics import Change
from models.guard.molecules.sequential import Sums
from models.optics.objective import Objective
from models.sample_space import SampleSpace
from models.scenes.optics import vectorial
from stream import zoo
from stream.stages.guard_channels import CameraChannel, CoverageChannel, MoleculeChannel

USUAL = Conditions(2000.0, 15.0, 0.1, 0.3, 2.0, 1.5, False, 0.95, 1.3)
SIDE_PX, AT_ONCE, MOST_FRAMES = 128, 8, 960
TELLS = 12
"""Molecules that a frame may give."""
OF_SAMPLE, SCENES_OF_SAMPLE = 200, 20
"""Molecules of a sample that should raise no alarm, and scenes of it at most."""

CROWDED = ("density x 12",)
"""Where next to no molecule stands alone."""


@dataclass(frozen=True)
class Case:
    """Something that is wrong, and which names of it are right."""

    mismatch: Mismatch
    names: tuple[str, ...]
    spot: str = ""


def optical(noll: int, waves: float) -> Mismatch:
    return Mismatch(Change(noll, waves))


CASES = {
    "as in the training": Case(MATCHED, ()),
    **{f"astigmatism {w:+g} waves": Case(optical(6, w), ("astigmatism",)) for w in (0.05, -0.05, 0.1, 0.2)},
    **{f"coma {w:+g} waves": Case(optical(8, w), ("coma along x",)) for w in (0.05, 0.1)},
    **{f"spherical {w:+g} waves": Case(optical(11, w), ("spherical aberration",)) for w in (0.05, 0.1)},
    "trefoil +0.05 waves": Case(optical(9, 0.05), ("trefoil along y",)),
    **{f"pixel size {s:+.0%}": Case(Mismatch(Change(pixel_scale=1 + s)), ("pixel size",)) for s in (0.02, 0.05, 0.1)},
    **{f"gain x {g:g}": Case(Mismatch(gain=g), ("gain", "noise")) for g in (0.8, 0.9, 1.1, 1.3)},
    "offset +5 ADU": Case(Mismatch(offset_adu=5.0), ("offset", "noise")),
    "read noise x 3": Case(Mismatch(read_noise=3.0), ("read noise", "noise")),
    "background x 4, inside": Case(Mismatch(background=4.0), ()),
    "background x 16": Case(Mismatch(background=16.0), ("background",)),
    "structured background": Case(Mismatch(structure=0.6), ("structured background",)),
    "density x 4, inside": Case(Mismatch(density=4.0), ()),
    "density x 12": Case(Mismatch(density=12.0), ("density",)),
    "photons x 5": Case(Mismatch(photons=5.0), ("photons",)),
    "z to 900 nm": Case(Mismatch(depth=1.5), ("z",), "deeper"),
    "blur 60 nm": Case(Mismatch(Change(blur_nm=60.0)), ("blur",)),
    "double helix": Case(MATCHED, ("another mask",), "double-helix"),
}

OF_CAMERA_AND_SAMPLE = (
    "as in the training", "gain x 0.8", "gain x 0.9", "gain x 1.1", "gain x 1.3", "offset +5 ADU", "read noise x 3",
    "background x 4, inside", "background x 16", "structured background", "density x 4, inside", "density x 12",
    "photons x 5",
)  # fmt: skip
IN_FOCUS = {name: CASES[name] for name in OF_CAMERA_AND_SAMPLE} | {
    name: Case(cause.mismatch, (cause.name,)) for name, cause in causes.IN_FOCUS.items() if cause.mismatch.parts
}


class Subjects:
    """A model with its guard, and the scenes for it."""

    def __init__(self, name: str, guard: Path | None) -> None:
        path = zoo.find(name)
        self.subject = subject_of(path)
        self.bench = bench_for(path, self.subject)
        card = read_model(path)[1]
        self.space: SampleSpace = card.sample_space
        self.cases = CASES if self.subject.depth_nm else IN_FOCUS
        if card.provenance["recipe"]["psf"] != "astigmatic":  # the other spots are other ones than its own
            self.cases = {name: case for name, case in self.cases.items() if not case.spot}
        self.guard = Guard.load(guard or zoo.guard_of(name))
        self._other = {}

    def spot(self, case: Case, drawn: Conditions, rng: np.random.Generator):
        if not case.spot:
            return self.subject.spot(drawn, case.mismatch, rng)
        if case.spot not in self._other:
            objective = Objective(sample_index=1.518)
            mask = "astigmatism" if case.spot == "deeper" else case.spot
            self._other[case.spot] = vectorial(objective, self.subject.pixel_size_nm, 2000.0, mask)
        return self._other[case.spot]

    def channels(self, camera: Camera, side_px: int):
        watch = MoleculeWatch(self.guard, self.subject.causes, self.subject.optics(camera), TELLS)
        pixel = self.subject.pixel_size_nm
        side_nm = side_px * pixel
        return watch, {
            "camera": CameraChannel(camera, (side_px, side_px), pixel),
            "coverage": CoverageChannel(Coverage(self.space, side_nm, side_nm, {})),
            "molecules": MoleculeChannel(watch),
        }

    def batches(self, case: Case, drawn: Conditions, rng, frames: int, side_px: int) -> Iterator:
        """Yield pixels, indices, rows and the camera that the rig states."""
        depth = self.subject.depth_nm
        spot = self.spot(case, drawn, rng)
        stack, camera = matched.frames(drawn, spot, depth, case.mismatch, rng, side_px, frames)
        table = self.bench.locate(stack, camera)
        where = np.asarray(table["frame"])
        for first in range(0, frames - 3, AT_ONCE):
            index = np.arange(first, first + 4)
            rows = table.where((where >= first) & (where < first + 4))
            yield stack[first : first + 4], index, rows, camera


def stream(subjects: Subjects, case: Case, seed: int):
    """Return molecules and frames until the first finding, and its name; no name: none within all frames."""
    rng = np.random.default_rng(seed)
    watch = channels = None
    for part in range(MOST_FRAMES // 40):
        for pixels, index, rows, camera in subjects.batches(case, USUAL, rng, 40, SIDE_PX):
            if channels is None:
                watch, channels = subjects.channels(camera, SIDE_PX)
            watch.pass_by(AT_ONCE)
            for name, channel in channels.items():
                channel.take(pixels, index + 40 * part, _moved(rows, 40 * part))
                found = channel.findings()
                if found:
                    return watch.molecules, 40 * part + int(index[-1]) + 1, found[0].name, name, found[0].cause
    return watch.molecules, MOST_FRAMES, "", "", ""


def _moved(rows, frames: int):
    from models.localizations import Localizations

    return Localizations({n: rows[n] + (frames if n == "frame" else 0) for n in rows})


def table(subjects: Subjects, streams: int, only: str) -> None:
    print("| wrong | found | molecules until then, median (frames) | named | rightly |\n|---|---|---|---|---|")
    for name, case in subjects.cases.items():
        if only and only not in name:
            continue
        runs = [stream(subjects, case, 1000 + k) for k in range(streams)]
        found = [run for run in runs if run[2]]
        names = Counter(f"{run[2]} ({run[3]})" for run in found)
        right = sum(run[2] in case.names for run in found)
        when = f"{median(r[0] for r in found):.0f} ({median(r[1] for r in found):.0f})" if found else "-"
        print(f"| {name} | {len(found)} of {streams} | {when} | {', '.join(f'{n} {c}' for n, c in names.items())} "
              f"| {right} of {len(found)} |", flush=True)  # fmt: skip


def roc(subjects: Subjects, molecules: int, only: str) -> None:
    """Print areas under the curve, drawing n molecules at random many times."""
    _bench, guard = subjects.bench, subjects.guard
    usual = looked(subjects, Case(MATCHED, ()), molecules, 1)
    print("| wrong | AUC of 10 | of 30 | of 100 molecules |\n|---|---|---|---|")
    for number, (name, case) in enumerate(subjects.cases.items()):
        if name in CROWDED or (only and only not in name):
            continue
        other = looked(subjects, case, molecules // 2, 2 + number)
        rng = np.random.default_rng(3)
        areas = [area(score(guard, usual, n, rng), score(guard, other, n, rng)) for n in (10, 30, 100)]
        print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in areas) + " |", flush=True)


def looked(subjects: Subjects, case: Case, molecules: int, seed: int) -> np.ndarray:
    """Return the deviations of many molecules."""
    rng, parts, total = np.random.default_rng(seed), [], 0
    while total < molecules:
        spot = subjects.spot(case, USUAL, rng)
        depth = subjects.subject.depth_nm
        found = subjects.bench.look(*matched.frames(USUAL, spot, depth, case.mismatch, rng))
        if found:
            seen, _ = found
            parts.append(subjects.guard.reference.deviations(seen.measures, seen.conditions))
            total += len(parts[-1])
    return np.concatenate(parts)


def score(guard: Guard, deviations: np.ndarray, count: int, rng, draws: int = 400) -> np.ndarray:
    """Return the largest standardised amount of any cause, or of what has none, for means of some molecules."""
    amounts = deviations @ guard.rules.weights.T
    picks = rng.integers(0, len(deviations), (draws, count))
    weights, between = guard.rules.weights, guard.reference.between
    spread = np.einsum("sm,mk,sk->s", weights, guard.reference.covariance / count + between, weights)
    return (amounts[picks].mean(1) / np.sqrt(spread)).max(1)


def area(usual: np.ndarray, other: np.ndarray) -> float:
    """Return the chance that the other score is higher."""
    return float((other[:, None] > usual).mean() + 0.5 * (other[:, None] == usual).mean())


def false_alarms(subjects: Subjects, molecules: int, seed: int) -> None:
    """Print alarms of one guard over samples that are as in the training, a few hundred molecules of each."""
    rng, alarms, begun, samples = np.random.default_rng(seed), Counter(), False, 0
    known = subjects.guard.reference
    names = [*subjects.guard.causes, "unlikeness"]
    sums = Sums(known, subjects.guard.usual, subjects.guard.rules)
    while sums.molecules < molecules:
        drawn, samples = matched.conditions(subjects.space, rng), samples + 1
        for seen in sample(subjects, drawn, rng):
            sums.take(known.deviations(seen.measures, seen.conditions), seen.conditions)
            if sums.raised.any() and not begun:
                called = [subjects.subject.causes[name].name for name in subjects.guard.causes]
                found = diagnose(known, subjects.guard.shifts, called, *sums.mean(sums.strongest))
                cause = subjects.guard.causes[found.which] if found.which >= 0 else "unknown"
                alarms[cause] += 1
                print(f"alarm after {sums.molecules} molecules: {cause}, by the sum for {names[sums.strongest]}, "
                      f"{found}; {drawn}", flush=True)  # fmt: skip
            begun = bool(sums.raised.any())
        if samples % 100 == 0:
            print(f"{sums.molecules} molecules, {samples} samples, {sum(alarms.values())} alarms", flush=True)
    print(f"{sums.molecules} matched molecules of {samples} samples: {sum(alarms.values())} alarms {dict(alarms)}")


def sample(subjects: Subjects, drawn: Conditions, rng) -> Iterator:
    """Yield what is seen of one sample, scene by scene."""
    spot, seen_so_far = subjects.subject.spot(drawn, MATCHED, rng), 0
    for _ in range(SCENES_OF_SAMPLE):
        found = subjects.bench.look(*matched.frames(drawn, spot, subjects.subject.depth_nm, MATCHED, rng))
        if found is not None:
            seen_so_far += len(found[1])
            yield found[0]
        if seen_so_far >= OF_SAMPLE:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("table", "roc", "false-alarms"))
    parser.add_argument("--model", default="astigmatic-fast")
    parser.add_argument("--guard", type=Path, help="other than the file beside the model")
    parser.add_argument("--streams", type=int, default=5)
    parser.add_argument("--molecules", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=9, help="of the false alarms' samples")
    parser.add_argument("--only", default="", help="cases whose name holds this")
    told = parser.parse_args()
    subjects = Subjects(told.model, told.guard)
    if told.what == "table":
        table(subjects, told.streams, told.only)
    elif told.what == "roc":
        roc(subjects, told.molecules, told.only)
    else:
        false_alarms(subjects, told.molecules, told.seed)


if __name__ == "__main__":
    main()
