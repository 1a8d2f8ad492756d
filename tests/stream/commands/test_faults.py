"""What breaks in the middle of a run: the exit code, the message, and what was taken before is safe."""

import json
import resource
import subprocess
from pathlib import Path

import h5py
import numpy as np
import psutil
import pytest
import zmq

from stream.acquisition.spool import Spool
from stream.books.ledger import Ledger
from stream.readers.tables import read_table
from tests.stream.commands.conftest import ROOT, command
from tests.stream.commands.test_main_job import start, wait_until_analysed

ZMQ_RIG = """
[camera]
pixel_size_nm = 100
[source]
kind = "zmq_in"
address = "{address}"
bind = false
[engine]
threads = 1
[publish]
address = "tcp://127.0.0.1:*"
"""
GOOD = {"dtype": "uint16", "shape": [64, 64]}
ABSURD = [
    {"dtype": "uint16"}, GOOD | {"shape": [2**31, 2**31]}, GOOD | {"shape": [64, -64]}, GOOD | {"shape": "64 x 64"},
    GOOD | {"dtype": "float64"}, GOOD | {"shape": [32, 64]},
]  # fmt: skip


def test_a_disk_that_is_full(rig, tmp_path: Path) -> None:
    """A limit on the size of a file stands in for the disk: what the writer sees is the same kind of error."""
    settings = rig("[policy]\nring_mb = 0.05\n", rate='"max"')
    settings.write_text(settings.read_text().replace("density_per_um2 = 0.1", "density_per_um2 = 4"))
    limit = 5_500_000  # bytes; the table reserves its room ahead, 4 MB at a time
    ran = subprocess.run(
        command("run", settings, "--frames", 3000, "--out", tmp_path / "out", "--no-page"),
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    said = " ".join(ran.stderr.split())
    assert ran.returncode == 3, said
    for part in ("could not be written: File too large", "MB left", "Free space or choose another disk"):
        assert part in said
    ledger = Ledger.read(tmp_path / "out" / "ledger.json")
    assert ledger.ended.startswith("fault")
    assert ledger.check() == []
    assert 0 < ledger.written.total < 3000
    with h5py.File(tmp_path / "out" / "locs.hdf5", "r") as file:
        assert file["locs"]["frame"][-1] >= ledger.written.last - 16
    assert len(read_table(tmp_path / "out" / "locs.csv"))
    left = {frame.index for frame in Spool.open_existing(tmp_path / "out" / "spool")}
    assert left >= set(range(ledger.written.last + 1, ledger.received.last + 1))


@pytest.fixture
def sent_and_run(tmp_path: Path):
    """Run with messages that a user's own script sends; returns how the run ended."""

    def run(messages: list[list[bytes]]) -> subprocess.CompletedProcess[str]:
        with zmq.Context() as context, context.socket(zmq.PUSH) as sender:
            sender.sndtimeo = sender.linger = 30_000
            port = sender.bind_to_random_port("tcp://127.0.0.1")
            rig = tmp_path / "rig.toml"
            rig.write_text(ZMQ_RIG.format(address=f"tcp://127.0.0.1:{port}"))
            arguments = command("run", rig, "--out", tmp_path / "out", "--no-page")
            process = subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.PIPE, text=True)
            for message in messages:
                sender.send_multipart(message)
            _, said = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, stderr=" ".join(said.split()))

    return run


def message(number: int, header: dict[str, object], bytes_: int = 64 * 64 * 2) -> list[bytes]:
    return [json.dumps(header | {"frame": number}).encode(), np.full(bytes_ // 2, 100, np.uint16).tobytes()]


def test_messages_that_are_no_frames_are_refused_and_counted(sent_and_run, tmp_path: Path) -> None:
    wrong = [message(number, header) for number, header in enumerate(ABSURD, start=10)]
    wrong[-1] = message(16, GOOD | {"shape": [32, 64]}, 32 * 64 * 2)
    good = [message(number, GOOD) for number in range(30)]
    ran = sent_and_run([*good[:10], *wrong, [b"no header"], *good[20:], [b'{"type": "end"}']])
    assert ran.returncode == 3, ran.stderr
    ledger = Ledger.read(tmp_path / "out" / "ledger.json")
    assert ledger.check() == []
    assert ledger.received.to_list() == ledger.analysed.to_list() == [(0, 9), (20, 29)]
    assert sum(ledger.refused.values()) == len(wrong) + 1
    assert ledger.refused["shape (32, 64) is not (64, 64), that of the first frame or of start"] == 1
    assert ledger.missing["camera counter gap"].to_list() == [(10, 19)]
    assert "warning: the source turns frames away" in ran.stderr
    assert "shape = 2147483648: Input should be less than or equal to 8192" in ran.stderr


def test_nothing_but_nonsense(sent_and_run) -> None:
    ran = sent_and_run([*[message(0, header) for header in ABSURD[:5]], [b'{"type": "end"}']])
    assert ran.returncode == 3
    for part in ("no frame came at tcp://127.0.0.1", "refused: ", "a message is a JSON header", "start the sender"):
        assert part in ran.stderr


def test_one_of_several_engines_is_killed(rig, tmp_path: Path) -> None:
    """The run ends with a fault that names it; what was received and not analysed is in the spool."""
    settings = rig(rate=400)
    settings.write_text(settings.read_text().replace("[engine]", "[engine]\nprocesses = 2"))
    out = tmp_path / "out"
    process = start("run", settings, "--frames", 4000, "--out", out, "--no-page")
    wait_until_analysed(out, 40)
    engines = [child for child in psutil.Process(process.pid).children() if computes(child.pid)]
    assert len(engines) == 2
    engines[1].kill()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "is gone: its process ended with exit code -9" in " ".join(said.split())
    ledger = Ledger.read(out / "ledger.json")
    assert ledger.ended.startswith("fault: engine")
    assert ledger.check() == []
    left = {frame.index for frame in Spool.open_existing(out / "spool")}
    assert left >= set(range(ledger.analysed.last + 1, ledger.received.last + 1))
    assert not [child for child in engines if child.is_running()]


def computes(pid: int) -> bool:
    """Say whether a process has loaded ONNX Runtime's library."""
    return "onnxruntime" in Path(f"/proc/{pid}/maps").read_text()
