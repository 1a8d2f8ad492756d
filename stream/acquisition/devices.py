"""Devices in the source's process: main asks for a value, hears what was read back, and leaves a safe one behind.

Decision: the source's process itself puts the value back that is left behind. Context: main may be killed, and a
laser must not stay on because the program that held it is gone. Consequence: it is put back when the last frame was
taken, when main has abandoned the run, and when main is dead; only a source process that is killed cannot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stream.actuator import Actuator, Setting
from stream.errors import DeviceFault


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a setting; crosses the process boundary.

    Parameters
    ----------
    wanted : Setting
    read_back : float or None
        What the device says that it is now; None if it refused.
    frame : int
        Newest frame that had been received; -1 before the first.
    fault : DeviceFault or None
        Why it refused.
    left_behind : bool
        The value that is put back at the end; nothing is set any more.
    """

    wanted: Setting
    read_back: float | None
    frame: int
    fault: DeviceFault | None = None
    left_behind: bool = False


class Devices:
    """Sets what main asks for, between two frames.

    Parameters
    ----------
    actuator : Actuator
    after : Setting
        What is left behind.
    answer : callable
        Tells main.
    """

    def __init__(self, actuator: Actuator, after: Setting, answer: Callable[[Answer], None]) -> None:
        self._actuator, self._after, self._answer = actuator, after, answer
        self._over = False

    def serve(self, asked: list[Setting], frame: int) -> None:
        """Set what was asked for, and forget it; nothing is set any more once the end was put back."""
        while asked:
            wanted = asked.pop(0)
            if not self._over:
                self._answer(self._set(wanted, frame))

    def put_back(self, frame: int) -> None:
        """Leave the safe value behind, once."""
        if not self._over:
            self._over = True
            self._answer(self._set(self._after, frame, left_behind=True))

    def _set(self, wanted: Setting, frame: int, left_behind: bool = False) -> Answer:
        try:
            return Answer(wanted, self._actuator.set(wanted), frame, left_behind=left_behind)
        except DeviceFault as fault:
            return Answer(wanted, None, frame, fault, left_behind)
        except Exception as error:  # noqa: BLE001  a driver raises what it likes; main hears of it, the frames go on
            return Answer(wanted, None, frame, _refusal(wanted, error), left_behind)


def _refusal(wanted: Setting, error: Exception) -> DeviceFault:
    return DeviceFault(
        f"{wanted.device}.{wanted.name} = {wanted.value:g} was refused: {error or type(error).__name__}",
        limit=f"{wanted.lowest:g} to {wanted.highest:g} by the rig",
        remedy="check device and property of [activation], and what the device takes",
    )
