"""Who took part in a run: for the sinks, the subscribers and `run.json`."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from secrets import token_hex
from typing import Any

from stream.channels import channels_of
from stream.config import Rig
from stream.engine import Engine
from stream.frame import StreamInfo
from stream.sink import RunInfo

PACKAGES = ("livesmlm", "numpy", "onnxruntime", "pyzmq", "h5py", "pyarrow", "tifffile", "pycromanager", "pymmcore")


def describe(rig: Rig, engine: Engine, info: StreamInfo, folder: Path, warnings: Sequence[str]) -> RunInfo:
    """Return what every sink is told before the first table; the run gets a name of its own."""
    return RunInfo(
        run_id=f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{token_hex(3)}",
        stream=info,
        pixel_size_nm=rig.camera.pixel_size_nm,
        rig=rig.to_dict(),
        card=engine.card.to_dict(),
        folder=folder,
        engine=engine.device,
        warnings=tuple(warnings),
        versions=_versions(),
        channels=channels_of(rig, engine.card),
    )


def facts(run: RunInfo) -> dict[str, Any]:
    """Return the run as plain scalars, lists and mappings, for `run.json`."""
    return {
        "run_id": run.run_id, "engine": run.engine, "versions": run.versions, "warnings": list(run.warnings),
        "stream": asdict(run.stream), "rig": run.rig, "card": run.card,
        "channels": list(run.channels),
    }  # fmt: skip


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "system": platform.platform(terse=True)}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # a bare checkout has no distribution of its own, and extras may be missing
            found[name] = "not installed"
    return found
