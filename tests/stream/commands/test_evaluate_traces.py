"""`livesmlm evaluate` of a step counter: beside the step finder, on the same traces, in figures and as JSON."""

import json

import pytest
import torch

from export.bleaching import DeployedSteps, describe_steps
from export.to_onnx import write
from models.bleaching.space import TRACES
from models.evaluation.report import Effort
from models.systems import SYSTEMS
from models.systems.xu_bleaching import StepCounter
from stream.commands.evaluate_any import evaluate_in_terminal
from stream.commands.evaluate_traces import CLASSICAL, evaluate_traces
from stream.errors import InputError, ModelError


def made(folder, most):
    torch.manual_seed(1)
    path, module = folder / f"steps-{most}.onnx", DeployedSteps(StepCounter(most, 64), 1.0)
    write(
        module, describe_steps(module, TRACES.changed(most_steps=float(most)), SYSTEMS["xu-bleaching"].recipe, {}), path
    )
    return str(path)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return made(tmp_path_factory.mktemp("models"), 8)


def test_figures_are_written_for_each_ratio(tmp_path, capsys, model):
    assert evaluate_in_terminal([model], Effort(3, 20), tmp_path, as_json=False) == 0
    shown = capsys.readouterr().out
    assert CLASSICAL in shown
    assert "rightly counted" in shown
    written = json.loads((tmp_path / "evaluation.json").read_text())
    rows = written["nothing_but_steps_and_noise"]
    assert rows[CLASSICAL]["4"]["right"] > rows["xu-bleaching-fast"]["4"]["right"], "it has learned nothing"
    assert list(rows[CLASSICAL]) == ["1", "2", "4", "8", "16", "32"]


def test_counters_of_other_steps_and_other_models_are_refused(tmp_path, model):
    with pytest.raises(InputError, match="different numbers of steps"):
        evaluate_traces([model, made(tmp_path, 4)], 10)
    with pytest.raises(ModelError, match="MODEL = '2d-fast'"):
        evaluate_traces([model, "2d-fast"], 10)
