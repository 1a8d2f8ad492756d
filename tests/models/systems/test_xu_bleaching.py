"""The step counter learns, does not mind the unit of a trace or its neighbours, and its file says what torch says."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from export.bleaching import DeployedSteps, describe_steps, predictor, temperature_of
from export.export import export_trained
from export.to_onnx import write
from export.trained import Trained, provenance
from models.bleaching.scoring import PLAIN, calibration
from models.bleaching.space import TRACES
from models.sample_space import Range
from models.systems import SYSTEMS
from models.systems.xu_bleaching import StepCounter
from models.train import Trainer
from stream.engines.onnx_runtime import OnnxRuntimeEngine

EASY = TRACES.changed(**PLAIN, frames=Range(100, 100), snr=Range(20, 20), most_steps=2.0)


@pytest.fixture(scope="module")
def trained() -> tuple[Trainer, list[float]]:
    torch.set_num_threads(1)
    trainer = Trainer(replace(SYSTEMS["xu-bleaching"].recipe, steps=150, batch=48), EASY)
    return trainer, [float(trainer.advance().parts["entropy"]) for _ in range(150)]


def test_it_learns(trained) -> None:
    _, entropy = trained
    assert sum(entropy[-20:]) < 0.75 * sum(entropy[:20])


def test_the_unit_does_not_matter_and_traces_are_counted_one_by_one(trained) -> None:
    predict = predictor(trained[0].averaged.eval(), 1.0)
    traces = staircases()
    np.testing.assert_allclose(predict(1e-3 * traces), predict(traces), atol=1e-4)
    np.testing.assert_allclose(predict(traces[:1]), predict(traces)[:1], atol=1e-5)
    assert np.isfinite(predict(np.zeros((1, 64), np.float32))).all()


def staircases(count: int = 5, frames: int = 300) -> np.ndarray:
    rng = np.random.default_rng(1)
    fall = np.cumsum(rng.random((count, frames)) > 0.98, axis=1)
    return (500.0 * (6 - fall) + rng.normal(0, 100, fall.shape)).astype(np.float32)


@pytest.mark.parametrize(("traces", "frames"), [(1, 16), (3, 100), (40, 777)])
def test_the_file_says_what_torch_says_for_any_number_of_traces_and_frames(tmp_path, trained, traces, frames) -> None:
    network, recipe = trained[0].averaged.eval(), trained[0].recipe
    module = DeployedSteps(network, 0.8)
    write(module, describe_steps(module, EASY, recipe, provenance(trained[0])), tmp_path / "steps.onnx")
    engine = OnnxRuntimeEngine(tmp_path / "steps.onnx", threads=1)
    given = staircases(traces, frames)
    said = engine.run({"trace": given})["probability"]
    np.testing.assert_allclose(said, predictor(network, 0.8)(given), atol=2e-6)
    np.testing.assert_allclose(said.sum(1), 1, rtol=1e-5)


def test_a_temperature_mends_probabilities_that_are_too_sure(trained) -> None:
    network = trained[0].averaged.eval()
    right = temperature_of(network, EASY, 600)
    last = network.head[-1]
    with torch.no_grad():
        for part in (last.weight, last.bias):
            part *= 2
    try:
        assert temperature_of(network, EASY, 600) == pytest.approx(2 * right, rel=0.02)
        raw, mended = (calibration(predictor(network, t), EASY, 1000)["error"] for t in (1.0, 2 * right))
        assert mended < raw
    finally:
        with torch.no_grad():
            for part in (last.weight, last.bias):
                part /= 2


def test_a_training_is_exported_with_its_scores(tmp_path, monkeypatch, trained) -> None:
    monkeypatch.setattr("export.other_files.scores_steps", lambda *_: {"data": "none"})
    trainer = trained[0]
    of_training = Trained(trainer.averaged.eval(), trainer.recipe, trainer.space, None, provenance(trainer))
    card = export_trained(of_training, tmp_path / "steps.onnx")
    assert card.columns == ("steps_0", "steps_1", "steps_2")
    assert card.mac_per_pixel > 0
    assert OnnxRuntimeEngine(tmp_path / "steps.onnx").card == card


def test_sizes_differ() -> None:
    small, large = (sum(p.numel() for p in StepCounter(8, width).parameters()) for width in (64, 128))
    assert 90_000 < small < large / 3
