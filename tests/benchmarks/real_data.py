"""LiveSMLM on recorded data that nobody here made, against the fits that come with it.

    python tests/benchmarks/real_data.py --data ../shared/data [--refine off|isolated|all] [--model NAME] [--out DIR]

Each set is replayed by `livesmlm replay`. A localization agrees with the reference if they are paired within one
camera pixel. With --out, an overlay for each set: localizations as circles, the reference as crosses.
"""

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from replayed import ROOT, replay

from models.localizations import Localizations
from models.metrics import Rules, score
from stream.readers.tables import read_table
from stream.sources.replay import ReplaySettings, ReplaySource


@dataclass(frozen=True)
class DataSet:
    stack: Path
    camera: dict[str, float | str]
    reference: Localizations | None = None
    note: str = ""
    extra: Callable[[Localizations, float], str] = field(default=lambda table, pixel_nm: "")


def reference_px(frame: np.ndarray, x_px: np.ndarray, y_px: np.ndarray, pixel_nm: float) -> Localizations:
    """A reference in pixels, integer at the pixel's centre."""
    return Localizations({"frame": frame, "x_nm": (x_px + 0.5) * pixel_nm, "y_nm": (y_px + 0.5) * pixel_nm})


def crocker_grier(data: Path, work: Path) -> DataSet:
    """TIRF of pMHC-AF647; sdt-python's Crocker-Grier fit. Camera and pixel size are not stated: 160 nm, 10 ADU/e."""
    folder = data / "sdt-crocker-grier"
    with np.load(folder / "pMHC_AF647_200k_000_.npz") as archive:
        np.save(work / "pmhc.npy", archive["frames"])
    with np.load(folder / "cg_loc_orig.npz") as archive:
        rows = [(int(name), *row[:2]) for name in archive.files for row in archive[name]]
    frame, x, y = np.array(rows).T
    camera = {"pixel_size_nm": 160, "offset_adu": 150, "gain_e_per_adu": 10, "em_gain": 100, "read_noise_e": 30}
    return DataSet(work / "pmhc.npy", camera, reference_px(frame.astype(int), x, y, 160), "camera assumed")


def smfret(data: Path, work: Path) -> DataSet:
    """TIRF of single molecules that stay where they are, iXon EMCCD, 21.5 ADU per photo-electron; no list."""
    camera = {"pixel_size_nm": 160, "offset_adu": 120, "gain_e_per_adu": 100 / 21.5, "em_gain": 100, "read_noise_e": 40}
    return DataSet(
        data / "smfret-tirf/fix_acceptor_y40_x300_300f.tif", camera, None, "pixel size assumed", repeatability
    )


def repeatability(table: Localizations, pixel_nm: float) -> str:
    """Scatter of molecules that were found in at least 20 frames, around their median position."""
    x, y = table["x_nm"] / pixel_nm, table["y_nm"] / pixel_nm
    left, spreads, stated = np.ones(len(table), bool), [], []
    while left.any():
        seed = np.flatnonzero(left)[0]
        near = left & (np.hypot(x - x[seed], y - y[seed]) < 1.0)
        if near.sum() >= 20:
            around = np.hypot(x[near] - np.median(x[near]), y[near] - np.median(y[near])) < 0.7
            spreads.append(np.sqrt((x[near][around].var() + y[near][around].var()) / 2))
            sigma = np.hypot(table["sigma_x_nm"], table["sigma_y_nm"])[near][around] / pixel_nm / np.sqrt(2)
            stated.append(np.sqrt(np.mean(sigma**2)))
        left &= ~near
    return (
        f"{len(spreads)} molecules seen in 20 frames or more repeat to {np.median(spreads):.3f} px (median), "
        f"the stated sigma is {np.median(stated):.3f} px"
    )


def scmos(data: Path, work: Path) -> DataSet:
    """STORM on an sCMOS with its calibration, which is transposed and lacks the camera's base of 100 ADU.

    The gain is read as electrons per ADU: the frames' noise (variance 16 ADU^2 at 5 ADU above the base, of which 6 are
    read noise) means 2 ADU per electron, and the map's median is 0.474.
    """
    folder = data / "scmos-storm"
    offset, variance, gain = (plane.T for plane in np.load(folder / "calib.npy", allow_pickle=True))
    maps = work / "maps.npz"
    np.savez(maps, offset_adu=offset + 100, gain_e_per_adu=gain, read_noise_e=np.sqrt(variance) * gain)
    return DataSet(
        folder / "sample.dax", {"pixel_size_nm": 160, "maps": str(maps)}, None, "with its maps", storm_counts
    )


def storm_counts(table: Localizations, pixel_nm: float) -> str:
    """Localizations per frame beside those of the authors' fit."""
    authors = [34, 38, 33, 46, 37, 37, 44, 40, 38, 48]
    ours = np.bincount(table["frame"], minlength=10).tolist()
    return f"per frame {ours}, the authors' fit {authors}"


def picasso(data: Path, work: Path) -> DataSet:
    """Simulated DNA-PAINT; Picasso's localizations."""
    frame_x_y = _picasso_rows(data / "picasso/testdata_locs.hdf5")
    camera = {"pixel_size_nm": 160, "offset_adu": 0, "gain_e_per_adu": 1, "read_noise_e": 1}
    return DataSet(data / "picasso/testdata.raw", camera, reference_px(*frame_x_y, 160), "simulated")


def _picasso_rows(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    table = read_table(path, pixel_size_nm=1.0)
    table = table.where(table["frame"] < 100)  # the list goes on; the stack that comes with it ends here
    return table["frame"], table["x_nm"] - 0.5, table["y_nm"] - 0.5


def thunderstorm(data: Path, work: Path) -> DataSet:
    """Simulated EMCCD movie (sparse); ThunderSTORM's list."""
    folder = data / "thunderstorm-synth/kept"
    camera = {"pixel_size_nm": 108, "offset_adu": 100, "gain_e_per_adu": 3.6, "em_gain": 100, "read_noise_e": 1}
    reference = read_table(folder / "sparse_108nm_thunderstorm_wavelet.csv.gz")
    return DataSet(folder / "sparse_108nm.tif", camera, reference, "simulated")


SETS = {
    "sdt-crocker-grier": crocker_grier,
    "smfret-tirf": smfret,
    "scmos-storm": scmos,
    "picasso": picasso,
    "thunderstorm-synth": thunderstorm,
}


def overlay(made: DataSet, table: Localizations, pixel_nm: float, path: Path) -> None:
    """Draw the fullest of the first frames with what was found."""
    source = ReplaySource(ReplaySettings(path=made.stack))
    source.open()
    frames = [frame for _, frame in zip(range(10), source.frames(), strict=False) if frame is not None]
    source.close()
    frame = max(frames, key=lambda frame: (table["frame"] == frame.index).sum())
    figure, axes = plt.subplots(figsize=(10, 10))
    axes.imshow(frame.pixels, cmap="gray", vmax=np.percentile(frame.pixels, 99.8), interpolation="nearest")
    for rows, marker, label in ((table, "o", "LiveSMLM"), (made.reference, "x", "reference")):
        if rows is not None:
            here = rows["frame"] == frame.index
            x, y = rows["x_nm"][here] / pixel_nm - 0.5, rows["y_nm"][here] / pixel_nm - 0.5
            style = {"facecolors": "none", "edgecolors": "cyan"} if marker == "o" else {"c": "red"}
            axes.scatter(x, y, s=90 if marker == "o" else 30, marker=marker, label=label, linewidths=1, **style)
    axes.set_title(f"frame {frame.index}")
    axes.legend()
    figure.savefig(path, dpi=80, bbox_inches="tight")
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--model", default="2d-fast")
    parser.add_argument("--refine", default="off", choices=["off", "isolated", "all"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for title, make in SETS.items():
            made = make(options.data, work)
            pixel_nm = float(made.camera["pixel_size_nm"])
            out = replay(made.stack, made.camera, options.model, options.refine, work / title)
            table = read_table(out / "table.parquet")
            print(f"{title} ({made.note}): {len(table)} localizations", made.extra(table, pixel_nm))
            if "flags" in table:
                print(f"    refined {np.mean(table['flags'] > 0):.2f}, goodness {np.nanmedian(table['goodness']):.2f}")
            if made.reference is not None:
                s = score(made.reference, table, Rules(tolerance_nm=pixel_nm))
                print(
                    f"    reference {s.references}: recall {s.recall:.3f}, precision {s.precision:.3f}, "
                    f"median distance {s.median_lateral_nm / pixel_nm:.3f} px ({s.median_lateral_nm:.1f} nm), "
                    f"bias {s.bias_x_nm / pixel_nm:+.3f}, {s.bias_y_nm / pixel_nm:+.3f} px"
                )
            if options.out is not None:
                options.out.mkdir(parents=True, exist_ok=True)
                overlay(made, table, pixel_nm, options.out / f"{title}.png")


if __name__ == "__main__":
    main()
