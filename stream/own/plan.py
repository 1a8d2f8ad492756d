"""What a network for one's own microscope is made from, and where its files lie."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path

from stream.config import Rig
from stream.errors import FrameFormatError, InputError

USUAL_MINUTES = 16.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for.

    Parameters
    ----------
    stacks : tuple of Path
        Of beads, one slice a frame.
    rig : Rig
        With camera, optics and how the beads were taken.
    out : Path
        Folder; the model is called like it.
    minutes : float or None
        Of the training, all sessions together; None: as before, or `USUAL_MINUTES`.
    size : {"fast", "accurate"}
    sample_space : Path or None
        Overrides ranges.
    accept_pupil : bool
        Go on with a pupil that does not explain the beads.
    """

    stacks: tuple[Path, ...]
    rig: Rig
    out: Path
    minutes: float | None = None
    size: str = "fast"
    sample_space: Path | None = None
    accept_pupil: bool = False

    @property
    def model(self) -> Path:
        """The model file."""
        return self.out / f"{self.out.name}.onnx"

    @property
    def space(self) -> Path:
        """The sample space, as a file that `livesmlm train --sample-space` reads."""
        return self.out / "space.toml"

    @property
    def training(self) -> Path:
        """Folder of the training."""
        return self.out / "training"

    def inputs(self) -> dict[str, str]:
        """Return digests of all that must be the same for a plan to be resumed, by what it is.

        Raises
        ------
        InputError
            A file cannot be read.
        """
        sections = (self.rig.camera, self.rig.optics, self.rig.beads)
        files = {f"stack {number + 1}": path for number, path in enumerate(self.stacks)}
        files |= {"sample space": self.sample_space} if self.sample_space else {}
        return {
            "rig": sha256("".join(section.model_dump_json() for section in sections).encode()).hexdigest(),
            "size": self.size,
        } | {what: _digest(path) for what, path in files.items()}


def _digest(path: Path) -> str:
    if path.is_dir():  # a dataset of many files is known by its name
        return str(path.resolve())
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        kind = InputError if path.suffix == ".toml" else FrameFormatError
        raise kind(f"cannot read {path}: {error.strerror}", remedy="name a file that is there") from error
