"""Forms of a model that do not ship."""

from dataclasses import replace
from pathlib import Path

import pytest

from export.localizer_files import describe
from export.precision import in_half
from export.static_graph import deployed
from export.static_rows import ROWS_PER_BLOCK
from export.to_onnx import write
from export.trained import from_model
from stream.zoo import find


def written(path: Path, rows_per_block: int, half: bool = False) -> Path:
    """Write `2d-fast` in another form."""
    trained = from_model(find("2d-fast"))
    card = describe(trained.network, trained.space, trained.recipe, trained.provenance, rows_per_block, novelty=True)
    network = in_half(trained.network) if half else trained.network
    module = deployed(network, trained.space, rows_per_block, trained.distance)
    write(module, replace(card, precision="fp16" if half else "fp32"), path)
    return path


@pytest.fixture(scope="session")
def static_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`2d-fast` with known shapes."""
    return written(tmp_path_factory.mktemp("static") / "static.onnx", ROWS_PER_BLOCK)


@pytest.fixture(scope="session")
def half_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`2d-fast` in float16."""
    return written(tmp_path_factory.mktemp("half") / "half.onnx", 0, half=True)
