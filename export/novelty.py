"""What a localizer's features are like in matched data, which the distance in its graph is counted from.

| step | in -> out | axes |
|---|---|---|
| samples | sample space -> three frames of molecules, another camera each | (b, 3, y, x) |
| features | what the network's last layers read, in the cell of each localization | (n, c) |
| distance | their mean and covariance | (c,), (c, c) |
"""

from __future__ import annotations

import torch
from torch import Tensor

from export.evaluate import THRESHOLDS
from export.graph import candidate_scores, features_under
from export.trained import Trained
from models.feature_distance import FeatureDistance
from models.layers import OverFrames
from models.simulation import Samples, Simulator
from models.training_spots import training_spots

LOCALIZATIONS, SEED = 20_000, 79_100
"""Enough for 60 features; beyond the seeds of trainings and of what is scored."""
BATCH, PATCH_PX = 16, 64
"""Larger than samples of trainings: fewer molecules at the edge, where features are of what is beyond."""
BATCHES, TRIAL = 250, 5
"""As many are drawn at most; so many are drawn before it is asked whether the network finds anything."""
LEAST_PER_BATCH, LEAST_PER_FEATURE = 4, 20
"""Localizations."""


def learned(trained: Trained) -> FeatureDistance | None:
    """Return the distance from what a localizer was trained on; always the same for the same network.

    None for a network that finds too little to say what is usual, as one that has hardly begun to learn.
    """
    network = trained.network
    assert isinstance(network, OverFrames)
    simulator = Simulator(training_spots(trained.spot, trained.space), trained.space, BATCH, PATCH_PX)
    found: list[Tensor] = []
    for step in range(BATCHES):
        found.append(_features(network, simulator.draw(SEED, step)))
        count = sum(map(len, found))
        if count >= LOCALIZATIONS or (step + 1 == TRIAL and count < TRIAL * LEAST_PER_BATCH):
            break
    enough = count >= LEAST_PER_FEATURE * network.channels
    return FeatureDistance.of(torch.cat(found)) if enough else None


@torch.no_grad()
def _features(network: OverFrames, samples: Samples) -> Tensor:
    """Return the features under all localizations in the middle frames of some samples, (n, c)."""
    hidden = network.hidden(*network.encode_three(samples.counts, samples.variance))
    score = candidate_scores(network.read(hidden)[:, :1]).squeeze(1)
    return features_under(hidden, torch.nonzero(score > THRESHOLDS[network.dimensions]), network.stride)
