"""A learned mask beside the open aperture: what the images can give, what fits and the network make of them.

    python tests/benchmarks/masks.py bounds --out PICTURES [--steps 150] [--depth]
    python tests/benchmarks/masks.py network MODEL.onnx [--emitters 120] [--out PICTURES]
    python tests/benchmarks/masks.py twins SPOTS.npz

`bounds` needs no network: it learns a mask by the bounds of the position and how far the colours' images are apart, and
prints these for the mask and for the open aperture at equal photons, in depth for the tetrapod too. `network` takes a
model of `livesmlm train hershko` and the mask beside it: single emitters behind its mask, located by the network and by
fits that know all spots and take the likeliest colour; and fits behind the open aperture. `twins` says how like another
height looks that is 600 nm or more away, which no bound tells: the cosine between images, of each height the largest.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch

mpl.use("Agg")
from matplotlib import pyplot as plt

from export.evaluate import locator
from export.exported import exported
from export.trained import read_model
from models.aberrations.space import with_objective
from models.colours.dyes import dyes_of
from models.fitting.fit import Options, fit
from models.fitting.start import guess
from models.localizations import Localizations
from models.masks.criterion import for_colours, for_depth, optimised
from models.masks.file import MASK, MaskFile
from models.masks.learned import LearnedMask
from models.masks.optics import layer_of, modulator_of, setups_of
from models.masks.scoring import by_photons
from models.masks.separation import APART_NM, LATERAL, confusion
from models.masks.space import COLOURS_IN_FOCUS, DEPTH
from models.optics.crlb import spot_bounds
from models.optics.expected import PARAMETERS
from models.optics.low_rank import LowRankSpot
from models.optics.objective import Objective
from models.optics.vectorial import VectorialSpot
from models.scenes.optics import MASKS
from models.systems.hershko import HershkoLocalizer

PHOTONS = (500.0, 1000.0, 3000.0)
BACKGROUND = 10.0
HEIGHTS_NM = tuple(np.linspace(-1440.0, 1440.0, 9))
SEED = 51_000
SIZE_PX = int(DEPTH.number("window_px"))


def open_aperture(space):
    """Return a mask that does nothing."""
    mask = LearnedMask(modulator_of(space))
    torch.nn.init.zeros_(mask.raw)
    return mask.requires_grad_(False)


def stored(space, path):
    """Return the mask of a file."""
    mask = LearnedMask(modulator_of(space))
    phase = torch.from_numpy(MaskFile.load(path).phase_rad)
    stroke = mask.modulator.stroke_rad
    raw = (phase - torch.pi) * 4 / stroke if mask.modulator.wrapped else torch.logit(phase / stroke, 1e-6)
    mask.raw.data = raw
    return mask.requires_grad_(False)


def tetrapod(space):
    """Return the spot of the tetrapod for 3 um in the same optics."""
    (setup,) = setups_of(space)
    return VectorialSpot(replace(setup, mask=MASKS["tetrapod-3"]), space.scale("pixel_size_nm")[0], SIZE_PX)


def emitters(photons, heights=(0.0,)):
    return torch.tensor([[20.0, -30.0, z, photons, BACKGROUND] for z in heights], dtype=torch.float64)


def bounds(steps, depth, out):
    space = with_objective(DEPTH if depth else COLOURS_IN_FOCUS, Objective())
    layer, mask, names = (
        layer_of(space),
        LearnedMask(modulator_of(space)),
        [f"{d.wavelength_nm:g} nm" for d in dyes_of(space)],
    )
    asked = emitters(1000.0, HEIGHTS_NM if depth else (0.0,))
    course = optimised(mask, (for_depth if depth else for_colours)(layer, asked), steps)
    print(f"criterion {course[0]:.3f} -> {course[-1]:.3f} in {steps} steps")
    print(
        "| mask | photons | "
        + ("x, y, z, nm, mean over z |" if depth else "x, y, nm | taken for another colour |")
        + " light in the window |"
    )
    print("|---|---|---|---|" + ("" if depth else "---|"))
    with torch.no_grad():
        rivals = {"open": layer.spots(open_aperture(space))}
        if depth:
            rivals["tetrapod"] = [tetrapod(space)]
        for name, spots in {**rivals, "learned": layer.spots(mask)}.items():
            for photons in PHOTONS:
                given = emitters(photons, HEIGHTS_NM if depth else (0.0,))
                free = PARAMETERS if depth else LATERAL
                found = [spot_bounds(spot, given, free=free) for spot in spots]
                axes = [n for n in free if n.endswith("_nm")]
                means = ", ".join(f"{float(torch.stack([f[n] for f in found]).mean()):.1f}" for n in axes)
                kept = float(torch.stack([spot(given[:, :3]).sum((1, 2)) for spot in spots]).mean())
                told = f" {kept:.2f} |" if depth else f" {100 * float(confusion(spots, given)):.2f} % | {kept:.2f} |"
                print(f"| {name} | {photons:g} | {means} |{told}")
        if out:
            out.mkdir(parents=True, exist_ok=True)
            mask.held().save(out / f"learned.{MASK}")
            heights = HEIGHTS_NM if depth else (0.0,)
            images = [spot(torch.tensor([[0.0, 0.0, z]]))[0] for spot in layer.spots(mask) for z in heights]
            plain = [
                spot(torch.tensor([[0.0, 0.0, z]]))[0] for spot in layer.spots(open_aperture(space)) for z in heights
            ]
            draw(mask, images, plain, names or [f"{z:g} nm" for z in heights], out / "masks.png")


def draw(mask, images, plain, names, path):
    """Write mask and spots, the open aperture's below."""
    figure, panels = plt.subplots(2, 1 + len(images), figsize=(3 * (1 + len(images)), 6), layout="constrained")
    shown = panels[0, 0].imshow(mask.design_rad().detach(), cmap="twilight")
    panels[0, 0].set_title(f"mask, rad at {mask.modulator.design_nm:g} nm")
    figure.colorbar(shown, ax=panels[0, 0])
    panels[1, 0].axis("off")
    for row, line in zip(panels[:, 1:], (images, plain), strict=True):
        for panel, image, name in zip(row, line, names, strict=True):
            panel.imshow(image, cmap="magma")
            panel.set_title(name)
    figure.savefig(path, dpi=100)


def fitted(spots):
    """Return who knows all spots: a fit with each colour's, the likeliest is told."""

    def locate(stack, camera):
        counts = torch.from_numpy(camera.photo_electrons(stack).astype(np.float64))
        size, middle = spots[0].size_px, stack.shape[1] // 2
        reach, pixel = size // 2, spots[0].pixel_size_nm
        window = counts[:, middle - reach : middle + reach + 1, middle - reach : middle + reach + 1]
        free = tuple(name for name in PARAMETERS if name != "z_nm")
        with torch.no_grad():
            found = [
                fit(s, window, guess(s, window, reach_nm=500.0), float(np.mean(camera.variance_e2)), Options(free=free))
                for s in spots
            ]
        deviance = torch.stack([one.deviance for one in found])
        best, rows = deviance.argmin(0), torch.arange(len(window))
        x, y = torch.stack([one.parameters for one in found])[best, rows].T[:2] + (middle + 0.5) * pixel
        frame = np.arange(len(stack))
        columns = {"frame": frame, "x_nm": x.numpy(), "y_nm": y.numpy(), "channel": best.numpy()}
        return Localizations({**columns, "probability": np.ones(len(stack))})

    return locate


def network(path, count, out):
    _, card = read_model(path)
    space = card.sample_space
    layer, mask = layer_of(space), stored(space, path.with_suffix(f".{MASK}"))
    colours = len(dyes_of(space))
    net = HershkoLocalizer(colours, card.features)
    located = locator(exported(path, net), card.threshold, space.scale("pixel_size_nm")[0])
    masked, plain = layer.spots(mask), layer.spots(open_aperture(space))
    rows = {
        "network, its mask": (located, masked), "fits, its mask": (fitted(masked), masked),
        "fits, open aperture": (fitted(plain), plain),
    }  # fmt: skip
    print(
        f"{card.name}, {card.provenance['steps']} steps; {count} emitters, {colours} colours, background {BACKGROUND:g}"
    )
    print("| who | photons | found | right colour | lateral RMSE, nm | over the bound | spurious |")
    print("|---|---|---|---|---|---|---|")
    for name, (locate, spots) in rows.items():
        for photons, f in by_photons(locate, spots, SEED, PHOTONS, count).items():
            print(f"| {name} | {photons} | {f['found']:.2f} | {f['right_colour']:.3f} | {f['rmse_lateral_nm']:.1f} "
                  f"| {f['over_bound']:.2f} | {f['spurious']:.2f} |", flush=True)  # fmt: skip
    if out:
        out.mkdir(parents=True, exist_ok=True)
        at = torch.zeros(1, 3)
        names = [f"{dye.wavelength_nm:g} nm" for dye in dyes_of(space)]
        draw(mask, [s(at)[0] for s in masked], [s(at)[0] for s in plain], names, out / "network.png")


def twins(path):
    z = np.arange(-HEIGHTS_NM[-1], HEIGHTS_NM[-1] + 1, 48.0)
    images = np.asarray(LowRankSpot.load(path)(np.column_stack((0 * z, 0 * z, z)))).reshape(len(z), -1)
    images /= np.linalg.norm(images, axis=1, keepdims=True)
    alike = np.where(np.abs(z[:, None] - z) >= APART_NM, images @ images.T, 0).max(1)
    print(
        f"{path.name}: mean {alike.mean():.2f}, largest {alike.max():.2f}, above 0.9 at {(alike > 0.9).mean():.0%} of z"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("bounds", "network", "twins"))
    parser.add_argument("model", nargs="?", type=Path)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--emitters", type=int, default=120)
    parser.add_argument("--depth", action="store_true", help="one colour in 2 um of depth, of `bounds`")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    if given.what == "bounds":
        bounds(given.steps, given.depth, given.out)
    elif given.what == "twins":
        twins(given.model)
    else:
        network(given.model, given.emitters, given.out)


if __name__ == "__main__":
    main()
