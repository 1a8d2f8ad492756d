"""A graph of known shapes has a table of fixed length: what does not go into it is a fault, never a loss."""

import numpy as np
import pytest

from export.card import Card
from stream.engine import Arrays
from stream.engines.lane import HostLane
from stream.engines.plans import own_thread
from stream.engines.slots import SLOTS
from stream.engines.static_plan import StaticPlan
from stream.errors import EngineFault
from stream.zoo import shipped
from tests.contracts_engine import calibration, spots

ROWS = 16


def plan_that_finds(count: int, card: Card, thread) -> StaticPlan:
    """Return a plan on a graph that has 16 rows for a frame, and finds `count` molecules in each."""

    def run(inputs: Arrays) -> Arrays:
        frames, context = len(inputs["frames"]), inputs["context"]
        table = np.zeros((frames, ROWS, len(card.columns)), np.float32)
        table[:, : min(count, ROWS), -1] = 0.9
        return {"table": table, "count": np.full(frames, count), "context_out": context}

    maps = calibration(card)
    return StaticPlan(HostLane(run, card, maps, thread, SLOTS), card, maps)


@pytest.mark.parametrize("found", [0, 5, ROWS])
def test_as_many_as_there_are_rows(found: int) -> None:
    with own_thread() as thread:
        plan = plan_that_finds(found, shipped()["2d-fast"], thread)
        rows = plan.wait(plan.submit(spots(3), anew=False))
    assert len(rows.table) == 3 * found
    assert np.bincount(rows.frame, minlength=3).tolist() == [found] * 3


def test_more_than_there_are_rows_is_a_fault_that_says_how_many() -> None:
    with own_thread() as thread:
        plan = plan_that_finds(ROWS + 1, shipped()["2d-fast"], thread)
        slot = plan.submit(spots(3), anew=False)
        with pytest.raises(EngineFault, match="found 17 localizations in a frame") as fault:
            plan.wait(slot)
    assert "16 rows" in fault.value.limit
    assert "--to onnx" in fault.value.remedy
