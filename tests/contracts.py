"""What every source must do. A source's test is a small subclass with two fixtures, `source` and `expected`."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
from pydantic import BaseModel, ValidationError

from stream.source import Source
from stream.sources import SOURCES


class SourceContract:
    """Subclasses give fixtures.

    source : a source that is not open yet, and yields exactly `expected`
    expected : (t, y, x) uint16
    """

    kind: str
    """Key in SOURCES."""

    @pytest.fixture
    def frames(self, source: Source):
        self.info = source.open()
        yield [frame for frame in source.frames() if frame is not None]
        source.close()

    def test_every_frame_arrives_once_and_unchanged(self, frames, expected):
        assert len(frames) == len(expected)
        for frame, pixels in zip(frames, expected, strict=True):
            assert frame.pixels.dtype == np.uint16
            np.testing.assert_array_equal(frame.pixels, pixels)

    def test_indices_increase(self, frames):
        assert all(one.index < other.index for one, other in pairwise(frames))

    def test_what_open_tells_is_true(self, frames):
        assert {frame.pixels.shape for frame in frames} == {(self.info.height_px, self.info.width_px)}
        assert self.info.frames in (None, len(frames))
        assert self.info.description

    def test_host_times_do_not_decrease(self, frames):
        times = [frame.host_time_s for frame in frames]
        assert times == sorted(times)

    def test_can_be_closed_before_it_is_open_and_twice(self, source):
        source.close()
        source.close()

    def test_can_be_closed_between_two_frames(self, source):
        source.open()
        frames = source.frames()
        next(frame for frame in frames if frame is not None)
        source.close()
        assert not [frame for frame in frames if frame is not None]

    def test_it_is_registered_with_settings_that_are_frozen_and_cross_a_process_boundary(self, settings: BaseModel):
        kind = SOURCES[self.kind]
        assert type(settings) is kind.settings
        assert pickle.loads(pickle.dumps(settings)) == settings
        with pytest.raises(ValidationError):
            kind.settings(**settings.model_dump(), no_such_field=1)
        with pytest.raises(ValidationError):
            setattr(settings, next(iter(kind.settings.model_fields)), None)
