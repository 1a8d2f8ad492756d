"""The exception tree. Every message gives the value, the limit and the remedy.

LiveSMLMError
├── InputError                what the user gave cannot be used: exit code 2
│   ├── RigError              rig.toml: every wrong field at once
│   ├── FrameFormatError      a stack, header or frame that is not what it says it is
│   ├── TableFormatError      a localization table that cannot be read
│   ├── ModelError            a model file or card that is not understood
│   ├── SampleSpaceError      the acquisition lies outside what the model was trained on
│   ├── AddressError          a port or address that cannot be used
│   └── OutputError           an output folder or file that cannot be used
└── RunFault                  the run ended with loss or a fault: exit code 3
    ├── SourceFault           the camera, its process or its connection is gone
    ├── DeviceFault           a device refuses a value, or reads back another one
    ├── StorageFault          a file could not be written (disk full, folder gone)
    └── EngineFault           inference failed
        └── OutOfMemory       the device has no memory for so many frames
"""

from __future__ import annotations


class LiveSMLMError(Exception):
    """Base of all errors that LiveSMLM raises on purpose.

    Parameters
    ----------
    what : str
        What is wrong, with the offending value.
    limit : str
        What would have been accepted.
    remedy : str
        What the user can do about it.
    """

    exit_code = 3

    def __init__(self, what: str, *, limit: str = "", remedy: str = "") -> None:
        self.what, self.limit, self.remedy = what, limit, remedy
        super().__init__("\n".join(line for line in (what, limit, remedy) if line))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with all three parts, so that an error crosses a process boundary whole."""
        return (_rebuild, (type(self), self.what, self.limit, self.remedy))


def _rebuild(kind: type[LiveSMLMError], what: str, limit: str, remedy: str) -> LiveSMLMError:
    return kind(what, limit=limit, remedy=remedy)


class InputError(LiveSMLMError):
    """What the user gave cannot be used."""

    exit_code = 2


class RigError(InputError):
    """rig.toml holds wrong fields; all of them are named."""


class FrameFormatError(InputError):
    """A stack, header or frame is not what it says it is."""


class TableFormatError(InputError):
    """A localization table cannot be read."""


class ModelError(InputError):
    """A model file or its card is not understood."""


class SampleSpaceError(InputError):
    """The acquisition lies outside what the model was trained on."""


class AddressError(InputError):
    """A port or address cannot be used."""


class OutputError(InputError):
    """An output folder or file cannot be used."""


class RunFault(LiveSMLMError):
    """The run ended with loss or a fault."""


class SourceFault(RunFault):
    """The camera, its process or its connection is gone."""


class DeviceFault(RunFault):
    """A device refuses a value, or reads back another one."""


class StorageFault(RunFault):
    """A file could not be written."""


class EngineFault(RunFault):
    """Inference failed."""


class OutOfMemory(EngineFault):
    """The device has no memory for so many frames at once."""
