"""A finished run, published again: the page and every subscriber see it as they would have at its end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from models.localizations import Localizations
from stream.books.story import read_story
from stream.errors import InputError, TableFormatError
from stream.frame import StreamInfo
from stream.images.kept import kept_pictures
from stream.images.published import WithPictures
from stream.picture.render import Renderer, RenderSettings
from stream.readers.parquet import table_parts
from stream.readers.tables import read_table
from stream.sink import RunInfo
from stream.sinks.zmq_out import PublishSettings, ZmqOut

ANYWHERE = PublishSettings(address="tcp://127.0.0.1:*")
TABLES = ("table.parquet", "locs.hdf5")
BROKEN_OFF = "this run was broken off: what is shown was written before"


class Review:
    """The folder of a run.

    Parameters
    ----------
    folder : Path

    Attributes
    ----------
    info : RunInfo
    out : ZmqOut
        Where it is published, at free ports of this computer.

    Raises
    ------
    InputError
        It is not the folder of a run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._lines = folder, list(read_story(folder))
        self._facts = self._read_facts()
        self.info = _info(self._facts, folder)
        self.out = ZmqOut(ANYWHERE, queued_messages=0)

    def open(self) -> None:
        """Publish the start. Raises TableFormatError if the run has no table."""
        self._check_table()
        self.out.open(self.info)

    def tell(self) -> None:
        """Publish what was kept, in the order in which it was published; traces are seen by who listens by now."""
        for line in self._lines:
            if line.topic not in ("start", "end"):
                self.out.replay(line.topic, line.header, line.payload)
        if self._ended is None and "ledger" in (result := self._result()):
            self.out.replay("health", result, b"")

    def draw(self) -> Iterator[int]:
        """Publish the picture, drawn anew, then the end; yield now and then how many localizations are drawn.

        Raises
        ------
        TableFormatError
            The table of the run, or a picture that it kept, is damaged.
        """
        pixel_nm, stream = self.info.pixel_size_nm, self.info.stream
        settings = RenderSettings.model_validate(self.info.rig["render"])
        renderer = Renderer.of_field(stream, pixel_nm, settings, self.info.channels)
        self.out.follow(renderer.changed, WithPictures(renderer.layers, kept_pictures(self._folder)))
        for table in self._tables():
            renderer.add(table)
            self.out.serve()
            yield renderer.drawn
        self.out.end(self._ended or {"state": self._result().get("state"), "message": BROKEN_OFF})

    def close(self) -> None:
        """Release the ports."""
        self.out.close()

    @property
    def _ended(self) -> dict[str, Any] | None:
        return next((line.header for line in self._lines if line.topic == "end"), None)

    def _result(self) -> dict[str, Any]:
        """Return how the run ended, if what was kept does not say so: it has no story, or was broken off."""
        newest: dict[str, Any] = next((line.header for line in reversed(self._lines) if line.topic == "health"), {})
        return self._facts.get("result") or {**newest, "state": "fault", "message": BROKEN_OFF}

    def _check_table(self) -> None:
        if not any((self._folder / name).exists() for name in TABLES):
            raise TableFormatError(
                f"{self._folder} holds no localizations",
                limit=f"a run writes {' and '.join(TABLES)}",
                remedy="put one of them back",
            )

    def _tables(self) -> Iterator[Localizations]:
        """Yield the table in parts; of a run that was broken off, what Picasso's file holds."""
        whole, safe = (self._folder / name for name in TABLES)
        if whole.exists():
            yield from table_parts(whole)
        else:
            yield read_table(safe)

    def _read_facts(self) -> dict[str, Any]:
        """Return what `run.json` says; of a run that was broken off, what its story begins with."""
        try:
            facts: dict[str, Any] = json.loads((self._folder / "run.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            start = next((line.header for line in self._lines if line.topic == "start"), None)
            if start is None:
                raise InputError(
                    f"{self._folder} is not the folder of a run: it has neither run.json nor story.jsonl",
                    limit="a run's folder is what `livesmlm run --out` names",
                    remedy="name such a folder, or the address of a run that is published, as tcp://127.0.0.1:5557",
                ) from error
            return start
        return facts


def _info(facts: dict[str, Any], folder: Path) -> RunInfo:
    known = {field.name for field in fields(StreamInfo)}
    stream = StreamInfo(**{name: value for name, value in facts["stream"].items() if name in known})
    return RunInfo(
        run_id=facts["run_id"], stream=stream, pixel_size_nm=facts["rig"]["camera"]["pixel_size_nm"], rig=facts["rig"],
        card=facts["card"], folder=folder, versions=facts["versions"], engine=facts["engine"],
        warnings=tuple(facts["warnings"]), channels=tuple(facts.get("channels", ())),
    )  # fmt: skip
