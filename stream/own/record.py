"""How far the making of a network has come: own.json in its folder, so that it can be resumed at any moment."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from stream.errors import InputError, OutputError
from stream.own.plan import USUAL_MINUTES, Plan
from stream.sinks.storage import writing

NAME = "own.json"


@dataclass(slots=True)
class Record:
    """What is done.

    Parameters
    ----------
    folder : Path
    inputs : dict of str to str
        Digests of what it is made from.
    minutes : float
        That the training may last.
    spent_s : float
        What it has lasted.
    done : list of str
        Steps that need not be done again.
    """

    folder: Path
    inputs: dict[str, str]
    minutes: float
    spent_s: float = 0.0
    done: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, plan: Plan, resume: bool) -> Record:
        """Return a new record, which is not written yet, or the one that a plan is resumed from.

        Raises
        ------
        OutputError
            There is a record and `resume` was not asked for, or the other way round.
        InputError
            What it was made from has changed.
        """
        path = plan.out / NAME
        if path.exists() != resume or (plan.out.exists() and not resume):
            remedy = "leave out --resume" if resume else "add --resume, or name a new --out"
            raise OutputError(
                f"{path if resume else plan.out} {'does not exist' if resume else 'exists'}", remedy=remedy
            )
        if not resume:
            return cls(plan.out, plan.inputs(), plan.minutes or USUAL_MINUTES)
        record = cls._read(path)
        record._refuse_others(plan)
        if plan.minutes and plan.minutes > record.minutes:
            record.done = [name for name in record.done if name == "beads"]
        record.minutes = plan.minutes or record.minutes
        return record

    @classmethod
    def _read(cls, path: Path) -> Record:
        try:
            return cls(path.parent, **json.loads(path.read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise InputError(f"{path}: {error}", remedy="name a new --out and begin anew") from error

    def _refuse_others(self, plan: Plan) -> None:
        now = plan.inputs()
        other = [what for what in self.inputs | now if self.inputs.get(what) != now.get(what)]
        if other:
            raise InputError(
                f"{', '.join(other)}: not what {self.folder} was begun with",
                limit="--resume goes on with the same beads, rig, size and sample space",
                remedy="give them as before, or name a new --out",
            )

    def finish(self, step: str) -> None:
        """Note that a step is done."""
        self.done.append(step)
        self.save()

    def save(self) -> None:
        """Write; a crash leaves the old record. Raises StorageFault."""
        path = self.folder / NAME
        partial = path.with_suffix(".partial")
        plain = {name: value for name, value in asdict(self).items() if name != "folder"}
        with writing(path, "What was done before is in the folder; --resume goes on from there."):
            self.folder.mkdir(parents=True, exist_ok=True)
            partial.write_text(json.dumps(plain, indent=1) + "\n")
            partial.replace(path)
