"""What an engine has to say during a run is said once, and stands in run.json."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from stream.config import validate
from stream.engine import Arrays
from stream.engines import open_engine
from stream.errors import OutOfMemory
from stream.pipeline import Pipeline
from stream.zoo import find
from tests.stream.view import View

FRAMES, MOST = 60, 3


def test_memory_that_runs_out_halves_the_batch_and_no_frame_is_lost(tmp_path: Path) -> None:
    source = {"kind": "simulated", "width_px": 64, "height_px": 64, "frames": FRAMES, "frames_per_s": "max"}
    address = {"address": "tcp://127.0.0.1:*", "snapshot_address": "tcp://127.0.0.1:*"}
    rig = validate(
        {"camera": {"pixel_size_nm": 100}, "source": source, "engine": {"threads": 1}, "publish": address}, "test"
    )
    engine, view = open_engine(find("2d-fast"), rig.engine), View()
    run = engine.run

    def scarce(inputs: Mapping[str, np.ndarray]) -> Arrays:
        if len(inputs["frames"]) > MOST:
            raise OutOfMemory(f"the engine has no memory for {len(inputs['frames'])} frames at once")
        return run(inputs)

    engine.run = scarce
    outcome = Pipeline(rig, tmp_path, view).run(engine)
    engine.close()
    assert outcome.error is None
    assert outcome.health["ledger"]["analysed"] == FRAMES
    kept = json.loads((tmp_path / "run.json").read_text())["warnings"]
    for told in (view.warnings, kept):
        assert any(remark.endswith("from now on 3 frames at once") for remark in told)
        assert len(told) == len(set(told))
