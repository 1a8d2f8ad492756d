"""Forms of a model that do not ship."""

from pathlib import Path

import pytest

from export.export import describe
from export.static_graph import deployed
from export.static_rows import ROWS_PER_BLOCK
from export.to_onnx import write
from export.trained import from_model
from stream.zoo import find


@pytest.fixture(scope="session")
def static_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`2d-fast` with known shapes."""
    path, trained = tmp_path_factory.mktemp("static") / "static.onnx", from_model(find("2d-fast"))
    card = describe(trained.network, trained.space, trained.recipe, trained.provenance, ROWS_PER_BLOCK)
    write(deployed(trained.network, trained.space, ROWS_PER_BLOCK), card, path)
    return path
