"""What a run left in its spool can be analysed by the next."""

from pathlib import Path

import numpy as np
import pytest

from stream.acquisition.spool import Spool
from stream.errors import FrameFormatError
from stream.frame import Frame
from stream.sources.left_frames import LeftFramesSettings, LeftFramesSource


def test_frames_come_back_with_their_index(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", (4, 6))
    for index in (7, 8, 11):
        spool.append(Frame(np.full((4, 6), index, np.uint16), index, camera_time_s=index / 10))
    spool.close()
    source = LeftFramesSource(LeftFramesSettings(path=tmp_path / "spool"))
    info = source.open()
    frames = list(source.frames())
    assert (info.height_px, info.width_px, info.frames) == (4, 6, 3)
    assert [frame.index for frame in frames] == [7, 8, 11]
    assert all((frame.pixels == frame.index).all() for frame in frames)
    assert [frame.camera_time_s for frame in frames] == [0.7, 0.8, 1.1]
    source.close()


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FrameFormatError, match="spool"):
        LeftFramesSource(LeftFramesSettings(path=tmp_path)).open()
