"""`livesmlm train --from-beads`: from stacks of beads and the rig's camera to a model that is ready to run.

    beads -> pupil, spots -> is it good enough -> training -> model file -> guard -> evaluation
    psf.npz, pupil.json                           training/   NAME.onnx     NAME.guard.npz  evaluation.json

Each step is written down when it is done; `--resume` goes on behind it, and the training from its checkpoint.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from rich.console import Console
from rich.markup import escape

from models.evaluation.report import Effort
from stream.bead_stacks import read_beads
from stream.commands.evaluate import localizers_in_terminal
from stream.commands.guard import learned
from stream.commands.parity import show
from stream.commands.retrieve import PUPIL, retrieve_into
from stream.commands.training import needs_torch
from stream.errors import InputError
from stream.own.camera import camera_facts
from stream.own.plan import Plan
from stream.own.progress import VALIDATION, more_time
from stream.own.record import Record
from stream.own.training import Stopped, begun_from, train

GOOD_CHI2 = 1.03
"""Of an ordinary molecule: a pixel size that is wrong by half makes it 1.08 and more, real beads stay at 1.01."""
EFFORT = Effort(frames=20, emitters=400)
"""Of the evaluation: about a minute."""
GUARD_MOLECULES = 12_000
"""Some three minutes; `livesmlm guard MODEL` takes twice as many."""
Step = Callable[[Plan, Record], None]


def in_terminal(plan: Plan, resume: bool) -> int:
    """Make the network and say how to use it; returns the exit code.

    Raises
    ------
    InputError
        Rig, stacks or sample space cannot be used, the pupil does not explain the beads, or the extra `train` is not
        installed.
    OutputError
        The folder exists and `resume` was not asked for, or the other way round.
    """
    console = Console()
    camera_facts(plan.rig.camera)  # what is missing is said before anything takes time
    begun_from(plan.size)
    needs_torch("torch")
    record = Record.of(plan, resume)
    try:
        for number, (name, step) in enumerate(STEPS.items(), 1):
            console.print(f"[bold]{number}/{len(STEPS)} {name}[/]{' [dim]done before[/]' * (name in record.done)}")
            if name not in record.done:
                step(plan, record)
                record.finish(name)
    except (Stopped, KeyboardInterrupt):
        console.print(
            f"stopped; what is done is in {plan.out}. The same command with --resume goes on.", soft_wrap=True
        )
        return 0
    _say_how_to_use(plan, record, console)
    return 0


def _retrieve(plan: Plan, record: Record) -> None:
    task, beads = read_beads(plan.stacks, plan.rig)
    record.save()  # only now: what cannot be read leaves no folder behind
    retrieve_into(plan.out, task, beads, plan.rig.beads)


def _judge(plan: Plan, record: Record) -> None:
    """Refuse a pupil that a network should not be trained for."""
    facts = json.loads((plan.out / PUPIL).read_text())
    chi2, against = facts["chi2_of_a_molecule"], facts["contradictions"]
    if (chi2 > GOOD_CHI2 and not facts["explained"]) or against:
        why = "; ".join(against) or f"chi-square {facts['chi2']:.2f}, and {chi2:.2f} for an ordinary molecule"
        if not plan.accept_pupil:
            raise InputError(
                f"the pupil does not explain the beads: {why}",
                limit=f"chi-square {GOOD_CHI2:g} for an ordinary molecule, and nothing that speaks against the stage",
                remedy="check [beads] step_nm and focal_plane, [camera] pixel_size_nm and gain_e_per_adu, [optics]; "
                "retrieve anew with [beads] pixelwise = true; or go on all the same: --resume --accept-pupil",
            )
        Console().print(f"[yellow]accepted all the same:[/] {escape(why)}", highlight=False)


def _export(plan: Plan, record: Record) -> None:
    trained = needs_torch("export.trained").from_training(plan.training)
    facts = json.loads((plan.out / PUPIL).read_text())
    beads = " ".join(f"--from-beads {path.name}" for path in plan.stacks)
    origin = {
        "command": f"livesmlm train {beads} --rig RIG.toml --size {plan.size} --minutes {record.minutes:g}",
        "camera": plan.rig.camera.model_dump(mode="json"),
        "pupil": {name: facts[name] for name in ("zernike_waves", "blur_nm", "chi2", "verdict")},
    }
    trained = replace(trained, provenance=trained.provenance | origin)
    card = needs_torch("export.export").export_trained(trained, plan.model, name=plan.out.name)
    show(plan.model, card, plan.training)


def _teach_guard(plan: Plan, record: Record) -> None:
    learned(plan.model, plan.rig, plan.out / PUPIL, GUARD_MOLECULES)


def _evaluate(plan: Plan, record: Record) -> None:
    localizers_in_terminal([str(plan.model)], EFFORT, plan.out, as_json=False)


STEPS: dict[str, Step] = {
    "beads": _retrieve, "pupil": _judge, "training": train, "export": _export, "guard": _teach_guard,
    "evaluation": _evaluate,
}  # fmt: skip
"""In this order."""


def _say_how_to_use(plan: Plan, record: Record, console: Console) -> None:
    more = more_time(plan.training / VALIDATION, record.minutes)
    if more:
        console.print(f"\n{more}", highlight=False)
    text = f'[model]\nname = "{plan.model}"\n[refine]\nmode = "all"  # with the spots beside the model'
    console.print(f"\n[dim]rig.toml:[/]\n{escape(text)}", highlight=False, soft_wrap=True)
