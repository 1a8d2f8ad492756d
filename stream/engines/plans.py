"""Which plan a model needs, on engines that take arrays in the host's memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from stream.engine import Arrays, Engine, Plan
from stream.engines.lane import HostLane
from stream.engines.slots import SLOTS, HostPlan
from stream.engines.static_plan import StaticPlan
from stream.engines.whole_frames import WholeFrames


def own_thread() -> ThreadPoolExecutor:
    """Return what computes an engine's batches; it begins with the first."""
    return ThreadPoolExecutor(1, thread_name_prefix="engine")


def plan_of(engine: Engine, maps: Arrays, thread: ThreadPoolExecutor) -> Plan:
    """Make ready for frames of one shape; as `Engine.plan`.

    Parameters
    ----------
    engine : Engine
    maps : dict
    thread : ThreadPoolExecutor
        Of one thread; whoever made it ends it.
    """
    if engine.card.rows_per_block:
        return StaticPlan(HostLane(engine.run, engine.card, maps, thread, SLOTS), engine.card, maps)
    return HostPlan(WholeFrames(engine.run, engine.card, maps, engine.remarks), thread)
