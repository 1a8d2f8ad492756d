"""Plans that took minutes to build, kept on disk: one file for each set of facts that a plan depends on.

A file is a line that says what it is, a line of JSON with the facts and the plan's checksum, and the plan. It is used
only if both are as they should be, and written beside and then renamed: so there is never half a file of that name.

Decision: a plan for other facts stays where it is. Context: a home folder may be shared by computers with different
graphics cards, and a driver may be put back. Consequence: the folder grows, and may be emptied by hand at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from stream.engines.plan_lock import locked

MAGIC = b"LiveSMLM plan 1\n"
WAITING = "another process builds this plan, waiting for it:"
Facts = Mapping[str, object]
"""Of what JSON can say: name to text, number, or lists and mappings of such."""


def usual_folder() -> Path:
    """Return where plans are kept unless somebody says otherwise."""
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "livesmlm" / "plans"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "livesmlm" / "plans"


def key_of(facts: Facts) -> str:
    """SHA-256 over the facts, in the order of their names."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


class PlanCache:
    """A folder of plans.

    Parameters
    ----------
    remarks : list of str
        Gets a line, once, if plans cannot be kept.
    say : callable
        Told why a plan is built anew, and that another process is building it.
    folder : Path or None
        None for the usual one.
    """

    def __init__(self, remarks: list[str], say: Callable[[str], None], folder: Path | None = None) -> None:
        self._remarks, self._say, self._told = remarks, say, False
        self._folder = folder or usual_folder()

    def plan(self, name: str, facts: Facts, build: Callable[[], bytes]) -> bytes:
        """Return the plan for these facts, built if there is none; of several processes one builds it.

        Parameters
        ----------
        name : str
            Begins the file's name: what stays the same if a fact changes.
        facts : mapping
            Everything that the plan depends on.
        build : callable
        """
        path = self._folder / f"{name}-{key_of(facts)[:32]}.plan"
        found = self._read(path, facts)
        if found is not None:
            return found
        with ExitStack() as held:
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # a plan is what the device will run
                held.enter_context(locked(path.with_suffix(".lock"), lambda: self._say(f"{WAITING} {path.name}")))
            except OSError as error:
                self._cannot_keep(error)
                return build()
            found = self._read(path, facts)
            return self._built(path, name, facts, build) if found is None else found

    def kept(self, name: str) -> bytes:
        """Return what was kept under a name beside the plans; nothing if there is nothing."""
        try:
            return (self._folder / name).read_bytes()
        except OSError:
            return b""

    def keep(self, name: str, content: bytes) -> None:
        """Keep something beside the plans, in place of what was kept under this name before."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _replace(self._folder / name, content)
        except OSError as error:
            self._cannot_keep(error)

    def _built(self, path: Path, name: str, facts: Facts, build: Callable[[], bytes]) -> bytes:
        if path.exists():
            self._say(f"{path} is damaged: its plan is built anew")
        elif changed := self._changed(name, facts):
            self._say(f"the plan is built anew, since {changed}")
        plan = build()
        header = {"facts": facts, "sha256": hashlib.sha256(plan).hexdigest()}
        self.keep(path.name, MAGIC + json.dumps(header, sort_keys=True).encode() + b"\n" + plan)
        return plan

    def _read(self, path: Path, facts: Facts) -> bytes | None:
        """Return the plan in a file; None if there is none for these facts, or if it is not as it was written."""
        try:
            content = path.read_bytes()
        except OSError:
            return None
        header, _, plan = content.removeprefix(MAGIC).partition(b"\n")
        wanted = {"facts": json.loads(json.dumps(facts)), "sha256": hashlib.sha256(plan).hexdigest()}
        return plan if content.startswith(MAGIC) and _parsed(header) == wanted else None

    def _changed(self, name: str, facts: Facts) -> str:
        """Say what is different from the newest plan of the same name; nothing if there is none."""
        now = json.loads(json.dumps(facts))
        with suppress(OSError):
            for path in sorted(self._folder.glob(f"{name}-*.plan"), key=lambda path: -path.stat().st_mtime):
                with path.open("rb") as file:
                    then = _parsed(file.readline() and file.readline()).get("facts")
                if isinstance(then, dict):
                    differ = [fact for fact in sorted(then.keys() | now.keys()) if then.get(fact) != now.get(fact)]
                    return ", ".join(f"{fact} was {then.get(fact)} and is {now.get(fact)}" for fact in differ)
        return ""

    def _cannot_keep(self, error: OSError) -> None:
        if not self._told:
            self._told = True
            self._remarks.append(
                f"TensorRT plans cannot be kept in {self._folder} ({error}): they are built again at every start"
            )


def _parsed(line: bytes) -> dict[str, object]:
    """Return a header; empty if it is none."""
    try:
        header = json.loads(line)
    except ValueError:
        return {}
    return header if isinstance(header, dict) else {}


def _replace(path: Path, content: bytes) -> None:
    """Write a file in one step: whoever reads finds all of the old content or all of the new."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with suppress(OSError):  # the first error is the one to tell
            part.unlink()
        raise
