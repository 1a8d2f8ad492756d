"""The sending end with the receiving end, and what it says when there is none."""

import threading
from itertools import repeat

import numpy as np
import pytest

from stream.errors import FrameFormatError, SourceFault
from stream.frame import Frame, StreamInfo
from stream.links.send import FrameSender
from stream.sources.zmq_in import ZmqInSettings, ZmqInSource

ANY_PORT = "tcp://127.0.0.1:*"
PIXELS = np.arange(48, dtype=np.uint16).reshape(6, 8)


class Receiver(threading.Thread):
    """A source that takes all there is."""

    def __init__(self, address: str, pattern: str) -> None:
        super().__init__()
        self.source = ZmqInSource(ZmqInSettings(address=address, bind=False, pattern=pattern, timeout_s=20))
        self.info: StreamInfo | None = None
        self.frames: list[Frame] = []

    def run(self) -> None:
        self.info = self.source.open()
        self.frames = [frame for frame in self.source.frames() if frame is not None]
        self.source.close()


@pytest.mark.parametrize("pattern", ["push", "pub"])
def test_a_sender_waits_for_a_late_receiver_and_loses_nothing(pattern):
    with FrameSender(ANY_PORT, pattern=pattern, bind=True, timeout_s=20) as sender:
        receiver = Receiver(sender.address, "pull" if pattern == "push" else "sub")
        late = threading.Timer(0.05, receiver.start)
        late.start()
        sender.start(StreamInfo(6, 8, frames=20, exposure_ms=10.0, description="test camera"))
        for index in range(20):
            sender.send(Frame(PIXELS + index, 2 * index, camera_time_s=index / 10, stage_z_um=1.0))
        sender.end()
        late.join()
        receiver.join(20)
    assert receiver.info is not None
    assert (receiver.info.frames, receiver.info.exposure_ms) == (20, 10.0)
    assert receiver.info.description.startswith("test camera")
    assert [frame.index for frame in receiver.frames] == list(range(0, 40, 2))
    assert [frame.camera_time_s for frame in receiver.frames] == [index / 10 for index in range(20)]
    np.testing.assert_array_equal(receiver.frames[7].pixels, PIXELS + 7)
    assert not receiver.source.refused


def test_pixels_may_be_changed_once_they_were_sent():
    with FrameSender(ANY_PORT, bind=True, timeout_s=20) as sender:
        receiver = Receiver(sender.address, "pull")
        receiver.start()
        pixels = PIXELS.copy()
        for index in range(10):
            pixels[:] = index
            sender.send(Frame(pixels, index))
        sender.end()
        receiver.join(20)
    assert [int(frame.pixels.max()) for frame in receiver.frames] == list(range(10))


@pytest.mark.parametrize("pattern", ["push", "pub"])
@pytest.mark.parametrize("bind", [True, False])
def test_no_receiver(pattern, bind):
    address = ANY_PORT if bind else "tcp://127.0.0.1:9"
    with FrameSender(address, pattern=pattern, bind=bind, timeout_s=0.05) as sender:
        with pytest.raises(SourceFault, match=r"no receiver at tcp://127\.0\.0\.1:\d+ after 0\.05 s") as error:
            sender.send(Frame(PIXELS, 0))
        assert "livesmlm run" in error.value.remedy


def test_a_receiver_that_takes_nothing_is_a_fault_and_no_silent_loss():
    source = ZmqInSource(ZmqInSettings(address=ANY_PORT))
    source.listen()
    frame = Frame(np.zeros((512, 512), np.uint16), 0)
    with FrameSender(source.address, timeout_s=0.3) as sender:
        with pytest.raises(SourceFault, match="has taken no frame for"):
            list(map(sender.send, repeat(frame, 1000)))
        source.close()


@pytest.mark.parametrize("pixels", [np.zeros((6, 8), np.float32), np.zeros((1, 6, 8), np.uint16)])
def test_only_camera_counts_are_sent(pixels):
    with FrameSender(ANY_PORT, bind=True) as sender, pytest.raises(FrameFormatError, match="accepted"):
        sender.send(Frame(pixels, 0))
