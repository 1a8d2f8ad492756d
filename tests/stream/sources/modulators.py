"""A modulator in Python that a real core drives, under the names that pycro-manager gives its methods."""

import re

import numpy as np


def modulator_core(shape=(12, 12), dtype="u1", current=True):
    """Return a core with an SLM of this shape, which is its current one, or with none."""
    from pymmcore_plus.experimental.unicore import SLMDevice, UniMMCore

    class Panel(SLMDevice):
        shown = None

        def shape(self):
            return shape

        def dtype(self):
            return np.dtype(dtype)

        def set_image(self, pixels):
            self._loaded = pixels.copy()

        def get_image(self):
            return self.shown

        def display_image(self):
            self.shown = self._loaded

        def set_exposure(self, interval_ms):
            pass

        def get_exposure(self):
            return 0.0

    core = UniMMCore()
    core.loadPyDevice("Panel", Panel())
    core.initializeDevice("Panel")
    if current:
        core.setSLMDevice("Panel")
    return core


class SnakeCase:
    """A core whose methods have the names of pycro-manager's."""

    def __init__(self, core):
        self._core = core

    def __getattr__(self, name):
        camel = re.sub("_([a-z])", lambda found: found[1].upper(), name).replace("Slm", "SLM")
        return getattr(self._core, camel)
