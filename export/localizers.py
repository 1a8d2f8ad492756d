"""The graph of any localizer, by the kind of its network."""

from __future__ import annotations

from export.graph import DeployedLocalizer
from export.points import DeployedPoints, deployed_points
from export.static_graph import deployed
from export.voxels import DeployedVoxels, deployed_voxels
from models.feature_distance import FeatureDistance
from models.layers import OverFrames
from models.sample_space import SampleSpace
from models.systems.deep_loco import DeepLoco
from models.systems.deep_storm_3d import DeepStorm3d

Localizing = DeployedLocalizer | DeployedPoints | DeployedVoxels


def as_localizer(
    network: OverFrames | DeepLoco | DeepStorm3d, space: SampleSpace, novelty: FeatureDistance | None = None
) -> Localizing:
    """Return the graph of a network that was trained on this sample space; its table is as long as what is found."""
    if isinstance(network, DeepLoco):
        return deployed_points(network, space)
    if isinstance(network, DeepStorm3d):
        return deployed_voxels(network, space)
    return deployed(network, space, novelty=novelty)
