"""What is published comes back as it was, and what cannot be understood is refused with a reason."""

import json
import zlib

import numpy as np
import pytest

from stream.errors import AddressError, FrameFormatError, TableFormatError
from stream.links.messages import VERSION, pack_header, pack_tile, unpack, unpack_snapshot
from stream.picture.tiles import Tile

HEADER = {"version": VERSION, "run_id": "run-1", "sequence": 0}
TILE = Tile(2, 3, 4, (1024.0, 768.0), 40.0, np.random.default_rng(0).random((64, 64), np.float32))


def packed(topic: str, content: dict, payload: bytes = b"") -> list[bytes]:
    return [topic.encode(), pack_header({**content, **HEADER}), payload]


def test_a_tile_comes_back_whole():
    message = unpack(packed("tile", *pack_tile(TILE)))
    found = message.payload
    assert (found.level, found.row, found.column, found.origin_nm, found.pixel_nm) == (2, 3, 4, (1024.0, 768.0), 40.0)
    np.testing.assert_array_equal(found.values, TILE.values)


def test_any_zlib_can_unpack_a_tile():
    content, payload = pack_tile(TILE)
    values = np.frombuffer(zlib.decompress(payload), np.float32).reshape(content["shape"])
    np.testing.assert_array_equal(values, TILE.values)


def test_arrays_come_back_with_their_shape():
    pixels = np.arange(6, dtype=np.uint16).reshape(2, 3)
    np.testing.assert_array_equal(unpack(packed("frame", {"shape": (2, 3)}, pixels.tobytes())).payload, pixels)
    level = np.array([[1.5, np.nan], [2, 3]], np.float32)
    np.testing.assert_array_equal(unpack(packed("background", {"shape": (2, 2)}, level.tobytes())).payload, level)
    waves = np.linspace(-1, 1, 27, dtype=np.float32)
    np.testing.assert_array_equal(unpack(packed("phase", {}, waves.tobytes())).payload, waves)
    psf = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 2, 2)
    np.testing.assert_array_equal(unpack(packed("psf", {"shape": (3, 2, 2)}, psf.tobytes())).payload, psf)
    assert unpack(packed("health", {"rate": 20})).payload is None


def test_numbers_that_are_not_finite_become_null():
    raw = pack_header({"a": float("nan"), "b": {"c": [float("inf"), 1.5]}, "d": (1, 2)})
    assert json.loads(raw) == {"a": None, "b": {"c": [None, 1.5]}, "d": [1, 2]}


@pytest.mark.parametrize("header", [HEADER | {"version": VERSION + 1}, {}])
def test_another_version_is_refused(header):
    with pytest.raises(AddressError, match=rf"(?s)version.*{VERSION}.*same release"):
        unpack([b"health", json.dumps(header).encode(), b""])
    with pytest.raises(AddressError, match="same release"):
        unpack_snapshot([b"snapshot", json.dumps(header).encode()])


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b"health"],
        [b"health", b"{not json", b""],
        [b"health", b"[1]", b""],
        [b"health", b"null", b""],
        [b"health", pack_header(HEADER | {"sequence": "third"}), b""],
        [b"health", pack_header(HEADER), b"", b"more"],
        [b"\xff\xfe", pack_header(HEADER), b""],
        packed("tile", {}, b"x"),
        packed("tile", pack_tile(TILE)[0], b"not zlib"),
        packed("tile", pack_tile(TILE)[0], pack_tile(TILE)[1][:100]),
        packed("tile", {**pack_tile(TILE)[0], "shape": [0, 64]}, pack_tile(TILE)[1]),
        packed("tile", {**pack_tile(TILE)[0], "shape": [1 << 20, 1 << 20]}, pack_tile(TILE)[1]),
        packed("frame", {"shape": [3, 3]}, b"12"),
        packed("frame", {"shape": "wide"}, b"12"),
        packed("background", {"shape": [2, 2]}, b"1234"),
        packed("phase", {}, b"123"),
        packed("psf", {"shape": [3, 2, 2]}, b"1234"),
    ],
)
def test_what_is_not_a_message_is_refused(parts):
    with pytest.raises(FrameFormatError):
        unpack(parts)


@pytest.mark.parametrize("missing", ["run_id", "sequence"])
def test_a_header_names_its_run_and_place(missing):
    header = {name: value for name, value in HEADER.items() if name != missing}
    with pytest.raises(FrameFormatError, match=missing):
        unpack([b"health", pack_header(header), b""])


@pytest.mark.parametrize("answer", [[], [b"error", b"why"], [b"snapshot", pack_header(HEADER)]])
def test_what_is_not_a_snapshot_is_refused(answer):
    with pytest.raises(FrameFormatError):
        unpack_snapshot(answer)


def test_a_snapshot_holds_messages():
    answer = [b"snapshot", pack_header(HEADER | {"next": {"health": 4}}), *packed("health", {}), *packed("end", {})]
    run_id, following, messages = unpack_snapshot(answer)
    assert (run_id, following, [message.topic for message in messages]) == ("run-1", {"health": 4}, ["health", "end"])


def test_a_table_that_is_none_is_refused():
    with pytest.raises(TableFormatError):
        unpack(packed("table", {"first": 0, "last": 0}, b"no table"))
