"""Does the machine keep up with the camera, with which batches, and what to change if it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from export.card import Card
from stream.config import Rig
from stream.engines.tiles import WORTH

BATCHES = (1, 4, 8, 16, 32)
"""Sizes that are measured."""
SPARE = 1.25
"""So much faster than the camera an engine should be: other work on the machine comes and goes."""
LEAST_ROWS = 16


@dataclass(frozen=True, slots=True)
class Plan:
    """What was found, and what follows.

    Parameters
    ----------
    frames_per_s : float
        Sustained, in batches of `batch_frames`.
    batch_frames : int
        The smallest batch that has time to spare; if none has, the one of the highest rate.
    latency_ms : float
        Of the oldest frame of a batch: until the batch is full or its deadline passes, and until it is analysed.
    headroom : float
        How many times the camera's rate; nan if that is not known.
    advice : tuple of str
        What to change; nothing if there is time to spare.
    """

    frames_per_s: float
    batch_frames: int
    latency_ms: float
    headroom: float
    advice: tuple[str, ...]


def plan(
    seconds: Mapping[int, float], network_seconds: float, camera_frames_per_s: float, rig: Rig, card: Card,
    shipped: Mapping[str, Card], shape: tuple[int, int], lit_share: float = 1.0,
) -> Plan:  # fmt: skip
    """Return what to expect of a rig.

    Parameters
    ----------
    seconds : mapping of int to float
        Frames in a batch -> what it takes, everything included.
    network_seconds : float
        What the network alone takes of the largest of these batches.
    camera_frames_per_s : float
        nan if it is not known.
    rig : Rig
    card : Card
        Of the localizer.
    shipped : mapping of str to Card
        Models that ship.
    shape : (int, int)
        Rows and columns of the frames.
    lit_share : float
        How much of them would be computed if only active tiles were.
    """
    rate = {frames: frames / spent for frames, spent in seconds.items()}
    enough = [frames for frames in sorted(rate) if rate[frames] >= SPARE * camera_frames_per_s]
    batch = enough[0] if enough else max(rate, key=lambda frames: rate[frames])
    deadline_ms = rig.policy.deadline_ms if batch > 1 else 0.0
    filling_ms = min(deadline_ms, 1000 * (batch - 1) / camera_frames_per_s)  # the deadline where the rate is unknown
    headroom = rate[batch] / camera_frames_per_s
    advice: list[str] = []
    if headroom < SPARE:
        largest = max(seconds)
        network_share = min(1.0, network_seconds / seconds[largest])
        advice = [*_tiles(headroom, lit_share, rig), *_advice(headroom, network_share, rig, card, shipped, shape)]
    elif enough and rig.policy.batch_frames != batch:
        asked = rig.policy.batch_frames
        advice = [f"[policy] batch_frames = {batch} is enough and answers soonest; the rig asks for {asked}"]
    return Plan(rate[batch], batch, filling_ms + 1000 * seconds[batch], headroom, tuple(advice))


def _tiles(headroom: float, lit_share: float, rig: Rig) -> list[str]:
    """Say what active tiles would bring."""
    if rig.engine.tiles == "active" or lit_share >= WORTH:
        return []
    times = f"about {headroom / lit_share:.1f} times the camera's rate" if lit_share else "nothing shines"
    return [f'little of the field shines: [engine] tiles = "active" computes {100 * lit_share:.0f} % of it ({times})']


def _advice(
    headroom: float, network_share: float, rig: Rig, card: Card, shipped: Mapping[str, Card], shape: tuple[int, int]
) -> list[str]:
    """Say what would help, the least costly first."""
    advice = []
    if network_share < 1 / SPARE and rig.refine.mode != "off":
        without = f"about {headroom / network_share:.1f} times the camera's rate"
        other = '"isolated" or "off"' if rig.refine.mode == "all" else '"off"'
        advice.append(
            f"fits take {100 * (1 - network_share):.0f} % of the time: [refine] mode = {other} ({without} without any)"
        )
    lighter = [
        (name, headroom / (1 - network_share * (1 - other.mac_per_pixel / card.mac_per_pixel)))
        for name, other in shipped.items()
        if (set(other.columns), other.rows_per_block) == (set(card.columns), card.rows_per_block)
        and other.mac_per_pixel < 0.8 * card.mac_per_pixel
    ]
    if lighter:
        name, times = max(lighter, key=lambda item: item[1])
        advice.append(f'a lighter network: [model] name = "{name}", about {times:.1f} times the camera\'s rate')
    rows = int(shape[0] * headroom / SPARE) // 4 * 4
    if rows >= LEAST_ROWS:
        advice.append(f"a smaller field: {rows} rows of {shape[1]} pixels leave time to spare at this rate")
    if rig.engine.device == "cpu":
        advice.append('another engine: a GPU ([engine] device = "cuda"); `livesmlm engines` lists what is usable here')
    if headroom < 1:
        kept = "every frame is spilled to disk and analysed after" if rig.policy.overload == "lossless" else (
            f"about {100 * (1 - headroom):.0f} % of the frames will be skipped, each one in the ledger"
        )  # fmt: skip
        advice.append(f'as it is: [policy] overload = "{rig.policy.overload}", so {kept}')
    return advice
