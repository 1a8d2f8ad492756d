"""napari: a folder is opened, a run is followed. Needs a display with OpenGL, such as xvfb-run gives."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

napari = pytest.importorskip("napari", reason="napari is not installed (extra `napari`)")

from models.localizations import Localizations  # noqa: E402
from stream.frame import StreamInfo  # noqa: E402
from stream.picture import image  # noqa: E402
from stream.picture.render import Renderer, RenderSettings  # noqa: E402
from stream.sink import RunInfo  # noqa: E402
from stream.sinks.parquet import Parquet  # noqa: E402
from stream.sinks.zmq_out import PublishSettings, ZmqOut  # noqa: E402
from stream.viewers.napari_follow import Following  # noqa: E402
from stream.viewers.napari_reader import get_reader, read_run  # noqa: E402

pytestmark = pytest.mark.skipif(
    sys.platform == "linux" and "DISPLAY" not in os.environ, reason="napari needs a display: xvfb-run pytest ..."
)
X_NM, Y_NM = 3205.0, 1605.0


def table() -> Localizations:
    there = np.full(50, 20.0)
    places = {"x_nm": there * 0 + X_NM, "y_nm": there * 0 + Y_NM, "z_nm": np.linspace(-300, 300, 50)}
    return Localizations({"frame": np.arange(50), **places, "sigma_x_nm": there, "sigma_y_nm": there})


def info(folder: Path) -> RunInfo:
    return RunInfo("run-1", StreamInfo(64, 64, 100), 100.0, {}, {}, folder, {}, "none", ())


def drawn() -> Renderer:
    renderer = Renderer(6400, 6400, RenderSettings())
    renderer.add(table())
    return renderer


def brightest_um(layer) -> tuple[float, float]:
    """Where the brightest pixel of an image is in the world, y and x."""
    data = np.asarray(layer.data[0] if layer.multiscale else layer.data)
    return tuple(layer.data_to_world(np.unravel_index(data.argmax(), data.shape)))


@pytest.fixture
def run(tmp_path) -> Path:
    sink = Parquet()
    sink.open(info(tmp_path))
    sink.write(table(), 0, 49)
    sink.close()
    image.write_ome_tiff(tmp_path / "render.ome.tif", drawn().pyramid)
    (tmp_path / "run.json").write_text("{}")
    return tmp_path


@pytest.fixture
def viewer():
    viewer = napari.Viewer(show=False)
    yield viewer
    viewer.close()


def test_picture_and_points_of_a_run_lie_on_each_other(run, viewer):
    assert get_reader(str(run / "nothing")) is None
    assert get_reader(str(run)) is read_run
    for data, facts, kind in read_run(str(run)):
        getattr(viewer, f"add_{kind}")(data, **facts)
    picture, points = viewer.layers
    assert brightest_um(picture) == pytest.approx((Y_NM / 1000, X_NM / 1000), abs=0.006)
    assert points.data[0] == pytest.approx((Y_NM / 1000, X_NM / 1000))
    assert len(points.data) == 50


def test_a_run_is_followed_until_its_layer_is_removed(tmp_path, viewer):
    out = ZmqOut(PublishSettings(address="tcp://127.0.0.1:*"))
    out.open(info(tmp_path))
    renderer = drawn()
    out.follow(renderer.changed)
    out.health({"localizations": 50, "ledger": {"analysed": 50}})
    following = Following(viewer, out.address, out.snapshot_address)
    for _ in range(1000):
        out.serve(0.01)
        following.refresh()
        if viewer.layers and viewer.layers[0].data.sum() > 49:
            break
    (layer,) = viewer.layers
    assert layer.data.sum() == pytest.approx(50, rel=1e-3)
    assert brightest_um(layer) == pytest.approx((Y_NM / 1000, X_NM / 1000), abs=0.006)
    assert viewer.status == "50 localizations"
    viewer.layers.clear()
    following.refresh()
    assert not following.is_open
    out.close()
