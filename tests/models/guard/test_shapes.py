"""A network answers for what it has never seen, as if it knew (Moeckl, Roy & Moerner 2020, section 4); the guard tells.

A network learns squares and circles: which of them a picture shows, where it is and how large. Of triangles and long
rectangles it says that they are one of the two. What it says is drawn again and held against the picture, as the guard
does with molecules; the same sums as there raise an alarm.
"""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.guard.molecules.reference import Reference, reference
from models.guard.molecules.sequential import Sums, sum_rules
from models.guard.molecules.unlikeness import unlikeness

SIDE, STEPS, BATCH, NOISE = 24, 400, 64, 0.2
KNOWN, UNKNOWN = ("square", "circle"), ("triangle", "rectangle")
MOVES_PX, RADII_PX = 3.0, (4.0, 6.0)
rows, columns = np.mgrid[:SIDE, :SIDE] + 0.5 - SIDE / 2


def covered(shape: str, x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    """Return how much of each pixel a shape of about the area of a circle of this radius covers."""
    if shape == "square":
        beyond = np.maximum(abs(x), abs(y)) - 0.89 * radius
    elif shape == "rectangle":
        beyond = np.maximum(abs(x) - 1.78 * radius, abs(y) - 0.44 * radius)
    elif shape == "triangle":
        beyond = np.maximum(y - 0.78 * radius, 0.87 * abs(x) - 0.78 * radius - 0.5 * y)
    else:
        beyond = np.hypot(x, y) - radius
    return np.clip(0.5 - beyond, 0, 1)


def pictures(shapes: tuple[str, ...], count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return noisy pictures (n, y, x), and of each which shape it shows, x, y and radius, (n, 4)."""
    rng = np.random.default_rng(seed)
    which = rng.integers(0, len(shapes), count)
    place, radius = rng.uniform(-MOVES_PX, MOVES_PX, (count, 2)), rng.uniform(*RADII_PX, count)
    drawn = np.stack([
        covered(shapes[k], columns - x, rows - y, r) for k, (x, y), r in zip(which, place, radius, strict=True)
    ])  # fmt: skip
    truth = np.column_stack((which, place, radius))
    return drawn + rng.normal(0, NOISE, drawn.shape), truth


class Reader(nn.Module):
    """Pictures in; logit of a circle, x, y, radius out."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 12, 5, stride=2), nn.ReLU(), nn.Conv2d(12, 24, 3, stride=2), nn.ReLU(), nn.Flatten(),
            nn.Linear(24 * 16, 48), nn.ReLU(), nn.Linear(48, 4),
        )  # fmt: skip

    def forward(self, images: np.ndarray) -> Tensor:
        raw = self.layers(torch.from_numpy(images.astype(np.float32))[:, None])
        return raw + torch.tensor([0.0, 0.0, 0.0, sum(RADII_PX) / 2])


@pytest.fixture(scope="module")
def network() -> Reader:
    torch.manual_seed(1)
    made = Reader()
    optimizer = torch.optim.AdamW(made.parameters(), 3e-3)
    for step in range(STEPS):
        images, truth = pictures(KNOWN, BATCH, step)
        said, true = made(images), torch.from_numpy(truth.astype(np.float32))
        which = nn.functional.binary_cross_entropy_with_logits(said[:, 0], true[:, 0])
        loss = which + nn.functional.mse_loss(said[:, 1:], true[:, 1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return made.eval().requires_grad_(False)


def measures(network: Reader, images: np.ndarray) -> np.ndarray:
    """Draw again what the network says; return squared residuals, inside the shape and outside of it, (n, 2)."""
    found = []
    for image, (logit, x, y, radius) in zip(images, network(images).numpy(), strict=True):
        again = covered(KNOWN[int(logit > 0)], columns - x, rows - y, radius)
        squares = ((image - again) / NOISE) ** 2
        found.append((squares[again > 0.5].mean(), squares[again <= 0.5].mean()))
    return np.log(np.array(found))


@pytest.fixture(scope="module")
def known(network: Reader) -> Reference:
    images, _ = pictures(KNOWN, 4000, 1000)
    return reference(("inside", "outside"), np.arange(4000) // 10, measures(network, images), np.zeros((4000, 5)))


def alarm_after(network: Reader, known: Reference, shapes: tuple[str, ...], count: int) -> int | None:
    """Return how many pictures it takes; None if these do not raise an alarm."""

    def left(of: tuple[str, ...], number: int, seed: int) -> np.ndarray:
        return known.deviations(measures(network, pictures(of, number, seed)[0]), np.zeros((number, 5)))

    nothing = np.zeros((2000, 5))
    usual = unlikeness(known, np.arange(2000) // 10, left(KNOWN, 2000, 2000), nothing)
    sums = Sums(known, usual, sum_rules(known, usual, np.array([[3.0, 3.0]])))
    for one in left(shapes, count, 3000):
        sums.take(one[None], nothing[:1])
        if sums.raised.any():
            return sums.molecules
    return None


def test_it_knows_what_it_learned(network: Reader) -> None:
    images, truth = pictures(KNOWN, 1000, 4000)
    said = network(images).numpy()
    assert ((said[:, 0] > 0) == truth[:, 0]).mean() > 0.95
    assert np.abs(said[:, 1:] - truth[:, 1:]).mean() < 0.4


@pytest.mark.parametrize("shape", UNKNOWN)
def test_of_what_it_never_saw_it_is_about_as_sure(network: Reader, shape: str) -> None:
    def sure(shapes: tuple[str, ...]) -> float:
        chance = torch.sigmoid(network(pictures(shapes, 1000, 5000)[0])[:, 0])
        return float(torch.maximum(chance, 1 - chance).median())

    assert sure(KNOWN) > 0.99
    assert sure((shape,)) > 0.9
    _, _, _, radius = network(pictures((shape,), 1000, 5000)[0]).numpy().T
    assert RADII_PX[0] - 1 < radius.mean() < RADII_PX[1] + 1, "what it says looks plausible"


@pytest.mark.parametrize("shape", UNKNOWN)
def test_the_guard_speaks_within_some_pictures(network: Reader, known: Reference, shape: str) -> None:
    after = alarm_after(network, known, (shape,), 200)
    assert after is not None
    assert after < 60


def test_the_guard_is_silent_on_what_was_learned(network: Reader, known: Reference) -> None:
    assert alarm_after(network, known, KNOWN, 5000) is None
