"""Plans on disk: used only if nothing has changed, built once by several processes, never in the way of a run."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stream.engines.plan_cache import MAGIC, WAITING, PlanCache, key_of, usual_folder

FACTS = {"onnx": "abc", "tensorrt": "10.16.1.11", "gpu": "Fake GPU", "profiles": {"frames": (-1, 8, 8, 2)}, "sm": 24}
PLAN = bytes(range(256)) * 40 + b"\n\n"


class Built:
    """Builds plans, and counts them."""

    def __init__(self, plan: bytes = PLAN) -> None:
        self.plan, self.times = plan, 0

    def __call__(self) -> bytes:
        self.times += 1
        return self.plan


class Kept:
    """A cache, and what it says."""

    def __init__(self, folder: Path) -> None:
        self.remarks, self.said = list[str](), list[str]()
        self.cache = PlanCache(self.remarks, self.said.append, folder)

    def plan(self, build: Built, **changed: object) -> bytes:
        return self.cache.plan("2d-fast-8x8", FACTS | changed, build)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "deep" / "plans")


def file_of(kept: Kept, folder: Path) -> Path:
    (path,) = (folder / "deep" / "plans").glob("*.plan")
    return path


def test_a_plan_is_built_once_and_then_found(kept: Kept, tmp_path: Path) -> None:
    build = Built()
    assert [kept.plan(build), Kept(tmp_path / "deep" / "plans").plan(build)] == [PLAN, PLAN]
    assert build.times == 1
    assert (kept.said, kept.remarks) == ([], [])


def test_nothing_is_left_beside_the_plan_and_its_lock(kept: Kept, tmp_path: Path) -> None:
    kept.plan(Built())
    names = sorted(path.name for path in (tmp_path / "deep" / "plans").iterdir())
    stem = f"2d-fast-8x8-{key_of(FACTS)[:32]}"
    assert names == [f"{stem}.lock", f"{stem}.plan"]


def test_the_file_says_what_it_is_for(kept: Kept, tmp_path: Path) -> None:
    kept.plan(Built())
    magic, header, plan = file_of(kept, tmp_path).read_bytes().split(b"\n", 2)
    assert (magic + b"\n", plan) == (MAGIC, PLAN)
    assert json.loads(header)["facts"] == json.loads(json.dumps(FACTS))


@pytest.mark.parametrize(
    ("fact", "now", "said"),
    [
        ("onnx", "abd", "onnx was abc and is abd"),
        ("tensorrt", "11.4.0.106", "tensorrt was 10.16.1.11 and is 11.4.0.106"),
        ("gpu", "Another GPU", "gpu was Fake GPU and is Another GPU"),
        ("sm", 25, "sm was 24 and is 25"),
        ("profiles", {"frames": (-1, 8, 9, 2)}, "profiles was {'frames': [-1, 8, 8, 2]} and is"),
        ("flags", ["no TF32"], "flags was None and is ['no TF32']"),
    ],
)
def test_a_fact_that_changed_is_another_plan_and_said(kept: Kept, fact: str, now: object, said: str) -> None:
    old, new = Built(), Built(b"another")
    kept.plan(old)
    assert kept.plan(new, **{fact: now}) == b"another"
    assert len(kept.said) == 1
    assert said in kept.said[0]
    assert kept.plan(old) == PLAN  # what was before is still there
    assert kept.plan(new, **{fact: now}) == b"another"
    assert (old.times, new.times) == (1, 1)


@pytest.mark.parametrize("at", [0, 20, 60, 300, -1])
def test_a_byte_that_is_damaged(kept: Kept, tmp_path: Path, at: int) -> None:
    """In the first line, the facts, the checksum and the plan."""
    kept.plan(Built())
    path = file_of(kept, tmp_path)
    content = bytearray(path.read_bytes())
    content[at] ^= 0x04
    path.write_bytes(content)
    build = Built()
    assert kept.plan(build) == PLAN
    assert build.times == 1
    assert kept.said == [f"{path} is damaged: its plan is built anew"]
    assert kept.plan(build) == PLAN
    assert build.times == 1


@pytest.mark.parametrize("length", [0, 5, len(MAGIC), 100, -1])
def test_a_file_that_was_cut_off(kept: Kept, tmp_path: Path, length: int) -> None:
    kept.plan(Built())
    path = file_of(kept, tmp_path)
    path.write_bytes(path.read_bytes()[:length])
    build = Built()
    assert kept.plan(build) == PLAN
    assert build.times == 1
    assert "is damaged" in kept.said[0]


def test_a_plan_under_the_name_of_another_is_not_taken(kept: Kept, tmp_path: Path) -> None:
    kept.plan(Built())
    path = file_of(kept, tmp_path)
    other = FACTS | {"gpu": "Another GPU"}
    path.rename(path.with_name(f"2d-fast-8x8-{key_of(other)[:32]}.plan"))
    build = Built(b"another")
    assert kept.plan(build, gpu="Another GPU") == b"another"


@pytest.mark.parametrize("below", ["", "plans"])
def test_a_folder_that_cannot_be_written_is_told_once(tmp_path: Path, below: str) -> None:
    """A file is where the folder should be: that stops the superuser too."""
    (tmp_path / "file").write_text("")
    kept, build = Kept(tmp_path / "file" / below), Built()
    assert [kept.plan(build), kept.plan(build)] == [PLAN, PLAN]
    assert build.times == 2
    kept.cache.keep("timing.cache", b"1")
    assert kept.cache.kept("timing.cache") == b""
    assert len(kept.remarks) == 1
    assert "cannot be kept in" in kept.remarks[0]
    assert "built again at every start" in kept.remarks[0]


def test_a_disk_that_is_full(kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    build = Built()
    assert kept.plan(build) == PLAN
    assert len(kept.remarks) == 1
    assert "No space left on device" in kept.remarks[0]
    assert not [*(tmp_path / "deep" / "plans").glob("*.plan"), *(tmp_path / "deep" / "plans").glob("*.part")]


def test_a_build_that_fails_leaves_nothing_and_the_next_may_try(kept: Kept, tmp_path: Path) -> None:
    def fails() -> bytes:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        kept.cache.plan("2d-fast-8x8", FACTS, fails)
    assert kept.plan(Built()) == PLAN


def test_what_is_kept_beside_the_plans(kept: Kept) -> None:
    assert kept.cache.kept("timing.cache") == b""
    kept.cache.keep("timing.cache", b"1")
    kept.cache.keep("timing.cache", b"2")
    assert kept.cache.kept("timing.cache") == b"2"


@pytest.mark.skipif(sys.platform == "win32", reason="another folder is usual there")
def test_the_usual_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert usual_folder() == tmp_path / "livesmlm" / "plans"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert usual_folder() == tmp_path / ".cache" / "livesmlm" / "plans"


OTHER_PROCESS = """
import sys
from pathlib import Path
from stream.engines.plan_cache import PlanCache

def build():
    print("building", flush=True)
    return sys.stdin.readline().encode()

cache = PlanCache([], lambda text: print(text, flush=True), Path(sys.argv[1]))
print("has", cache.plan("name", {"fact": 1}, build).decode(), flush=True)
"""


class Other:
    """Another process that wants the plan, and builds what it is told to."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", OTHER_PROCESS, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def says(self) -> str:
        return self._process.stdout.readline().strip()

    def tell(self, plan: str) -> None:
        self._process.stdin.write(f"{plan}\n")
        self._process.stdin.flush()

    def __enter__(self) -> "Other":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


def test_of_two_processes_one_builds_and_the_other_waits(tmp_path: Path) -> None:
    with Other(tmp_path) as first:
        assert first.says() == "building"
        with Other(tmp_path) as second:
            assert second.says().startswith(WAITING)
            first.tell("plan")
            assert (first.says(), second.says()) == ("has plan", "has plan")


def test_a_process_that_dies_while_it_builds_leaves_it_to_the_next(tmp_path: Path) -> None:
    with Other(tmp_path) as first:
        assert first.says() == "building"
        with Other(tmp_path) as second:
            assert second.says().startswith(WAITING)
            first.__exit__()
            assert second.says() == "building"
            second.tell("plan")
            assert second.says() == "has plan"
