"""An engine in a process of its own, which sees one GPU.

Requests are answered in order. Frames lie in shared memory that belongs to whoever asks; rows and errors come back
through the pipe. When whoever asks is gone, the pipe ends, and so does the process.
"""

from __future__ import annotations

import os
import signal
from contextlib import closing, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from export.card import Card
from stream.acquisition.ring_memory import SharedBlock, attach_block
from stream.child import end
from stream.config import EngineSettings
from stream.engine import Arrays, Engine, Plan, Rows
from stream.errors import EngineFault, LiveSMLMError, ModelError

VISIBLE = "CUDA_VISIBLE_DEVICES"
CLOSE_WITHIN_S = 5.0


class Opened(NamedTuple):
    """What an engine says of itself once it is open."""

    card: Card
    device: str


class Sent(NamedTuple):
    """Frames in shared memory."""

    block: str
    shape: tuple[int, ...]


class EngineProcess:
    """A running process; ask and wait by turns.

    Parameters
    ----------
    model : Path
    settings : EngineSettings
        Of one engine.
    number, of : int
        Which of how many, from 0: on CUDA it gets the GPU of that number.
    """

    def __init__(self, model: Path, settings: EngineSettings, number: int, of: int) -> None:
        self._name = f"engine {number + 1} of {of}"
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=main, args=(model, settings, number, theirs), name=f"livesmlm-engine-{number}", daemon=True
        )
        self._process.start()
        theirs.close()  # so that the pipe ends when the process does

    @property
    def pid(self) -> int | None:
        """Of the process."""
        return self._process.pid

    def ask(self, *request: object) -> None:
        """Send a request: the name of a method of `_Served`, and its arguments; nothing is waited for."""
        with suppress(OSError):  # that it is gone is told where the answer is asked for
            self._connection.send(request)

    def answer(self) -> Any:
        """Return the answer to the oldest request that has one.

        Raises
        ------
        LiveSMLMError
            What went wrong there, in its own words.
        EngineFault
            The process is gone.
        """
        try:
            answer = self._connection.recv()
        except (EOFError, OSError) as error:
            self._process.join(CLOSE_WITHIN_S)
            raise EngineFault(
                f"{self._name} is gone: its process ended with exit code {self._process.exitcode}",
                limit="-9: it was killed, mostly for lack of memory",
                remedy="`livesmlm replay OUT/spool` analyses what was received; try fewer [engine] processes",
            ) from error
        if isinstance(answer, LiveSMLMError):
            raise type(answer)(f"{self._name}: {answer.what}", limit=answer.limit, remedy=answer.remedy)
        return answer

    def close(self) -> None:
        """End the process. May be called more than once."""
        if not self._connection.closed:
            self._connection.close()
            end(self._process, CLOSE_WITHIN_S)
            self._process.close()


def gpu_of(number: int, visible: str | None) -> str:
    """Return what CUDA_VISIBLE_DEVICES should be for one engine of several.

    Parameters
    ----------
    number : int
        Of the engine, from 0.
    visible : str or None
        What the variable is.

    Raises
    ------
    ModelError
        It shows fewer GPUs.
    """
    if visible is None:
        return str(number)
    shown = [one.strip() for one in visible.split(",") if one.strip()]
    if number >= len(shown):
        raise ModelError(
            f"there is no GPU for it: {VISIBLE} is {visible!r}", limit=f"it shows {len(shown)}",
            remedy="set [engine] processes to as many as there are",
        )  # fmt: skip
    return shown[number]


class _Served:
    """What can be asked for. Methods that return something are answered with it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._plan: Plan | None = None
        self._slots: dict[int, int] = {}
        self._blocks: dict[int, SharedBlock] = {}

    def run(self, inputs: Arrays) -> Arrays:
        return self._engine.run(inputs)

    def plan(self, maps: Arrays) -> int:
        self._plan = self._engine.plan(maps)
        self._slots.clear()
        self.close()
        return self._plan.slots

    def submit(self, slot: int, sent: Sent) -> None:
        assert self._plan is not None
        self._slots[slot] = self._plan.submit(self._frames(slot, sent), True)

    def wait(self, slot: int) -> tuple[Rows, list[str]]:
        assert self._plan is not None
        rows = self._plan.wait(self._slots.pop(slot))
        remarks = self._engine.remarks[:]
        self._engine.remarks.clear()
        return rows, remarks

    def close(self) -> None:
        for block in self._blocks.values():
            block.close()
        self._blocks.clear()

    def _frames(self, slot: int, sent: Sent) -> np.ndarray[Any, np.dtype[np.uint16]]:
        block = self._blocks.get(slot)
        if block is None or block.name != sent.block:
            if block is not None:
                block.close()
            block = self._blocks[slot] = attach_block(sent.block)
        assert block.buf is not None
        return np.frombuffer(block.buf, np.uint16, int(np.prod(sent.shape))).reshape(sent.shape)


def main(model: Path, settings: EngineSettings, number: int, connection: Connection) -> None:
    """Be the process. Ctrl-C is ignored: whoever asks decides when the run ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, OSError):  # whoever asks is gone
        try:
            if settings.device == "cuda":  # before any library of the vendor is loaded
                os.environ[VISIBLE] = gpu_of(number, os.environ.get(VISIBLE))
            from stream.engines import open_engine

            engine = open_engine(model, settings)
        except LiveSMLMError as error:
            connection.send(error)
            return
        with closing(engine), closing(_Served(engine)) as served:
            connection.send(Opened(engine.card, engine.device))
            while True:
                _serve(served, connection)


def _serve(served: _Served, connection: Connection) -> None:
    name, *arguments = connection.recv()
    try:
        answer = getattr(served, name)(*arguments)
    except LiveSMLMError as error:
        answer = error
    if answer is not None:
        connection.send(answer)
