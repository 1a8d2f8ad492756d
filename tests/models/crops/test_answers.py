"""What is learned and what stands in the table are the same quantities."""

import pytest
import torch

from models import psf
from models.crops.answers import Answers
from models.crops.space import crops_space
from models.sample_space import Range
from models.systems.zelger import JOINTLY

SPACE = crops_space(psf.default_space("astigmatic"), "zelger")
TRUTH = torch.tensor([[0.5, -0.2, 300.0, 2000, 12, 0.01, -0.05, 0.06], [-0.9, 0.9, -600, 150, 0.5, -0.06, 0, 0]])


def test_the_table_says_again_what_was_learned() -> None:
    answers = Answers(SPACE, JOINTLY)
    learned = answers.learned(TRUTH)
    assert float(learned.abs().max()) <= 1 + 1e-5
    torch.testing.assert_close(answers.table(learned, None), TRUTH, rtol=1e-4, atol=1e-5)


def test_uncertainties_are_in_the_units_of_their_quantities() -> None:
    answers = Answers(SPACE, JOINTLY)
    sigma = torch.full((2, 8), 1e-4)
    table = dict(zip(answers.columns(spread=True), answers.table(answers.learned(TRUTH), sigma).T, strict=True))
    step = answers.table(answers.learned(TRUTH) + sigma, None) - answers.table(answers.learned(TRUTH), None)
    for name, change in zip(JOINTLY, step.T, strict=True):
        if name != "background":
            torch.testing.assert_close(table[f"sigma_{name}"], change, rtol=0.05, atol=1e-6)
    assert "sigma_background" not in table


def test_columns_are_chosen_and_what_never_differs_cannot_be_learned() -> None:
    chosen = Answers(SPACE, ("z_nm",))
    assert chosen.columns(spread=False) == ("z_nm",)
    torch.testing.assert_close(chosen.learned(TRUTH)[:, 0] * 600, TRUTH[:, 2])
    with pytest.raises(ValueError, match="noll_6_waves is 0 in every sample"):
        Answers(SPACE.changed(noll_6_waves=Range(0, 0)), JOINTLY)
