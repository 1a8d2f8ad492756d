"""A property of a Micro-Manager device: within both limits, and what the device says is what counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.actuator import Setting
from stream.errors import DeviceFault
from stream.sources.micro_manager.device_property import set_core_property


class FakeCore:
    """Keeps one property as a Core does: text that is no number sets 0, what is beyond the limits raises."""

    def __init__(self, limits: tuple[float, float] | None = (0.0, 50.0), decimals: int = 4) -> None:
        self.limits, self.decimals, self.said = limits, decimals, "0"

    def set_property(self, label: str, name: str, value: str) -> None:
        try:
            number = float(value)
        except ValueError:
            number = 0.0
        if self.limits is not None and not self.limits[0] <= number <= self.limits[1]:
            raise RuntimeError(f'Cannot set property "{name}" to "{value}"')
        self.said = f"{number:.{self.decimals}f}"

    def get_property(self, label: str, name: str) -> str:
        return self.said

    def has_property_limits(self, label: str, name: str) -> bool:
        return self.limits is not None

    def get_property_lower_limit(self, label: str, name: str) -> float:
        assert self.limits is not None
        return self.limits[0]

    def get_property_upper_limit(self, label: str, name: str) -> float:
        assert self.limits is not None
        return self.limits[1]


def wanted(value: float, lowest: float = 0, highest: float = 20) -> Setting:
    return Setting("405", "Voltage", value, lowest, highest)


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(0, 10), st.floats(10, 100))
def test_nothing_is_set_beyond_the_limits_of_rig_or_device(value: float, lowest: float, highest: float) -> None:
    for core in (FakeCore(), FakeCore(None)):
        now = set_core_property(core, wanted(value, lowest, highest))
        assert lowest - 1e-4 <= now <= (min(highest, 50) if core.limits else highest) + 1e-4


def test_what_the_device_makes_of_it_is_read_back() -> None:
    assert set_core_property(FakeCore(decimals=0), wanted(12.4)) == 12
    assert set_core_property(FakeCore((0, 5)), wanted(12.4)) == 5


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_is_never_written(value: float) -> None:
    core = FakeCore()
    with pytest.raises(DeviceFault, match=r"405\.Voltage"):
        set_core_property(core, wanted(value))
    assert core.said == "0"


def test_limits_that_exclude_one_another_and_text_are_refused() -> None:
    with pytest.raises(DeviceFault, match=r"60 to 80 by the rig, 0 to 50 by the device"):
        set_core_property(FakeCore(), wanted(70, 60, 80))
    core = FakeCore(None)
    core.get_property = lambda label, name: "Off"
    with pytest.raises(DeviceFault, match="reads back 'Off'"):
        set_core_property(core, wanted(1))
