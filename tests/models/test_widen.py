"""A wider network says what the narrower one said, and can learn more."""

import pytest
import torch

from models.systems.deep_storm_3d import SIZES, DeepStorm3d
from models.systems.default import DefaultLocalizer
from models.systems.dilated import DilatedLocalizer
from models.widen import widened, with_trunk_of


def frames() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(3)
    return torch.poisson(torch.full((2, 3, 16, 16), 30.0)), torch.ones(2, 16, 16)


def test_it_says_what_the_narrow_one_says() -> None:
    narrow, wide = DefaultLocalizer(4), DefaultLocalizer(7)
    wide.load_state_dict(widened(narrow.state_dict(), wide.state_dict(), wide.joined))
    torch.testing.assert_close(wide(*frames()), narrow(*frames()), rtol=1e-4, atol=1e-5)


def test_what_is_new_learns() -> None:
    narrow, wide = DefaultLocalizer(4), DefaultLocalizer(7)
    wide.load_state_dict(widened(narrow.state_dict(), wide.state_dict(), wide.joined))
    wide(*frames()).square().mean().backward()
    gradient = wide.head[0].weight.grad
    assert isinstance(gradient, torch.Tensor)
    assert (gradient[:, 4:].abs().amax((0, 2, 3)) > 0).any()


def test_the_same_width_is_a_copy() -> None:
    one, other = DefaultLocalizer(4), DefaultLocalizer(4)
    for name, values in widened(one.state_dict(), other.state_dict(), other.joined).items():
        assert torch.equal(values, one.state_dict()[name])


@pytest.mark.parametrize(
    ("other", "message"),
    [(DefaultLocalizer(3), r"is \(4, 8, 3, 3\) there and \(3, 8"), (torch.nn.Linear(2, 2), "not have the same layers")],
)
def test_what_does_not_fit_is_refused(other: torch.nn.Module, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        widened(DefaultLocalizer(4).state_dict(), other.state_dict(), {})


def test_voxels_begin_with_the_trunk_of_a_list_and_with_no_other() -> None:
    molecules, voxels = DilatedLocalizer(32), DeepStorm3d(SIZES["fast"])
    own = {name: values.clone() for name, values in voxels.state_dict().items()}
    voxels.load_state_dict(widened(with_trunk_of(molecules.state_dict(), own), own, {}))
    for name, values in voxels.state_dict().items():
        theirs = molecules.state_dict()[name] if name.startswith("trunk.") else own[name]
        assert torch.equal(values, theirs)
    for other in (DilatedLocalizer(16), DefaultLocalizer(4)):
        with pytest.raises(ValueError, match="not have the same layers"):
            widened(with_trunk_of(other.state_dict(), own), own, {})
