"""DeepLoco as a localizer: frames of any size without seams, and ONNX Runtime says what torch says."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from export.exported import exported as in_onnx_runtime
from export.points import DeployedPoints, deployed_points, describe_points
from export.tiles import MARGIN_PX, TILE_PX, Grid, along
from export.to_onnx import write
from models.recipe import Recipe
from models.sample_space import LOCALIZER_2D, LOCALIZER_3D
from models.systems.deep_loco import SIZES, DeepLoco, Points

SPACES = {2: LOCALIZER_2D, 3: LOCALIZER_3D}
CPU = torch.device("cpu")


class Brightest(nn.Module):
    """In the place of a network: tells every bright pixel, `shift_px` from its middle in x and y.

    Positions are off by up to `jitter_px`, in each tile anew.
    """

    channels, stride, dimensions = 2, 1, 2

    def __init__(self, shift_px: float = 0.0, jitter_px: float = 0.0) -> None:
        super().__init__()
        self.shift_px, self.jitter_px, self.generator = shift_px, jitter_px, torch.Generator().manual_seed(5)

    def encode(self, counts: Tensor, variance: Tensor) -> Tensor:
        return torch.stack((counts, variance.expand_as(counts)), dim=1)

    def forward(self, tiles: Tensor) -> Points:
        light = tiles[:, 0]
        bright, at = light.flatten(1).topk(256)
        x, y = at % TILE_PX + 0.5, at // TILE_PX + 0.5
        place = torch.stack((x, y), dim=-1).float() + self.shift_px
        place += self.jitter_px * (2 * torch.rand(place.shape, generator=self.generator) - 1)
        ones = torch.ones_like(bright)
        return Points(
            place.clamp(0, TILE_PX - 1e-3), (bright > 50).float(), ones, torch.ones_like(place), ones,
            torch.ones(len(tiles), 16, 16),
        )  # fmt: skip


def feed(frames: np.ndarray, channels: int = 2, threshold: float = 0.5) -> list[Tensor]:
    _, y, x = frames.shape
    plane = np.ones((y, x), "f4")
    context = np.zeros((2, channels, -(-y // 4) * 4, -(-x // 4) * 4), "f4")
    values = frames.astype("u2"), 0 * plane, plane, 0 * plane, np.float32(1), np.float32(threshold), context
    return [torch.from_numpy(np.asarray(value)) for value in values]


@pytest.mark.parametrize("side", [8, 30, 63, 64, 65, 103, 104, 105, 144, 145, 200, 512])
def test_every_pixel_has_one_owner_far_from_the_edge_of_its_tile(side: int) -> None:
    tiles = along(side, CPU)
    assert (tiles.low[0], tiles.high[-1]) == (0, side)
    assert torch.equal(tiles.low[1:], tiles.high[:-1])
    assert ((tiles.pixel >= 0) & (tiles.pixel < side)).all()
    assert torch.equal(tiles.pixel[:, 0], tiles.start)
    if side >= TILE_PX:  # all pixels are real, and only a frame's edge may be near
        assert torch.equal(tiles.pixel, tiles.start[:, None] + torch.arange(TILE_PX))
        assert (tiles.low - tiles.start)[1:].ge(MARGIN_PX).all()
        assert (tiles.start + TILE_PX - tiles.high)[:-1].ge(MARGIN_PX).all()


def test_small_frames_go_on_as_in_a_mirror() -> None:
    assert along(5, CPU).pixel[0, :12].tolist() == [0, 1, 2, 3, 4, 4, 3, 2, 1, 0, 0, 1]


def test_tiles_are_cut_where_they_are_said_to_be() -> None:
    maps = torch.arange(2 * 1 * 110 * 150.0).reshape(2, 1, 110, 150)
    grid = Grid(along(110, CPU), along(150, CPU))
    tiles = grid.cut(maps)
    frame, start, _, _ = grid.of(torch.arange(len(tiles)))
    for tile, t, (x, y) in zip(tiles, frame, start, strict=True):
        assert torch.equal(tile[0], maps[t, 0, y : y + TILE_PX, x : x + TILE_PX])


def places(module: DeployedPoints, frames: np.ndarray) -> list[np.ndarray]:
    """Return x, y of the rows of each frame but the last, in order."""
    frame, table, count, _ = module(*feed(frames))
    assert count == len(table)
    found = [table[frame == number + 1, :2].numpy() for number in range(len(frames) - 1)]
    return [rows[np.lexsort(rows.T)] for rows in found]


@pytest.mark.parametrize("shape", [(40, 33), (64, 64), (65, 64), (104, 131), (150, 217)])
def test_whole_frames_have_no_seams(shape: tuple[int, int]) -> None:
    """Emitters on a grid of 7 pixels over all lines between tiles: each is told once, none twice."""
    frames = np.zeros((3, *shape))
    frames[0, 3::7, 2::7] = 99
    frames[1, 1::7, 5::7] = 99
    for found, frame in zip(places(DeployedPoints(Brightest()).eval(), frames), frames, strict=False):
        y, x = np.nonzero(frame)
        truth = np.column_stack((x, y)) + 0.5
        np.testing.assert_allclose(found, truth[np.lexsort(truth.T)], atol=1e-3)


def test_emitters_on_a_line_that_tiles_disagree_about_are_told_once() -> None:
    """The lines are at 52 and 92; each tile is off by up to 0.3 pixels in its own way, so often on the far side."""
    frames = np.zeros((2, 144, 144))
    frames[0, 3:140:8, [51, 91]] = 99
    frames[0, [51, 91], 3:140:8] = 99
    found = places(DeployedPoints(Brightest(0.5, 0.3)).eval(), frames)[0]
    assert len(found) == np.count_nonzero(frames[0])
    assert np.abs(found - np.round(found)).max() < 0.3


def network(dimensions: int, size: str = "fast") -> DeepLoco:
    """Return an untrained network whose points weigh differently."""
    torch.manual_seed(1)
    made = DeepLoco(SIZES[size], dimensions)
    with torch.no_grad():
        for last in (made.head.read[-1],):
            last.weight *= 8
            last.bias[dimensions] += 0.3
    return made.eval()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory):
    """In depth; one in focus is exported and run in `tests/stream/commands/test_deep_loco.py`."""
    module = deployed_points(network(3), SPACES[3])
    path = tmp_path_factory.mktemp("export") / "model.onnx"
    card = describe_points(module, SPACES[3], Recipe(system="deeploco"), {}, 0.5)
    write(module, card, path)
    return module, path, card


def scene(shape: tuple[int, int, int]) -> list[Tensor]:
    """Return the inputs for frames behind two others: of equal pixels all points would weigh the same."""
    rng, (t, y, x) = np.random.default_rng(3), shape
    *given, context = feed(rng.poisson(20 + 60 * (rng.random(shape) < 0.02), (t, y, x)), threshold=0.3)
    return [*given, torch.from_numpy(0.3 * rng.standard_normal(context.shape).astype("f4"))]


def in_order(frame: Tensor, table: Tensor) -> np.ndarray:
    rows = np.column_stack((frame.numpy(), table.numpy()))
    return rows[np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0]))]


@pytest.mark.parametrize("shape", [(1, 64, 64), (3, 40, 33), (2, 64, 65), (2, 130, 104), (1, 105, 200)])
def test_onnx_runtime_agrees_with_torch(model, shape: tuple[int, int, int]) -> None:
    module, path, card = model
    given = scene(shape)
    with torch.no_grad():
        frame, table, count, context = module(*given)
    frames, found, number, handed_on = in_onnx_runtime(path, module.network)(*given)
    assert count == number == len(table) > 3
    assert table.shape[1] == len(card.columns)
    np.testing.assert_allclose(in_order(frames, found), in_order(frame, table), rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(handed_on, context, rtol=1e-5, atol=1e-5)


def test_batches_give_what_all_frames_at_once_give(model) -> None:
    module, path, _ = model
    run, given = in_onnx_runtime(path, module.network), scene((5, 70, 66))
    whole = in_order(*run(*given)[:2])
    parts, context = [], given[-1]
    for first, part in ((0, given[0][:1]), (1, given[0][1:4]), (4, given[0][4:])):
        frame, table, _, context = run(part, *given[1:-1], context)
        parts.append(in_order(frame + first, table))
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-4, atol=1e-4)


def test_counts_behind_an_em_register_are_halved_and_photons_doubled(model) -> None:
    module, _, card = model
    given = scene((2, 64, 64))
    behind = [2 * given[0], *given[1:4], torch.tensor(2.0), *given[5:]]
    with torch.no_grad():
        one, other = module(*given)[1], module(*behind)[1]
    photons = card.columns.index("photons")
    torch.testing.assert_close(other[:, :2], one[:, :2])
    torch.testing.assert_close(other[:, photons], 2 * one[:, photons])


def test_the_card_says_what_is_computed(model) -> None:
    module, _, card = model
    assert (card.features, card.stride, card.look_ahead) == (2, 1, 1)
    assert ("z_nm" in card.columns) == (module.network.dimensions == 3)
    assert 40_000 < card.mac_per_pixel < 60_000
    assert replace(card, scores={}) == card
