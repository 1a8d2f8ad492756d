"""Every `[background]` of a rig refines with the models that ship; wrong ones are named."""

from contextlib import closing

import numpy as np
import pytest

from models.scenes.scene import Scene
from models.scenes.settings import SceneSettings
from stream import zoo
from stream.calibration import camera
from stream.config import EngineSettings, Rig
from stream.engine import Engine
from stream.engines import open_engine
from stream.errors import ModelError, SampleSpaceError
from stream.frame import Batch, StreamInfo
from stream.preparation import make_localizer
from stream.stages.stage import Stage

SIDE, FRAMES = 64, 24


def rig(background: dict[str, object], pixel_size_nm: float = 100) -> Rig:
    return Rig.model_validate({
        "camera": {"pixel_size_nm": pixel_size_nm, "offset_adu": 100, "gain_e_per_adu": 0.5, "read_noise_e": 1.5},
        "refine": {"mode": "all", "threads": 1}, "background": background,
    })  # fmt: skip


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    settings = SceneSettings(
        height_px=SIDE, width_px=SIDE, pixel_size_nm=100, structure="uniform", depth_nm=0, density_per_um2=0.1,
        background=20, background_contrast=0.2, psf="gaussian",
    )  # fmt: skip
    view = Scene(settings, camera(rig({}).camera, SIDE, SIDE), np.random.default_rng(1))
    return np.stack([view.picture()[0] for _ in range(FRAMES)])


@pytest.fixture
def engine():
    with closing(open_engine(zoo.find("2d-fast"), EngineSettings(threads=1))) as engine:
        yield engine


def stage_of(settings: Rig, engine: Engine) -> Stage:
    return make_localizer(settings, engine, StreamInfo(SIDE, SIDE, "test"))


@pytest.mark.parametrize("mode", ["none", "constant", "localizer", "bgnet"])
def test_every_mode_refines(mode: str, frames: np.ndarray, engine: Engine) -> None:
    stage = stage_of(rig({"mode": mode} | ({"model": "2d-bgnet"} if mode == "bgnet" else {})), engine)
    none = np.full(FRAMES, np.nan)
    stage.process(Batch(frames, np.arange(FRAMES), none, none, none))
    located = stage.process(Batch.empty(SIDE, SIDE))
    assert len(located.table) > FRAMES
    assert (np.asarray(located.table["flags"]) == 1).mean() > 0.7
    assert (located.background is not None) == (mode == "localizer")


@pytest.mark.parametrize(
    ("model", "pixel_size_nm", "error", "said"),
    [
        ("2d-fast", 100, ModelError, "it is not for backgrounds"),
        ("nothing", 100, ModelError, r"\[background\] model = 'nothing'"),
        ("2d-bgnet", 20, SampleSpaceError, "2d-bgnet"),
    ],
)
def test_a_model_that_is_not_for_it_is_named(
    model: str, pixel_size_nm: float, error: type, said: str, engine: Engine
) -> None:
    with pytest.raises(error, match=said):
        stage_of(rig({"mode": "bgnet", "model": model}, pixel_size_nm), engine)
