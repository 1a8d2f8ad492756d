"""DeepSTORM3D as a localizer: frames of any size, no seams between batches, and ONNX Runtime says what torch says."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from export.exported import exported
from export.parity import agreement
from export.to_onnx import save, trace
from export.trained import from_model
from export.voxels import DeployedVoxels, describe_voxels
from models.camera import Camera
from models.recipe import Recipe
from models.sample_space import LOCALIZER_3D
from models.systems.deep_storm_3d import DeepStorm3d, Size, Volume

CAMERA = Camera(offset_adu=100, gain_adu_per_e=2.0, read_noise_e=1.5)
THRESHOLD = 0.5


@pytest.fixture(scope="module")
def module() -> DeployedVoxels:
    """A network that says much, untrained."""
    torch.manual_seed(3)
    network = DeepStorm3d(Size(6, 13, 2, True)).eval()
    with torch.no_grad():
        network.last.weight *= 3
    return DeployedVoxels(network, (0.0, 1500.0))


@pytest.fixture(scope="module")
def path(module: DeployedVoxels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "voxels.onnx"
    recipe = Recipe(system="deepstorm3d", psf="tetrapod")
    card = describe_voxels(module, LOCALIZER_3D, recipe, {"recipe": asdict(recipe)}, THRESHOLD)
    save(trace(module, card), card, path)
    return path


def frames(t: int, y: int, x: int) -> np.ndarray:
    return np.random.default_rng(5).poisson(130, (t, y, x)).astype(np.uint16)


def inputs(stack: np.ndarray, context: torch.Tensor) -> list[torch.Tensor]:
    y, x = stack.shape[1:]
    maps = [torch.full((y, x), value) for value in (100.0, 2.0, 2.25)]
    return [torch.from_numpy(stack), *maps, torch.tensor(1.0), torch.tensor(THRESHOLD), context]


@pytest.mark.parametrize("shape", [(3, 24, 32), (2, 29, 18)])
def test_the_file_says_what_torch_says(module: DeployedVoxels, path: Path, shape: tuple[int, int, int]) -> None:
    found = agreement(module, exported(path, module.network), frames(*shape), CAMERA, THRESHOLD)
    assert found["rows"] > 20
    assert found["only_one_has"] <= 0.02 * found["rows"]
    assert found["largest_difference"]["x_px"] < 0.01
    assert found["largest_difference"]["z_nm"] < 5


def test_rows_lie_in_the_frame_and_in_the_depth(module: DeployedVoxels) -> None:
    with torch.no_grad():
        _, table, count, _ = module(*inputs(frames(2, 22, 30), torch.zeros(2, 2, 24, 32)))
    assert len(table) == count > 0
    assert table.shape[1] == len(module.columns)
    assert ((table[:, :2] >= 0) & (table[:, :2] <= torch.tensor([30.0, 22.0]))).all()
    assert (table[:, 2].abs() <= 1500).all()


def test_batches_have_no_seams(module: DeployedVoxels) -> None:
    stack, none = frames(6, 16, 16), torch.zeros(2, 2, 16, 16)
    with torch.no_grad():
        frame, whole, *_ = module(*inputs(stack, none))
        first, head, _, context = module(*inputs(stack[:4], none))
        second, tail, *_ = module(*inputs(stack[4:], context))
    torch.testing.assert_close(torch.cat((first, second + 4)), frame)
    torch.testing.assert_close(torch.cat((head, tail)), whole)


def test_an_emitter_that_is_not_sure_of_its_voxel_is_one(module: DeployedVoxels) -> None:
    """Its mass is shared out among 5 x 5 x 5 voxels, each of which has a 125th of it."""

    class Spread(torch.nn.Module):
        def forward(self, frames: torch.Tensor) -> Volume:
            voxels = torch.zeros(1, 13, 64, 64)
            voxels[0, 4:9, 30:35, 18:23] = 1 / 125
            planes = torch.ones(1, 16, 16)
            return Volume(voxels, planes, torch.ones(1, 3, 16, 16), planes, planes)

    spread = DeployedVoxels(module.network, (0.0, 1500.0))
    spread.network = Spread()  # type: ignore[assignment]
    found = spread.emitters(torch.zeros(1, 2, 16, 16), (16, 16), torch.tensor(THRESHOLD))
    torch.testing.assert_close(found.place, torch.tensor([[20.5 / 4, 32.5 / 4]]), atol=1e-2, rtol=0)
    torch.testing.assert_close(found.weight, torch.ones(1), atol=1e-4, rtol=0)


def test_its_file_gives_no_network(path: Path) -> None:
    with pytest.raises(ValueError, match="from the folder of its training only"):
        from_model(path)
