"""Everything that runs while the camera runs: frames in, super-resolved image and localization table out.

`stream.subscribe(address)` follows a run from any program.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stream.links.subscriber import subscribe

__all__ = ["subscribe"]


def __getattr__(name: str) -> Any:
    """Load the client when it is first asked for, so that `import stream` stays cheap."""
    if name != "subscribe":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from stream.links.subscriber import subscribe

    return subscribe
