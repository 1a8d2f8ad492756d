"""An acquisition of pycro-manager, with Micro-Manager's demo camera: its images are saved as ever, and sent as well."""

import os
import subprocess
import sys
import warnings
from math import nan
from pathlib import Path

import numpy as np
import pytest

from stream.links.acquisition_hook import AcquisitionHook
from stream.sources.zmq_in import ZmqInSettings, ZmqInSource

pytest.importorskip("mm_test_adapters", reason="mm-test-adapters is not installed")

ROOT = Path(__file__).parents[3]
DEMO = ROOT / "stream" / "micromanager-demo.cfg"
ACQUISITION = """
import sys
import mm_test_adapters
import numpy as np
from pycromanager import Acquisition, multi_d_acquisition_events, start_headless, stop_headless
from stream.links.acquisition_hook import AcquisitionHook
address, config, out = sys.argv[1:]
start_headless(mm_app_path=str(mm_test_adapters.device_adapter_path()), config_file=config, python_backend=True)
try:
    with AcquisitionHook(address, {"time": 1}, timeout_s=20) as hook:
        with Acquisition(image_process_fn=hook, show_display=False) as acquisition:
            acquisition.acquire(multi_d_acquisition_events(num_time_points=2, z_start=0, z_end=2, z_step=0.5))
        saved = acquisition.get_dataset()
        images = [saved.read_image(time=time, z=z) for time in range(2) for z in range(5)]
        np.save(out, np.stack(images))
        print(hook.sent, flush=True)
finally:
    stop_headless()
"""


def test_images_are_saved_and_sent_with_the_position_of_the_stage(tmp_path: Path) -> None:
    source = ZmqInSource(ZmqInSettings(address="tcp://127.0.0.1:*", timeout_s=60))
    source.listen()
    (tmp_path / "acquire.py").write_text(ACQUISITION)
    arguments = [sys.executable, tmp_path / "acquire.py", source.address, DEMO, tmp_path / "saved.npy"]
    process = subprocess.Popen(
        arguments, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    )
    info = source.open()
    frames = [frame for frame in source.frames() if frame is not None]
    source.close()
    said, _ = process.communicate(timeout=60)
    assert (process.returncode, said.split()[-1]) == (0, "5")
    saved = np.load(tmp_path / "saved.npy")
    assert len(saved) == 10
    assert (info.height_px, info.width_px) == (256, 256)
    assert [frame.stage_z_um for frame in frames] == [0.0, 0.5, 1.0, 1.5, 2.0]
    np.testing.assert_array_equal([frame.pixels for frame in frames], saved[5:])


def test_an_acquisition_goes_on_without_anybody_to_send_to() -> None:
    image, metadata = np.zeros((6, 8), np.uint16), {"Axes": {"time": 0}}
    with AcquisitionHook("tcp://127.0.0.1:9", timeout_s=0.05) as hook:
        with pytest.warns(UserWarning, match="gets no more images, the acquisition goes on: no receiver"):
            passed = hook(image, metadata)
        assert passed[0] is image
        assert passed[1] is metadata
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            hook(image, metadata)  # once is enough
    assert hook.fault is not None


def test_images_of_eight_bits_are_widened_and_others_are_refused() -> None:
    source = ZmqInSource(ZmqInSettings(address="tcp://127.0.0.1:*", timeout_s=20))
    source.listen()
    with AcquisitionHook(source.address, timeout_s=20) as hook:
        hook(np.full((6, 8), 7, np.uint8), {})
        source.open()
        frame = next(frame for frame in source.frames() if frame is not None)
        assert (frame.pixels == 7).all()
        assert frame.pixels.dtype == np.uint16
        assert frame.stage_z_um is nan or frame.stage_z_um != frame.stage_z_um
        with pytest.warns(UserWarning, match="dtype float32"):
            hook(np.zeros((6, 8), np.float32), {})
    source.close()
