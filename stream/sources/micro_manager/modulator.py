"""The spatial light modulator of Micro-Manager: asked what it is, given an image, shown.

Decision: size and depth are compared before an image is sent. Context: over the bridge a Core takes bytes without their
shape. Consequence: an image of another size never becomes a sheared mask without a word.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream.errors import DeviceFault
from stream.sources.micro_manager.core import Core


def show(core: Core, image: NDArray[np.uint8 | np.uint16], device: str | None) -> str:
    """Show an image (height, width) on a modulator; returns its name.

    Parameters
    ----------
    core : Core
    image : (height, width) uint8 or uint16
    device : str or None
        None: the one that Micro-Manager calls its SLM.

    Raises
    ------
    DeviceFault
        There is none, or it has another size or depth.
    """
    name = device or core.get_slm_device()
    if not name:
        raise DeviceFault(
            "Micro-Manager has no SLM", limit="its configuration must hold one, set as Core-SLM",
            remedy="add it in the hardware wizard, or name it: [slm] device",
        )  # fmt: skip
    width, height = int(core.get_slm_width(name)), int(core.get_slm_height(name))
    if image.shape != (height, width):
        raise DeviceFault(
            f"the mask's image has {image.shape[1]} x {image.shape[0]} pixels", limit=f"{name} has {width} x {height}",
            remedy="set [slm] width_px and height_px to the device's",
        )  # fmt: skip
    depth = int(core.get_slm_bytes_per_pixel(name))
    if image.dtype != np.uint8 or depth != 1:
        raise DeviceFault(
            f"the mask's image has {8 * image.dtype.itemsize} bits, {name} {8 * depth} bits a pixel",
            limit="Micro-Manager takes images of 8 bits for a modulator of one channel",
            remedy="set [slm] bits = 8; or write the file, and show it with the maker's program",
        )
    core.set_slm_image(name, np.ascontiguousarray(image))
    core.display_slm_image(name)
    return name
