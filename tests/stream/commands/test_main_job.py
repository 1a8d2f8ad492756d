"""The main job through the command: frames in, tables and picture out, every frame accounted for."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import tifffile

from stream.acquisition.spool import Spool
from stream.books.ledger import Ledger
from stream.readers.tables import read_table

ROOT = Path(__file__).parents[3]
OUTPUTS = {
    "locs.hdf5", "locs.yaml", "locs.csv", "table.parquet", "render.ome.tif", "render.png", "ledger.json", "run.json",
    "ledger-source.json", "story.jsonl", "guard.jsonl",
}  # fmt: skip
DRIFT = {"drift.csv", "locs_drift.txt"}
"""Of a run that was long enough for one."""


def start(*arguments: object) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "stream.cli", *map(str, arguments)]
    return subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)


def wait_until_analysed(folder: Path, frames: int) -> None:
    """Wait until the ledger tells of so many analysed frames."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if (folder / "ledger.json").exists() and Ledger.read(folder / "ledger.json").analysed.total >= frames:
            return
        os.sched_yield()
    raise TimeoutError(f"{frames} frames were not analysed within 60 s")


def test_simulate_replay_score(rig, livesmlm, tmp_path: Path) -> None:
    stack, truth, out = tmp_path / "stack.tif", tmp_path / "truth.csv", tmp_path / "out"
    settings = rig()
    made = livesmlm("simulate", "--rig", settings, "--out", stack, "--truth", truth, "--frames", 60)
    assert made.returncode == 0, made.stderr
    ran = livesmlm("replay", stack, "--rig", settings, "--out", out, "--no-page")
    assert ran.returncode == 0, ran.stderr
    assert {path.name for path in out.iterdir()} == OUTPUTS
    scored = livesmlm("score", out / "locs.hdf5", truth, "--min-photons", 300, "--json")
    result = json.loads(scored.stdout)
    assert result["jaccard"] > 0.8
    assert result["rmse_lateral_nm"] < 40
    every = read_table(out / "table.parquet")
    half = 50.0  # Picasso counts from the centre of the first pixel and takes no negative position
    inside = (every["x_nm"] >= half) & (every["y_nm"] >= half) & (every["x_nm"] < 6400 + half)
    every = every.where(inside & (every["y_nm"] < 6400 + half))
    picasso = read_table(out / "locs.hdf5")
    np.testing.assert_allclose(picasso["x_nm"], every["x_nm"], atol=0.02)
    np.testing.assert_array_equal(picasso["frame"], every["frame"])
    ledger = Ledger.read(out / "ledger.json")
    assert ledger.check() == []
    assert ledger.ended == "finished"
    assert ledger.published.to_list() == [(0, 59)]
    with tifffile.TiffFile(out / "render.ome.tif") as tiff:
        assert tiff.series[0].asarray().sum() > 0.9 * len(every)


def test_the_same_stack_gives_the_same_table(rig, livesmlm, tmp_path: Path) -> None:
    stack, settings = tmp_path / "stack.tif", rig()
    livesmlm("simulate", "--rig", settings, "--out", stack, "--frames", 20)
    for name in ("a", "b"):
        livesmlm("replay", stack, "--rig", settings, "--out", tmp_path / name, "--no-page")
    assert (tmp_path / "a" / "locs.csv").read_bytes() == (tmp_path / "b" / "locs.csv").read_bytes()


def test_lossless_spills_and_catches_up(rig, livesmlm, tmp_path: Path) -> None:
    settings = rig("[policy]\nring_mb = 0.05\n", rate=2000)
    ran = livesmlm("run", settings, "--frames", 300, "--out", tmp_path / "out", "--no-page")
    assert ran.returncode == 0, ran.stderr
    ledger = Ledger.read(tmp_path / "out" / "ledger.json")
    assert ledger.check() == []
    assert ledger.spilled.total > 0
    assert ledger.analysed.to_list() == [(0, 299)]
    assert (np.diff(read_table(tmp_path / "out" / "locs.hdf5")["frame"]) >= 0).all()


def test_live_skips_and_says_so(rig, livesmlm, tmp_path: Path) -> None:
    settings = rig('[policy]\nring_mb = 0.05\noverload = "live"\n', rate=2000)
    ran = livesmlm("run", settings, "--frames", 300, "--out", tmp_path / "out", "--no-page")
    assert ran.returncode == 3, ran.stderr
    assert "overload" in ran.stderr
    ledger = Ledger.read(tmp_path / "out" / "ledger.json")
    assert ledger.check() == []
    assert ledger.analysed.total + ledger.skipped["overload"].total == ledger.received.total == 300


def test_ctrl_c_ends_in_order(rig, tmp_path: Path) -> None:
    run = start("run", rig(rate=50), "--out", tmp_path / "out", "--no-page")
    wait_until_analysed(tmp_path / "out", 10)
    os.killpg(run.pid, signal.SIGINT)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 0, said
    assert {path.name for path in (tmp_path / "out").iterdir()} - DRIFT == OUTPUTS
    ledger = Ledger.read(tmp_path / "out" / "ledger.json")
    assert (ledger.ended, ledger.check(), ledger.summary()["lag"]) == ("interrupted", [], 0)


def test_kill_9_of_the_analyzer_loses_nothing(rig, livesmlm, tmp_path: Path) -> None:
    out, settings = tmp_path / "out", rig(rate="100\nframes = 300")
    run = start("run", settings, "--out", out, "--no-page")
    wait_until_analysed(out, 10)
    os.kill(run.pid, signal.SIGKILL)
    run.communicate(timeout=60)
    end = time.monotonic() + 60
    while Ledger.read(out / "ledger-source.json").ended == "running" and time.monotonic() < end:
        os.sched_yield()
    analysed, source = Ledger.read(out / "ledger.json").analysed, Ledger.read(out / "ledger-source.json")
    with h5py.File(out / "locs.hdf5", "r") as file:
        written = int(file["locs"]["frame"][-1])
    assert source.received.to_list() == [(0, 299)]
    assert analysed.last - 1 <= written  # the ledger on disk is at most half a second behind the table
    left = {frame.index for frame in Spool.open_existing(out / "spool")}
    assert left >= set(range(written + 1, 300))  # also the frame that waited for its successor
    salvaged = livesmlm("replay", out / "spool", "--rig", settings, "--out", tmp_path / "rest", "--no-page")
    assert salvaged.returncode == 0, salvaged.stderr
    assert Ledger.read(tmp_path / "rest" / "ledger.json").analysed.last == 299


def test_several_engines_say_what_one_says(rig, livesmlm, tmp_path: Path) -> None:
    """Each in a process of its own: the same rows in the same order, and every frame in the ledger."""
    stack = tmp_path / "stack.tif"
    assert livesmlm("simulate", "--rig", rig(), "--out", stack, "--frames", 70).returncode == 0
    tables, ledgers = [], []
    for processes in (1, 2):
        more = "[policy]\nbatch_frames = 8\n"
        settings = rig()
        settings.write_text(settings.read_text().replace("[engine]", f"[engine]\nprocesses = {processes}") + more)
        out = tmp_path / f"out-{processes}"
        ran = livesmlm("replay", stack, "--rig", settings, "--out", out, "--no-page")
        assert ran.returncode == 0, ran.stderr
        tables.append(read_table(out / "table.parquet"))
        ledgers.append(Ledger.read(out / "ledger.json"))
    assert [ledger.analysed.to_list() for ledger in ledgers] == [[(0, 69)]] * 2
    assert len(tables[0]) > 100
    for name in tables[0]:
        np.testing.assert_array_equal(tables[1][name], tables[0][name])
