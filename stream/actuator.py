"""Actuator protocol: what sets a property of a device, such as the power of a laser.

Who reads frames from a camera often holds its lasers too: a source that can set properties has an attribute
`actuator`, which lives in the process of the source. Main asks through `Acquisition.set` and hears what was read back.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Protocol

from stream.errors import DeviceFault


@dataclass(frozen=True, slots=True)
class Setting:
    """What a property is to become; crosses the process boundary.

    Parameters
    ----------
    device, name : str
        The device, and its property.
    value : float
    lowest, highest : float
        The rig's limits; no actuator goes beyond, whatever the value says.
    """

    device: str
    name: str
    value: float
    lowest: float
    highest: float


class Actuator(Protocol):
    """Sets properties of devices."""

    def set(self, wanted: Setting) -> float:
        """Set the property within the limits of rig and device, read it back, and return what it is now.

        Called between two frames.

        Raises
        ------
        DeviceFault
            The value is not a finite number, or the device does not take it.
        """


def within(wanted: Setting, lowest: float, highest: float) -> float:
    """Return the value within the limits of the rig and of the device, `lowest` and `highest`.

    Raises
    ------
    DeviceFault
        The value is not a finite number, or no value is within both limits.
    """
    least, most = max(wanted.lowest, lowest), min(wanted.highest, highest)
    if not isfinite(wanted.value) or least > most:
        raise DeviceFault(
            f"{wanted.device}.{wanted.name} = {wanted.value:g} cannot be set",
            limit=f"a finite number, {wanted.lowest:g} to {wanted.highest:g} by the rig, "
            f"{lowest:g} to {highest:g} by the device",
            remedy="mend minimum and maximum of [activation]",
        )
    return min(max(wanted.value, least), most)
