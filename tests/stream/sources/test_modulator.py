"""A mask on Micro-Manager's modulator: shown as it is, or refused with what is wrong."""

import numpy as np
import pytest

from stream.errors import DeviceFault
from stream.sources.micro_manager.modulator import show
from tests.stream.sources.modulators import SnakeCase, modulator_core

IMAGE = np.arange(144, dtype=np.uint8).reshape(12, 12)


def test_it_is_shown() -> None:
    core = modulator_core()
    assert show(SnakeCase(core), IMAGE, None) == "Panel"
    assert (core.getSLMImage("Panel") == IMAGE).all()


def test_it_is_found_by_name() -> None:
    assert show(SnakeCase(modulator_core(current=False)), IMAGE, "Panel") == "Panel"


def test_without_a_modulator() -> None:
    with pytest.raises(DeviceFault, match="has no SLM"):
        show(SnakeCase(modulator_core(current=False)), IMAGE, None)


def test_another_size() -> None:
    with pytest.raises(DeviceFault, match=r"12 x 10 pixels\nPanel has 12 x 12"):
        show(SnakeCase(modulator_core()), IMAGE[:10], None)


def test_sixteen_bits() -> None:
    with pytest.raises(DeviceFault, match="16 bits, Panel 8 bits"):
        show(SnakeCase(modulator_core()), IMAGE.astype(np.uint16), None)
