"""`livesmlm simulate`: simulated frames into a file or over ZeroMQ, with their truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import tifffile
from rich.progress import Progress

from stream.commands.console import ERR
from stream.config import Rig
from stream.errors import InputError, OutputError
from stream.frame import Frame, StreamInfo
from stream.links.send import FrameSender
from stream.opening import source_of
from stream.sinks.storage import writing
from stream.source import Source
from stream.sources.simulated import SimulatedSettings


def simulate(rig: Rig, out: Path | None, serve: str | None, truth: Path | None, frames: int) -> int:
    """Write frames to `out` or send them to `serve`, and their truth to `truth`; returns the exit code.

    Raises
    ------
    InputError
        The rig's source is not simulated.
    """
    if not isinstance(rig.source, SimulatedSettings):
        raise InputError(
            "the rig's [source] is not simulated", limit='simulate needs [source] kind = "simulated"',
            remedy="leave out --rig to take the demo's",
        )  # fmt: skip
    wanted = rig.source.model_dump() | {"frames": frames, "truth": truth}
    if out is not None:
        wanted["frames_per_s"] = "max"  # a file need not wait for the camera's clock
    source = source_of(rig.model_copy(update={"source": SimulatedSettings(**wanted)}))
    with Progress(console=ERR) as progress:
        task = progress.add_task("simulating", total=frames)

        def tell(count: int) -> None:
            progress.update(task, completed=count)

        try:
            info = source.open()
            to_stack(source, out, tell) if out is not None else to_socket(source, info, str(serve), tell)
        finally:
            source.close()
    return 0


def _pictures(source: Source, tell: Callable[[int], None]) -> Iterator[Frame]:
    for count, frame in enumerate((frame for frame in source.frames() if frame is not None), start=1):
        yield frame
        tell(count)


def to_stack(source: Source, path: Path, tell: Callable[[int], None]) -> None:
    """Write the frames of an opened source to a BigTIFF, one page each.

    Raises
    ------
    OutputError
        The file exists.
    StorageFault
        The disk is full; the pages written before are readable.
    """
    if path.exists():
        raise OutputError(f"{path} exists", limit="a stack is never written over", remedy="name a new file")
    with writing(path, kept="The pages written before are readable."), tifffile.TiffWriter(path, bigtiff=True) as tiff:
        for frame in _pictures(source, tell):
            tiff.write(frame.pixels, contiguous=False, photometric="minisblack")


def to_socket(source: Source, info: StreamInfo, address: str, tell: Callable[[int], None]) -> None:
    """Send the frames of an opened source to whoever pulls at `address`."""
    with FrameSender(address) as sender:
        sender.start(info)
        for frame in _pictures(source, tell):
            sender.send(frame)
        sender.end()
