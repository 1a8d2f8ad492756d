"""The network that ships is nearer to the dense image than few localizations are, and doubts what it never learned."""

from contextlib import closing
from functools import partial

import pytest

from models.predicted.outlines import SHAPES, as_many_filaments, outlines
from models.predicted.scoring import SEED, area_under_curve, error_of
from stream.commands.evaluate_prediction import evaluate, predicting
from stream.config import EngineSettings
from stream.engines import open_engine
from stream.errors import ModelError
from stream.zoo import find

MODEL = "anna-palm-fast"


def test_few_frames_are_predicted_to_look_like_many() -> None:
    scores = evaluate(MODEL, fields=2)
    for frames in ("60", "300", "1000"):
        assert scores[frames]["predicted"] > scores[frames]["sparse"] + 0.1
    assert all(row["error"] <= row["usual_error"] for row in scores.values())


def test_shapes_that_it_never_learned_have_larger_errors() -> None:
    with closing(open_engine(find(MODEL), EngineSettings(threads=1))) as engine:
        of_field = partial(error_of, predicting(engine), engine.card.sample_space)
        known = [of_field(SEED + k, as_many_filaments, 1000) for k in range(16)]
        unknown = [of_field(SEED + k, partial(outlines, shape), 1000) for k, shape in enumerate(4 * list(SHAPES))]
    assert area_under_curve(known, unknown) > 0.8


def test_what_predicts_nothing_is_not_judged_with_it() -> None:
    with pytest.raises(ModelError, match="predicts no dense images"):
        evaluate("2d-fast")
