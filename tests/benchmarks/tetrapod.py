"""Find the tetrapods of `models/optics/phase_masks.py`: astigmatisms whose z is best known over a range of z.

    python tests/benchmarks/tetrapod.py [--range-um 3]

Minimises the mean logarithm of the bounds of x, y and z (Shechtman et al. 2014: their trace) at 3,500 photons on
10 per pixel, over Noll 6, 12 and 24: astigmatism of second, fourth and sixth order. Water, oil objective of NA 1.4.
"""

import argparse

import numpy as np
from scipy.optimize import minimize

from models.optics.crlb import spot_bounds
from models.optics.objective import Objective
from models.optics.phase_masks import zernikes
from models.optics.propagator import Setup
from models.optics.vectorial import VectorialSpot

MODES = (6, 12, 24)
PIXEL_NM = 110.0
STARTS = ((0.55, -0.5, 0.0), (0.8, -0.3, 0.1))
LIGHT = (3500.0, 10.0)


def bounds_nm(waves: np.ndarray, range_um: float, steps: int = 13) -> dict[str, np.ndarray]:
    size = 2 * round((10 + 8 * range_um) / 2) + 1
    setup = Setup(Objective(), mask=zernikes(dict(zip(MODES, waves, strict=True))), height_nm=600 * range_um)
    spot = VectorialSpot(setup, PIXEL_NM, size)
    z = np.linspace(-500 * range_um, 500 * range_um, steps)
    parameters = np.stack([0 * z, 0 * z, z, *(0 * z + light for light in LIGHT)], axis=1)
    return spot_bounds(spot, parameters)


def loss(waves: np.ndarray, range_um: float) -> float:
    found = bounds_nm(waves, range_um)
    logs = [np.log(np.minimum(found[name], 1e4)) for name in ("x_nm", "y_nm", "z_nm")]
    return float(np.mean(logs))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--range-um", type=float, nargs="*", default=[2, 3, 4, 6])
    for range_um in parser.parse_args().range_um:
        found = [
            minimize(loss, np.array(start) * (range_um / 3) ** 0.5, (range_um,), "Nelder-Mead", options={"maxfev": 120})
            for start in STARTS
        ]
        best = min(found, key=lambda result: result.fun)
        print(f"{range_um:g} um: {dict(zip(MODES, best.x.round(3), strict=True))}, loss {best.fun:.3f}")
        for name, sigma in bounds_nm(best.x.round(3), range_um).items():
            if name.endswith("_nm"):
                print(f"  {name}: mean {sigma.mean():.1f}, worst {sigma.max():.1f}")


if __name__ == "__main__":
    main()
