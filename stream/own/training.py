"""The training of a network for one's own microscope: begun from a model that ships, ended in time."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from math import ceil, floor
from typing import Any

from models.budget import MOST_STEPS, Budget, Evenly
from models.optics.low_rank import LowRankSpot
from models.sample_space_file import read_space, write_space
from models.space_of_microscope import space_of_microscope
from stream.commands.retrieve import PUPIL, SPOTS
from stream.commands.training import needs_torch, new_trainer, recipe_of
from stream.errors import InputError
from stream.interrupt import Interrupts
from stream.own.camera import camera_facts
from stream.own.plan import Plan
from stream.own.progress import Display
from stream.own.record import Record
from stream.zoo import shipped

LEARNING_RATE = 1e-3
"""Its peak: at the usual 5e-3, weights that are nearly right are lost first, and 2,300 steps bring what 450 do here."""
VALIDATIONS = 12
LINE_STEPS = 50
"""Steps between two lines of the log: so much is lost if the process is killed."""


class Stopped(Exception):
    """The user asked for an orderly end; the checkpoint is written."""


def begun_from(size: str) -> str:
    """Return the model that ships, finds z and has this size; raises InputError if there is none."""
    for name, card in shipped().items():
        recipe = card.provenance.get("recipe", {})
        usual = card.precision == "fp32" and not card.rows_per_block
        if usual and "z_nm" in card.columns and (recipe.get("system"), recipe.get("size")) == ("default", size):
            return name
    raise InputError(f"--size {size}: no model that ships has this size and finds z", remedy="take --size fast")


def write_sample_space(plan: Plan) -> None:
    """Write what the network is trained on: by camera and spots, and as the user's file overrides it.

    Raises
    ------
    RigError
        The rig leaves out what the camera is like.
    InputError
        The user's file cannot be, or reaches beyond the z where the spots are known.
    """
    known_nm = _known_z_nm(plan)
    try:
        derived = space_of_microscope(camera_facts(plan.rig.camera), known_nm)
        space, _ = read_space(plan.sample_space, derived)
    except ValueError as error:
        raise InputError(str(error)) from error
    z = space["z_nm"]
    if z.low < known_nm[0] or z.high > known_nm[1]:
        raise InputError(
            f"{plan.sample_space}: z_nm from {z.low:g} to {z.high:g}",
            limit=f"the beads show the spots from {known_nm[0]:g} to {known_nm[1]:g} nm",
            remedy="take longer stacks of beads, or a smaller range",
        )
    write_space(plan.space, space)


def _known_z_nm(plan: Plan) -> tuple[float, float]:
    """Return where spots were seen: slices of all beads, from the focal plane, as far as spots were made."""
    low, high = LowRankSpot.load(plan.out / SPOTS).z_range_nm
    focus = [bead["focus_nm"] for bead in json.loads((plan.out / PUPIL).read_text())["beads"]]
    return ceil(max(low, low + max(focus))), floor(min(high, high + min(focus)))


def train(plan: Plan, record: Record) -> None:
    """Train until the time is over; raises Stopped after Ctrl-C.

    Parameters
    ----------
    plan : Plan
        Its pupil is retrieved.
    record : Record
        Keeps the time that was spent.
    """
    training, watch = needs_torch("models.train"), needs_torch("export.watch")
    needs_torch("torch").set_num_threads(1)  # two threads of OpenMP wait for each other on a busy machine
    trainer = _trainer(plan, training)
    budget = Budget(60 * record.minutes, record.spent_s, trainer.step)
    due = Evenly(budget, VALIDATIONS)
    with (
        Interrupts() as interrupts,
        Display(plan, budget) as display,
        watch.Validation(plan.training, due) as validation,
    ):
        if trainer.step == 0:
            validation(trainer, {"step": 0})
        watchers = [budget, _keeping(record, budget), validation, display, _stopping(interrupts)]
        budget(trainer, {})
        display(trainer, {})
        training.train(trainer, plan.training, watchers, LINE_STEPS)
    trainer.save(plan.training)  # with the length that its schedule had in the end


def _trainer(plan: Plan, training: Any) -> Any:
    if (plan.training / training.CHECKPOINT).exists():
        return training.Trainer.load(plan.training)
    write_sample_space(plan)
    psf = str(plan.out / SPOTS)
    recipe = recipe_of("default", psf, plan.size, 1, MOST_STEPS, str(plan.space), begun_from(plan.size))
    return new_trainer(replace(recipe, learning_rate=LEARNING_RATE))


def _keeping(record: Record, budget: Budget) -> Callable[[Any, Any], None]:
    def keep(trainer: Any, line: Any) -> None:
        record.spent_s = budget.spent_s
        record.save()

    return keep


def _stopping(interrupts: Interrupts) -> Callable[[Any, Any], None]:
    def stop(trainer: Any, line: Any) -> None:
        if interrupts.asked and trainer.step < trainer.recipe.steps:
            raise Stopped

    return stop
