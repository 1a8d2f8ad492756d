"""What a browser is sent: half floats it can colour by their bits, and a grey picture it can show."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from stream.page import pack
from stream.page.pack import HALF_MAX, PREVIEW_PX
from stream.picture.tiles import Tile


def test_densities_keep_three_digits_at_any_brightness(unpacked):
    values = np.geomspace(1e-3, 1e6, 64, dtype=np.float32).reshape(8, 8)
    header, pixels = unpacked(pack.tile({"level": 1}, Tile(1, 0, 0, (0.0, 0.0), 20.0, values)))
    sent = np.frombuffer(pixels, "<f2").reshape(8, 8).astype(np.float32)
    assert header == {"level": 1, "topic": "tile"}
    np.testing.assert_allclose(sent, np.minimum(values, HALF_MAX), rtol=5e-4)
    assert (np.diff(np.frombuffer(pixels, "<u2").astype(int)) >= 0).all(), "bits are in the order of the densities"


def test_a_preview_spans_the_grey_scale_whatever_its_counts(unpacked):
    pixels = np.full((100, 100), 1000, np.uint16)
    pixels[40:60, 40:60] = 1400
    header, grey = unpacked(pack.preview({"index": 5}, pixels))
    image = np.frombuffer(grey, np.uint8).reshape(header["shape"])
    assert (header["index"], header["low_adu"], header["high_adu"]) == (5, 1000, 1400)
    assert (image[0, 0], image[50, 50]) == (0, 255)


def test_a_large_preview_is_binned_by_means(unpacked):
    pixels = np.arange(2048, dtype=np.uint16).repeat(1024).reshape(2048, 1024)
    header, grey = unpacked(pack.preview({}, pixels))
    assert header["shape"] == [512, 256]
    assert len(grey) == 512 * 256


@given(arrays(np.uint16, array_shapes(min_dims=2, max_dims=2, max_side=40), elements=st.integers(0, 65535)))
def test_any_frame_has_a_preview(pixels):
    tall = np.tile(pixels, (30, 1))
    assert len(pack.preview({}, tall)) < PREVIEW_PX**2 + 200
