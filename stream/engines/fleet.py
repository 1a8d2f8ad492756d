"""Several engines, one for each GPU, in a process each: batches are dealt to them in turn, and answered in order.

    batch 0 -> engine 1 -+
    batch 1 -> engine 2 -+-> rows of batch 0, 1, 2, ...
    batch 2 -> engine 1 -+

Decision: each batch is sent with the two frames before it, and begun anew. Context: the features of those frames are in
another engine. Consequence: two frames more are computed with each batch, and the outcome is that of one engine to the
bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stream.acquisition.ring_memory import SharedBlock, create_block
from stream.config import EngineSettings
from stream.engine import Arrays, Plan, Rows
from stream.engines.before import FramesBefore, behind
from stream.engines.engine_process import EngineProcess, Opened, Sent
from stream.frame import UInt16Array


class Fleet:
    """As many engines as the rig asks for, as one.

    Parameters
    ----------
    model : Path
    settings : EngineSettings

    Raises
    ------
    ModelError
        One of them cannot be opened; it says which one.
    """

    def __init__(self, model: Path, settings: EngineSettings) -> None:
        one, count = settings.model_copy(update={"processes": 1}), settings.processes
        self.remarks: list[str] = []
        self._plan: FleetPlan | None = None
        with ExitStack() as opened:
            self._engines: list[EngineProcess] = []
            for number in range(count):
                self._engines.append(EngineProcess(model, one, number, count))
                opened.callback(self._engines[-1].close)
            said: list[Opened] = [engine.answer() for engine in self._engines]
            opened.pop_all()
        self.card = said[0].card
        self.device = f"{count} x {said[0].device}"

    @property
    def processes(self) -> list[int | None]:
        """Their process ids."""
        return [engine.pid for engine in self._engines]

    def run(self, inputs: Mapping[str, NDArray[np.generic]]) -> Arrays:
        """Compute the outputs of the card from its inputs, in the first of them."""
        self._engines[0].ask("run", dict(inputs))
        outputs: Arrays = self._engines[0].answer()
        return outputs

    def plan(self, maps: Arrays) -> Plan:
        """Make all of them ready for frames of one shape; as `Engine.plan`."""
        for engine in self._engines:
            engine.ask("plan", maps)
        slots = [engine.answer() for engine in self._engines]
        self._end_plan()
        self._plan = FleetPlan(self._engines, slots[0], maps["offset"].shape, self.remarks)
        return self._plan

    def close(self) -> None:
        """End the processes."""
        for engine in self._engines:
            engine.close()
        self._end_plan()

    def _end_plan(self) -> None:
        if self._plan is not None:
            self._plan.close()
        self._plan = None


class FleetPlan:
    """A plan whose batches are dealt in turn.

    Parameters
    ----------
    engines : list of EngineProcess
        With a plan for these frames.
    slots : int
        Of each.
    shape : (int, int)
        Of a frame: y, x.
    remarks : list of str
        Gets what one of them has to say, each once.
    """

    def __init__(self, engines: list[EngineProcess], slots: int, shape: tuple[int, ...], remarks: list[str]) -> None:
        self._engines, self._shape, self._remarks = engines, shape, remarks
        self.slots = slots * len(engines)
        self._before = FramesBefore()
        self._blocks: list[SharedBlock | None] = [None] * self.slots
        self._anew = [False] * self.slots
        self._next = 0

    def submit(self, frames: UInt16Array, anew: bool) -> int:
        """Take a batch; as `Plan.submit`."""
        slot, self._next = self._next, (self._next + 1) % self.slots
        joined = frames if frames.shape[1:] != self._shape else self._before.joined(frames, anew)
        self._anew[slot] = anew
        self._engine(slot).ask("submit", slot, self._sent(slot, joined))
        return slot

    def wait(self, slot: int) -> Rows:
        """Return the answer; as `Plan.wait`."""
        self._engine(slot).ask("wait", slot)
        rows, remarks = self._engine(slot).answer()
        self._remarks += [remark for remark in remarks if remark not in self._remarks]
        return behind(rows, self._anew[slot])

    def close(self) -> None:
        """Give the shared memory back; nothing is under way."""
        for block in self._blocks:
            if block is not None:
                block.close()
                block.unlink()
        self._blocks = [None] * self.slots

    def _engine(self, slot: int) -> EngineProcess:
        return self._engines[slot % len(self._engines)]

    def _sent(self, slot: int, frames: UInt16Array) -> Sent:
        """Copy frames into the slot's own memory, which grows with the largest batch."""
        block = self._blocks[slot]
        if block is None or block.size < frames.nbytes:
            if block is not None:
                block.close()
                block.unlink()
            block = self._blocks[slot] = create_block(frames.nbytes)
        assert block.buf is not None
        np.frombuffer(block.buf, np.uint16, frames.size).reshape(frames.shape)[...] = frames
        return Sent(block.name, frames.shape)
