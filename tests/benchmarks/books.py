"""What statistics and alarms cost, as a share of the localizer's time on the same batches.

    OMP_NUM_THREADS=1 python tests/benchmarks/books.py

The demo's scene, a dense one, and one of which there are 16 times as many pixels, each with the smallest model, beside
which all else is dearest. Processor time of one thread, batch by batch in turn. Each report comes every two seconds,
alarms are looked at every half second, however fast the frames are.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from stream import zoo
from stream.books.alarm_rules import rules
from stream.books.alarms import Alarms, Seen
from stream.books.health import Health
from stream.books.ledger import Ledger
from stream.books.statistics import EVERY_S, Statistics
from stream.config import validate
from stream.engines import open_engine
from stream.frame import Batch, StreamInfo
from stream.opening import source_of
from stream.preparation import make_localizer, warm_up

BATCH, BATCHES, LOOKS_PER_S = 16, 12, 2
SCENES = {
    "demo, 256 x 256": {"width_px": 256, "height_px": 256},
    "dense, 256 x 256": {"width_px": 256, "height_px": 256, "density_per_um2": 1.0, "structure": "uniform"},
    "demo, 1024 x 1024": {"width_px": 1024, "height_px": 1024},
}


def spent_ms(action: Callable[[], object]) -> float:
    began = time.process_time()
    action()
    return 1e3 * (time.process_time() - began)


def measure(name: str, scene: dict, batches: int) -> None:
    source = {"kind": "simulated", "frames_per_s": "max", "frames": BATCH * batches, **scene}
    camera = {"pixel_size_nm": 100, "gain_e_per_adu": 0.5, "offset_adu": 100}
    settings = {"camera": camera, "source": source, "engine": {"threads": 1}, "model": {"name": "localizer-2d"}}
    rig = validate(settings, "benchmark")
    camera_source, engine = source_of(rig), open_engine(zoo.find(rig.model.name), rig.engine)
    info = camera_source.open()
    localizer, none = make_localizer(rig, engine, info), np.full(BATCH, np.nan)
    warm_up(localizer, info, BATCH)
    statistics = Statistics(info, rig.camera.pixel_size_nm, engine.card.sample_space)
    pixels = np.stack([frame.pixels for frame in camera_source.frames() if frame is not None])
    localize_ms, add_ms, report_ms, rows = [], [], [], 0
    for first in range(0, len(pixels), BATCH):
        batch = Batch(pixels[first : first + BATCH], np.arange(first, first + BATCH), none, none, none)
        found = []
        localize_ms.append(spent_ms(lambda batch=batch, found=found: found.append(localizer.process(batch))))
        add_ms.append(spent_ms(lambda found=found: statistics.add(found[0])))
        rows += len(found[0].table)
        if first // BATCH % 2:  # about as many as the demo's camera takes in two seconds
            report_ms.append(spent_ms(statistics.report))
    look_ms = look(statistics, info)
    every_s = (np.median(report_ms) / EVERY_S + look_ms * LOOKS_PER_S) / 1000
    share = np.sum(add_ms) / np.sum(localize_ms) + every_s
    print(
        f"{name:20}{rows / batches / BATCH:10.0f}{np.median(localize_ms):12.1f}{np.median(add_ms):10.2f}"
        f"{np.median(report_ms):10.2f}{look_ms:10.2f}{100 * share:10.2f} %"
    )
    engine.close()


def look(statistics: Statistics, info: StreamInfo) -> float:
    """Return the milliseconds of a look at the alarms."""
    with TemporaryDirectory() as folder:
        alarms = Alarms(rules(info.waits, Path(folder)), lambda line: None)
        seen = Seen(1.0, Health(Ledger(True)).report("running", {"slots": 1, "used": 0}), statistics.report())
        return spent_ms(lambda: [alarms.look(seen) for _ in range(100)]) / 100


def main() -> None:
    heads = ("rows/frame", "localize ms", "add ms", "report ms", "alarms ms", "share")
    print(
        f"{'scene':20}"
        + "".join(f"{head:>{width}}" for head, width in zip(heads, (10, 12, 10, 10, 10, 12), strict=True))
    )
    for name, scene in SCENES.items():
        measure(name, scene, BATCHES if scene["width_px"] < 1000 else 4)


if __name__ == "__main__":
    main()
