"""A property of a Micro-Manager device: clamped, written and read back.

Decision: a value is validated and clamped before it is written, and read back after. Context: a Core enforces the
limits that a device declares, but takes text that is no number for 0 without a word. Consequence: what comes back is
what the device says, never what was asked.
"""

from __future__ import annotations

from math import inf, isfinite, nan
from typing import TYPE_CHECKING

from stream.actuator import Setting, within
from stream.errors import DeviceFault

if TYPE_CHECKING:
    from stream.sources.micro_manager.core import Core


def set_core_property(core: Core, wanted: Setting) -> float:
    """Set a property within the limits of the rig and of the device; return what the device says that it is now.

    Errors of the Core itself are left to whoever holds it.

    Raises
    ------
    DeviceFault
        The value is not a finite number or within no limits, or what is read back is no number.
    """
    label, name = wanted.device, wanted.name
    lowest, highest = -inf, inf
    if core.has_property_limits(label, name):
        lowest = float(core.get_property_lower_limit(label, name))
        highest = float(core.get_property_upper_limit(label, name))
    value = within(wanted, lowest, highest)
    core.set_property(label, name, f"{value:.6f}".rstrip("0").rstrip("."))
    said = core.get_property(label, name)
    try:
        now = float(said)
    except (TypeError, ValueError):
        now = nan
    if not isfinite(now):
        raise DeviceFault(
            f"{label}.{name} was set to {value:g} and reads back {said!r}",
            limit="the property of [activation] is a number, such as the power of a laser",
            remedy="name another property, or mend the device in Micro-Manager",
        )
    return now
