"""Probabilities become counts, and the shares of a sample that is unlike the training."""

import numpy as np

from models.bleaching.decoding import counts, population


def test_the_most_probable_number_and_its_probability():
    steps, sure = counts(np.array([[0.2, 0.7, 0.1], [0.5, 0.1, 0.4]]))
    assert steps.tolist() == [1, 0]
    np.testing.assert_allclose(sure, [0.7, 0.5])


def test_shares_unlike_those_of_the_training_are_found_again():
    rng, confusion = np.random.default_rng(1), np.array([[0.8, 0.2, 0], [0.2, 0.6, 0.2], [0, 0.3, 0.7]])
    true = rng.choice(3, 20_000, p=[0.7, 0.05, 0.25])
    said = np.array([rng.choice(3, p=confusion[one]) for one in true])
    posterior = confusion[:, said] / confusion[:, said].sum(0)  # Bayes with equal shares
    naive = np.bincount(posterior.T.argmax(1), minlength=3) / len(true)
    found = population(posterior.T)
    assert np.abs(found - [0.7, 0.05, 0.25]).max() < 0.02
    assert np.abs(naive - [0.7, 0.05, 0.25]).max() > 0.05


def test_no_trace_tells_nothing():
    np.testing.assert_allclose(population(np.empty((0, 4))), 0.25)
