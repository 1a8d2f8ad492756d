"""Layers, sum and raw frames reach who looks at them; the picture as it is can be taken as a file."""

import json

import httpx
import numpy as np
import pytest
import tifffile

from models.localizations import CHANNELS
from stream.errors import InputError
from stream.page.whole_picture import MAX_PIXELS, write_picture
from stream.picture.tiles import Tile

EVERYTHING = {"level": 0, "rows": [0, 9], "columns": [0, 9], "layers": ["z", "photons"], "camera": True}


def values(header, pixels):
    parts = np.frombuffer(pixels, "<u2").reshape(header["shape"]) / 65535
    return header["low"] + parts * (header["high"] - header["low"])


def test_a_layer_is_sent_to_the_browser_that_asks_for_it(run, page, open_stream):
    run.localize(3200, 3200, z_nm=-150.0)
    with open_stream(page) as browser, open_stream(page) as other:
        run.receive(browser, "tile")
        browser.send(json.dumps(EVERYTHING))
        header, pixels = run.receive(browser, "layer")
        assert header["shape"] == [128, 128]
        expected = {"z": -150, "photons": 1000}[header["layer"]]
        found = values(header, pixels)
        assert found[np.abs(found) > 1] == pytest.approx(expected, rel=1e-3)
        run.receive(other, "tile")
        run.localize(3200, 3200, z_nm=50.0)
        run.preview(8)
        while (header := run.until(lambda: run.next(other))[0])["topic"] != "frame" or header["index"] != 8:
            assert header["topic"] != "layer"


def test_a_layer_comes_back_when_it_is_asked_for_again(run, page, open_stream):
    run.localize(3200, 3200, z_nm=-150.0)
    with open_stream(page) as browser:
        for layers in (["z"], ["time"], ["z"]):
            browser.send(json.dumps(EVERYTHING | {"layers": layers}))
            header, _ = run.receive(browser, "layer")
            while header["layer"] != layers[0]:
                header, _ = run.receive(browser, "layer")


def test_the_sum_and_whole_frames_go_to_who_shows_the_camera(run, page, open_stream):
    run.preview(7, side_px=1200)
    run.out.sum(np.linspace(0, 9e6, 64 * 64, dtype=np.float32).reshape(64, 64), 900)
    run.out.found(7, np.array([[100, 200]], np.float32))
    with open_stream(page) as browser:
        small, _ = run.receive(browser, "frame")
        assert small["shape"] == [400, 400]
        browser.send(json.dumps(EVERYTHING))
        total, pixels = run.receive(browser, "sum")
        assert (total["shape"], total["frames"]) == ([64, 64], 900)
        assert total["high_adu"] == pytest.approx(0.998 * 1e4, rel=1e-3)
        grey = np.frombuffer(pixels, "<u2")
        assert (grey[0], grey[-1]) == (0, 65535)
        run.preview(8, side_px=1200)
        whole, _ = run.receive(browser, "frame")
        while whole["index"] != 8:
            whole, _ = run.receive(browser, "frame")
        assert whole["shape"] == [1200, 1200]


def test_where_molecules_were_found_is_sent_as_it_is(run, page, open_stream):
    run.out.found(7, np.array([[100, 200], [300, 400]], np.float32))
    with open_stream(page) as browser:
        header, positions = run.receive(browser, "found")
    assert header["index"] == 7
    assert np.frombuffer(positions, "<f4").tolist() == [100, 200, 300, 400]


def test_the_picture_as_it_is_can_be_taken_as_a_file(run, page, open_stream, tmp_path):
    answer = httpx.get(page.url + "render.ome.tif")
    assert (answer.status_code, "no picture yet" in answer.text) == (409, True)
    run.localize(3200, 3200)
    with open_stream(page) as browser:
        run.receive(browser, "tile")
    run.until(lambda: httpx.get(page.url + "render.ome.tif").status_code == 200)
    for _ in range(20):
        run.out.serve(wait_s=0.02)
    (tmp_path / "now.ome.tif").write_bytes(httpx.get(page.url + "render.ome.tif").content)
    with tifffile.TiffFile(tmp_path / "now.ome.tif") as tiff:
        np.testing.assert_allclose(tiff.series[0].asarray(), run.renderer.image(), atol=1e-6)
        pixels = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]["Pixels"]
        assert (pixels["PhysicalSizeX"], pixels["PhysicalSizeXUnit"]) == (0.01, "µm")


def test_a_picture_too_large_to_be_put_together_is_refused(tmp_path):
    side_px = int(MAX_PIXELS**0.5) + 1
    start = {"stream": {"height_px": side_px, "width_px": side_px}, "pixel_size_nm": 10.0}
    tile = Tile(0, 0, 0, (0.0, 0.0), 10.0, np.zeros((256, 256), np.float32))
    with pytest.raises(InputError, match="when it ends"):
        write_picture(tmp_path / "a.ome.tif", start, [tile])


def test_every_colour_map_is_served(page):
    maps = httpx.get(page.url + "colour-maps.json").json()
    assert np.shape(maps.pop("channels")) == (CHANNELS, 3)
    assert {"ember", "ice", "grey", "dusk"} <= maps.keys()
    assert all(np.shape(colours) == (256, 3) for colours in maps.values())
