"""The curves of a training as one picture, from its logs."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.ticker import MaxNLocator

CURVES = "curves.png"


def draw(folder: Path, logs_of: tuple[str, ...]) -> None:
    """Write `curves.png` from the logs of a training, files of one JSON object a line."""
    logs = [_read(folder / name) for name in logs_of]
    names = [name for log in logs for name in log[0] if name not in ("step", "seconds")] if all(logs) else []
    figure, panels = plt.subplots(-(-len(names) // 4), 4, figsize=(16, 2.6 * -(-len(names) // 4)), layout="constrained")
    for panel, name in zip(panels.flat, names, strict=False):
        log = next(log for log in logs if name in log[0])
        panel.plot([line["step"] for line in log], [line[name] for line in log], lw=1)
        panel.set(title=name, xlabel="step")
        panel.xaxis.set_major_locator(MaxNLocator(4))
        panel.grid(alpha=0.3)
    for panel in panels.flat[len(names) :]:
        panel.set_visible(False)
    figure.savefig(folder / CURVES, dpi=90)
    plt.close(figure)


def _read(path: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in path.read_text().splitlines()]
