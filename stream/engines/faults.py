"""What a runtime's error means: memory that ran out can be helped, anything else is a fault."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from stream.errors import EngineFault, OutOfMemory

NO_MEMORY = ("failed to allocate memory", "out of memory", "bad_alloc", "bad allocation", "out_of_memory")
"""What runtimes say when there is none, in small letters."""


def fault_of(error: Exception, inputs: Mapping[str, NDArray[np.generic]], remedy: str) -> EngineFault:
    """Return what to raise for a runtime's error.

    Parameters
    ----------
    error : Exception
    inputs : mapping of str to array
        That it computed with.
    remedy : str
    """
    shapes = {name: f"{array.dtype}{array.shape}" for name, array in inputs.items()}
    limit = f"inputs were {shapes}"
    if isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in NO_MEMORY):
        many = f"{len(inputs['frames'])} frames at once" if "frames" in inputs else "its inputs"
        return OutOfMemory(f"the engine has no memory for {many}", limit=limit, remedy=remedy)
    return EngineFault(f"inference failed: {error}", limit=limit, remedy=remedy)
