"""Frames over real sockets: the contract, loss, refusals, addresses, encryption."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import zmq
import zmq.auth
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from stream.errors import AddressError, SourceFault
from stream.frame import Frame
from stream.links.headers import MAX_HEADER_BYTES, FrameHeader, Refused, read_header
from stream.links.send import FrameSender
from stream.sources.zmq_in import MAX_REASONS, NEVER_ARRIVED, OTHER, ZmqInSettings, ZmqInSource
from tests.contracts import SourceContract

ANY_PORT = "tcp://127.0.0.1:*"


@pytest.fixture
def expected() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 65536, (9, 6, 8), np.uint16)


@pytest.fixture
def source():
    source = ZmqInSource(ZmqInSettings(address=ANY_PORT, timeout_s=20))
    source.listen()
    yield source
    source.close()


@contextmanager
def pushed(address: str, messages: list[list[bytes]]) -> Iterator[None]:
    """Push plain messages as a user's own script would; what is not taken at the end is dropped."""
    with zmq.Context() as context, context.socket(zmq.PUSH) as sender:
        sender.linger = 0
        sender.connect(address)
        for message in messages:
            sender.send_multipart(message)
        yield


def message(pixels: np.ndarray, **header) -> list[bytes]:
    return [json.dumps({"dtype": str(pixels.dtype), "shape": pixels.shape} | header).encode(), pixels.tobytes()]


END = [b'{"type": "end"}']


def taken(source: ZmqInSource) -> list[Frame]:
    return [frame for frame in source.frames() if frame is not None]


class TestPull(SourceContract):
    """Numbered frames, as a user's own script sends them."""

    kind = "zmq_in"

    @pytest.fixture
    def settings(self):
        return ZmqInSettings(address=ANY_PORT)

    @pytest.fixture
    def source(self, source, expected):
        frames = [message(pixels, frame=3 * number) for number, pixels in enumerate(expected)]
        with pushed(source.address, [*frames, END]):
            yield source


class TestSub(SourceContract):
    """Our own sender, which waits for the subscription: nothing is lost at the start."""

    kind = "zmq_in"

    @pytest.fixture
    def sender(self):
        with FrameSender(ANY_PORT, pattern="pub", bind=True, timeout_s=20) as sender:
            yield sender

    @pytest.fixture
    def settings(self, sender):
        return ZmqInSettings(address=sender.address, pattern="sub", bind=False, timeout_s=20)

    @pytest.fixture
    def source(self, sender, settings, expected):
        source = ZmqInSource(settings)
        source.listen()
        sender.wait_ready()
        thread = threading.Thread(target=self.send, args=(sender, expected))
        thread.start()
        yield source
        thread.join(20)
        source.close()

    @staticmethod
    def send(sender, expected):
        for index, pixels in enumerate(expected):
            sender.send(Frame(pixels, index))
        sender.end()


def test_five_lines_of_python_suffice_and_are_marked_unverifiable(source, expected):
    with pushed(source.address, [*map(message, expected), END]):
        assert not source.open().verifiable
        frames = taken(source)
    assert [frame.index for frame in frames] == list(range(9))


def test_what_the_header_says_travels_with_the_pixels(source, expected):
    first = message(expected[0], frame=5, time_s=1.5, z_um=-2, channel="red", exposure_ms=20, camera="Zyla", unknown=1)
    with pushed(source.address, [first, END]):
        info = source.open()
        (frame,) = taken(source)
    assert (info.exposure_ms, info.description.split()[0], info.verifiable) == (20, "Zyla", True)
    assert (frame.index, frame.camera_time_s, frame.stage_z_um) == (5, 1.5, -2)


def test_start_sets_the_run_up_before_the_first_frame(source, expected):
    start = {"type": "start", "shape": [6, 8], "indexed": True, "frames": 9, "pixel_size_nm": 100, "camera": "Zyla"}
    with pushed(source.address, [[json.dumps(start).encode()]]):
        info = source.open()
    assert (info.height_px, info.width_px, info.frames, info.pixel_size_nm) == (6, 8, 9, 100)


def test_a_start_that_leaves_questions_open_waits_for_the_first_frame(source, expected):
    with pushed(source.address, [[b'{"type": "start", "camera": "Zyla"}'], message(expected[0]), END]):
        info = source.open()
        assert len(taken(source)) == 1
    assert (info.height_px, info.verifiable, info.description.split()[0]) == (6, False, "Zyla")


def test_uint8_is_widened(source):
    pixels = np.arange(48, dtype=np.uint8).reshape(6, 8)
    with pushed(source.address, [message(pixels), END]):
        source.open()
        (frame,) = taken(source)
    assert frame.pixels.dtype == np.uint16
    np.testing.assert_array_equal(frame.pixels, pixels)


GOOD = message(np.zeros((6, 8), np.uint16), frame=1000)
PICKLE = b"\x80\x04cos\nsystem\n(S'false'\ntR."


@pytest.mark.parametrize(("parts", "reason"), [
    ([b"not json", GOOD[1]], "header is not JSON"),
    ([PICKLE, GOOD[1]], "header is not JSON"),
    ([b"[1, 2]", GOOD[1]], "header: Input should be"),
    ([b'{"dtype": "uint16"}', GOOD[1]], "header: shape: Field required"),
    ([b'{"dtype": "uint16", "shape": [0, 8]}', b""], "header: shape = 0: Input should be greater than or equal to 1"),
    ([b'{"dtype": "uint16", "shape": [99999999, 99999999]}', GOOD[1]], "header: shape = 99999999: Input"),
    ([b'{"dtype": "uint16", "shape": [6.5, 8]}', GOOD[1]], "header: shape = 6.5: Input should be a valid integer"),
    ([b'{"dtype": "uint16", "shape": [6, 8, 1]}', GOOD[1]], "header: shape = [6, 8, 1]: Tuple"),
    ([b'{"dtype": "float32", "shape": [6, 4]}', GOOD[1]], "header: dtype = float32: Input should be 'uint16' or"),
    ([b'{"dtype": "object", "shape": [6, 2]}', PICKLE], "header: dtype = object: Input should be"),
    ([b'{"dtype": "uint16", "shape": [6, 8], "frame": -1}', GOOD[1]], "header: frame = -1: Input should be greater"),
    ([b'{"dtype": "uint16", "shape": [6, 8], "time_s": NaN}', GOOD[1]], "header: time_s = nan: Input"),
    ([b'{"type": "snap"}'], "header: type is not frame, start or end"),
    ([b" " * (MAX_HEADER_BYTES + 1), GOOD[1]], "header is larger than 65536 bytes"),
    ([GOOD[0]], "message with a frame header has not 2 parts"),
    ([*GOOD, b"more"], "message with a frame header has not 2 parts"),
    ([b'{"type": "start"}', GOOD[1]], "message with a start header has not 1 part"),
    ([GOOD[0], GOOD[1][:-1]], "95 bytes of pixels are not uint16 of shape (6, 8)"),
    (message(np.zeros((6, 9), np.uint16), frame=1000), "shape (6, 9) is not (6, 8), that of the first frame"),
    (message(np.zeros((6, 8), np.uint16)), "frame: missing, unlike in the first frame"),
    (message(np.zeros((6, 8), np.uint16), frame=0), "frame: index is not above that of the frame before"),
])  # fmt: skip
def test_a_wrong_message_is_refused_counted_and_the_run_goes_on(source, expected, parts, reason):
    before, after = message(expected[0], frame=7), message(expected[1], frame=2000)
    with pushed(source.address, [before, parts, parts, after, END]):
        source.open()
        assert [frame.index for frame in taken(source)] == [7, 2000]
    ((said, count),) = source.refused.items()
    assert said.startswith(reason)
    assert count == 2


def test_the_reasons_stay_few_whatever_comes(source, expected):
    wrong = [[json.dumps({"dtype": str(number)}).encode(), b""] for number in range(MAX_REASONS + 30)]
    with pushed(source.address, [message(expected[0]), *wrong, END]):
        source.open()
        taken(source)
    assert len(source.refused) == MAX_REASONS + 1
    assert source.refused[OTHER] == 30


def test_a_wrong_first_message_does_not_decide_the_shape(source, expected):
    wrong = [json.dumps({"dtype": "uint16", "shape": [100, 100]}).encode(), GOOD[1]]
    with pushed(source.address, [wrong, message(expected[0]), END]):
        assert source.open().height_px == 6
    assert source.refused.total() == 1


KEYS = st.sampled_from(["dtype", "shape", "frame", "type", "frames"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["uint16", "start"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_header_does_more_than_be_refused(header):
    try:
        said = read_header([memoryview(header), memoryview(b"1234")])
    except Refused:
        return
    assert isinstance(said, FrameHeader)  # the only kind that goes with a payload


def test_unnumbered_frames_that_were_lost_are_counted_at_the_end(source, expected):
    with pushed(source.address, [message(expected[0]), [b'{"type": "end", "frames": 4}']]):
        source.open()
        taken(source)
    assert source.refused == {NEVER_ARRIVED: 3}


def test_frames_are_views_of_the_message(source, expected):
    with pushed(source.address, [message(expected[0]), END]):
        source.open()
        (frame,) = taken(source)
    assert not frame.pixels.flags.owndata


def test_none_comes_while_no_frame_does(source, expected):
    with pushed(source.address, [message(expected[0])]):
        source.open()
        frames = source.frames()
        assert next(frames) is not None
        assert next(frames) is None


def test_nothing_comes():
    source = ZmqInSource(ZmqInSettings(address=ANY_PORT, timeout_s=0.1))
    try:
        with pytest.raises(
            SourceFault, match=r"no frame came at tcp://127\.0\.0\.1:\d+ \(pull\) within 0\.1 s"
        ) as error:
            source.open()
    finally:
        source.close()
    assert "start the sender" in error.value.remedy


def test_nothing_but_refused_messages_comes(source):
    with (
        pushed(source.address, [[b"x"], [b"x"], END]),
        pytest.raises(SourceFault, match="refused: 2 x header is not JSON"),
    ):
        source.open()


def test_address_in_use_names_the_port():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(AddressError, match=f":{port}: Address already in use") as error:
            ZmqInSource(ZmqInSettings(address=f"tcp://127.0.0.1:{port}")).open()
    assert "another port" in error.value.remedy


@pytest.mark.parametrize(
    "address", ["tcp://0.0.0.0:5555", "tcp://*:5555", "tcp://192.168.1.7:5555", "tcp://camera:5555"]
)
@pytest.mark.parametrize("bind", [True, False])
def test_other_computers_need_certificates(address, bind):
    with pytest.raises(ValidationError, match="needs own_certificate and peer_certificate"):
        ZmqInSettings(address=address, bind=bind)


def test_certificates_are_given_together(tmp_path):
    with pytest.raises(ValidationError, match="together"):
        ZmqInSettings(own_certificate=tmp_path / "a.key_secret")


@pytest.mark.parametrize("name", ["missing.key_secret", "text.key_secret", "camera.key"])
def test_certificate_that_is_none(tmp_path, name):
    zmq.auth.create_certificates(tmp_path, "camera")
    (tmp_path / "text.key_secret").write_text("no certificate")
    settings = ZmqInSettings(
        address=ANY_PORT, own_certificate=tmp_path / name, peer_certificate=tmp_path / "camera.key"
    )
    with pytest.raises(AddressError, match=name.replace(".", r"\.")):
        ZmqInSource(settings).open()


@pytest.fixture
def keys(tmp_path):
    for name in ("camera", "stranger", "livesmlm"):
        zmq.auth.create_certificates(tmp_path, name)

    def pair(own: str, peer: str) -> dict:
        return {"own_certificate": tmp_path / f"{own}.key_secret", "peer_certificate": tmp_path / f"{peer}.key"}

    return pair


@pytest.mark.skipif(not zmq.has("curve"), reason="this libzmq has no CURVE")
@pytest.mark.parametrize("receiver_binds", [True, False])
def test_encrypted_frames_arrive(keys, expected, receiver_binds):
    address = ANY_PORT if receiver_binds else f"tcp://127.0.0.1:{free_port()}"
    settings = ZmqInSettings(address=address, bind=receiver_binds, timeout_s=20, **keys("livesmlm", "camera"))
    source = ZmqInSource(settings)
    source.listen()
    with FrameSender(source.address, bind=not receiver_binds, timeout_s=20, **keys("camera", "livesmlm")) as sender:
        sender.send(Frame(expected[0], 0))
        sender.end()
        source.open()
        frames = taken(source)
    source.close()
    np.testing.assert_array_equal(frames[0].pixels, expected[0])


@pytest.mark.skipif(not zmq.has("curve"), reason="this libzmq has no CURVE")
@pytest.mark.parametrize("who", ["stranger", "nobody"])
def test_strangers_cannot_send(keys, expected, who):
    source = ZmqInSource(ZmqInSettings(address=ANY_PORT, timeout_s=0.5, **keys("livesmlm", "camera")))
    source.listen()
    link = keys("stranger", "livesmlm") if who == "stranger" else {}
    with FrameSender(source.address, timeout_s=0.5, **link) as sender, pytest.raises(SourceFault, match="no receiver"):
        sender.send(Frame(expected[0], 0))
    with pytest.raises(SourceFault, match="no frame came"):
        source.open()
    source.close()


def free_port() -> int:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return int(holder.getsockname()[1])
