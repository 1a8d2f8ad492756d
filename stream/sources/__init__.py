"""The sources: each is a settings model, its `[source]` section of rig.toml, and the class that reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pydantic import BaseModel

from stream.source import Source
from stream.sources.follow import FollowSettings, FollowSource
from stream.sources.left_frames import LeftFramesSettings, LeftFramesSource
from stream.sources.micro_manager.settings import MicroManagerSettings
from stream.sources.micromanager import MicroManagerSource
from stream.sources.replay import ReplaySettings, ReplaySource
from stream.sources.simulated import SimulatedSettings, SimulatedSource
from stream.sources.zmq_in import ZmqInSettings, ZmqInSource


class SourceKind(NamedTuple):
    """One kind of source.

    Parameters
    ----------
    settings : type
        Frozen model of the section.
    source : callable
        Called with the validated settings; returns the source, not yet open.
    """

    settings: type[BaseModel]
    source: Callable[..., Source]


SOURCES = {
    "simulated": SourceKind(SimulatedSettings, SimulatedSource),
    "replay": SourceKind(ReplaySettings, ReplaySource),
    "follow": SourceKind(FollowSettings, FollowSource),
    "left_frames": SourceKind(LeftFramesSettings, LeftFramesSource),
    "zmq_in": SourceKind(ZmqInSettings, ZmqInSource),
    "micromanager": SourceKind(MicroManagerSettings, MicroManagerSource),
}
