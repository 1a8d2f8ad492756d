"""Rig and model card, field by field: what the rig states, what the model was trained on, whether that is inside.

| field | the rig's | the model's |
|---|---|---|
| pixel_size_nm, psf_sigma_px | `[camera]`, `[optics]` | sample space |
| read_noise_e, of the median pixel and of 1 % of them | `[camera]` or its maps, the EM gain taken out | sample space |
| em_register | `[camera] em_gain` | em_share |
| mask | `[phase]`, or a simulated source | the PSF that it was trained for |
| numerical_aperture, wavelength_nm, indices | `[optics]`, where it is stated | the file of its sample space |
| pixel_size_nm of the spots | `[camera]` | the file of spots that fits take |
| z_nm, photons, background_e, density, on-time | a simulated source | sample space |
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from export.card import Card
from models.optics.low_rank import LowRankSpot
from models.optics.objective import Objective
from models.psf import IN_FOCUS, PSFS
from models.sample_space import EM_READ_NOISE_E, HOT_TIMES, Range
from models.sample_space_file import read_space
from stream import zoo
from stream.calibration import read_noise
from stream.config import Rig
from stream.errors import ModelError
from stream.sources.simulated import SimulatedSettings

OPTICS = {"numerical_aperture": 0.05, "wavelength_nm": 35.0, "immersion_index": 0.02, "sample_index": 0.02}
"""How far each may be from what the model was trained with. At 0.05 of the aperture and 40 nm the spots of a hundred
molecules hardly differ from those of the training; an index that is off by 0.02 is another medium."""
SPOTS_APART = 0.02
"""Pixel sizes of rig and spots may differ by so much; refinement refuses more."""
SEEN_LATER = "seen from the molecules while the run goes on"
UNSAID = "the model's card says nothing of it"

Limits = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Compared:
    """One field of rig and card.

    Parameters
    ----------
    field : str
        With its unit.
    rig, model : float, str, (low, high) or None
        What is stated; None where nothing is.
    inside : bool or None
        None where it cannot be compared.
    why : str
        Why it cannot.
    decides : bool
        Whether a run is refused where this is outside; else that is a warning.
    """

    field: str
    rig: float | str | Limits | None
    model: float | str | Limits | None
    inside: bool | None
    why: str = ""
    decides: bool = True

    @property
    def in_words(self) -> str:
        """What is outside of what."""
        limit = f"outside {shown(self.model)}" if isinstance(self.model, tuple) else f"not {shown(self.model)}"
        return f"{self.field} = {shown(self.rig)} is {limit}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain scalars and lists."""
        plain = asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}


def compare(rig: Rig, card: Card) -> list[Compared]:
    """Return all fields, those of camera and optics first. Raises RigError if the camera's maps cannot be read."""
    fields = [*_camera(rig, card), _mask(rig, card), *_objective(rig, card), *_spots(rig, card), *_sample(rig, card)]
    named = {compared.field for compared in fields}
    rest = [(name, value) for name, value in card.sample_space.fields.items() if name not in named]
    return fields + [Compared(name, None, _ends(value), None, SEEN_LATER) for name, value in rest if _ends(value)]


def shown(value: float | str | Limits | None) -> str:
    """Return a value of the comparison as a person reads it."""
    if isinstance(value, tuple):
        return f"{value[0]:g} to {value[1]:g}"
    return "not stated" if value is None else value if isinstance(value, str) else f"{value:.5g}"


def _ends(value: Range | float) -> Limits | None:
    return (value.low, value.high) if isinstance(value, Range) else None


def _within(name: str, value: float | None, limits: Limits | None, why: str, decides: bool = True) -> Compared:
    """Compare a number with ends; `why` it is not known where it is None."""
    if value is None or limits is None:
        return Compared(name, value, limits, None, why if value is None else UNSAID, decides)
    return Compared(name, value, limits, limits[0] <= value <= limits[1], "", decides)


def _range(card: Card, name: str) -> Limits | None:
    value = card.sample_space.fields.get(name)
    return None if value is None else _ends(value)


def _camera(rig: Rig, card: Card) -> Iterator[Compared]:
    pixel, sigma = rig.camera.pixel_size_nm, rig.optics.psf_sigma_nm
    yield _within("pixel_size_nm", pixel, _range(card, "pixel_size_nm"), "")
    if (widths := _range(card, "psf_sigma_px")) is not None:
        width = None if sigma is None else sigma / pixel
        yield _within("psf_sigma_px", width, widths, "[optics] psf_sigma_nm is not given")
    yield from _noise(rig, card)
    yield _register(rig, card)


def _noise(rig: Rig, card: Card) -> Iterator[Compared]:
    """Compare the median pixel with the training's range, and the noisiest ones with that of its hot pixels."""
    median, most = read_noise(rig.camera)
    limits = _ends(EM_READ_NOISE_E) if rig.camera.em_gain > 1 else _range(card, "read_noise_e")
    yield _within("read_noise_e", median, limits, "")
    if rig.camera.maps is not None and limits is not None:
        hot = HOT_TIMES if card.sample_space.fields.get("hot_share") and rig.camera.em_gain == 1 else 1.0
        yield _within("read_noise_e, 99 % of pixels", most, (limits[0], hot * limits[1]), "")


def _register(rig: Rig, card: Card) -> Compared:
    share = card.sample_space.fields.get("em_share")
    with_em = rig.camera.em_gain > 1
    said = "yes" if with_em else "no"
    if not isinstance(share, float | int):
        return Compared("em_register", said, None, None, UNSAID)
    known = "yes" if share == 1 else "no" if share == 0 else "yes or no"
    return Compared("em_register", said, known, said in known)


def _psf(card: Card) -> str:
    """Return what a model's spots were; the first models in focus do not name theirs."""
    named = card.provenance.get("recipe", {}).get("psf", "")
    return str(named or ("" if "z_nm" in card.columns else IN_FOCUS))


def _mask(rig: Rig, card: Card) -> Compared:
    psf = _psf(card)
    model = "none" if psf == IN_FOCUS else PSFS[psf].mask if psf in PSFS else None
    stated = None
    if rig.phase.mode != "off" and rig.phase.pupil is None:
        stated = rig.phase.mask
    elif isinstance(rig.source, SimulatedSettings):
        stated = rig.source.mask
    if model is None or stated is None:
        why = (
            "nothing in the rig says what is in the pupil"
            if stated is None
            else f"it was trained for spots of {psf or 'a mask of its own'}"
        )
        return Compared("mask", stated, model, None, why)
    return Compared("mask", stated, model, stated == model)


def _objective(rig: Rig, card: Card) -> Iterator[Compared]:
    trained, why = _trained_with(rig, card)
    for name, apart in OPTICS.items():
        stated = getattr(rig.optics, name) if name in rig.optics.model_fields_set else None
        model = None if trained is None else float(getattr(trained, name))
        if stated is None or model is None:
            yield Compared(name, stated, model, None, why or f"[optics] {name} is not given")
        else:
            yield Compared(name, stated, (model - apart, model + apart), abs(stated - model) <= apart)


def _trained_with(rig: Rig, card: Card) -> tuple[Objective | None, str]:
    """Return the objective of the training, or why it is not known."""
    psf, name = _psf(card), card.provenance.get("recipe", {}).get("sample_space", "")
    if psf == IN_FOCUS:
        return None, "it was trained with spots of any width"
    if psf not in PSFS:
        return None, UNSAID
    if not name:
        return Objective(), ""
    places = zoo.find(rig.model.name).with_name(Path(name).name), Path(name)
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        return None, f"the file of its sample space, {Path(name).name}, is not beside it"
    try:
        return read_space(path, card.sample_space)[1], ""
    except ValueError as error:
        return None, str(error)


def _spots(rig: Rig, card: Card) -> Iterator[Compared]:
    if "z_nm" not in card.columns:
        return
    name, decides = "pixel_size_nm of the spots", rig.refine.mode != "off"
    try:
        path = rig.refine.spot or zoo.spot_of(rig.model.name)
        pixel = LowRankSpot.load(path).pixel_size_nm
    except (OSError, ValueError, ModelError):
        yield Compared(name, rig.camera.pixel_size_nm, None, None, "no file of spots is beside the model")
        return
    yield _within(
        name, rig.camera.pixel_size_nm, ((1 - SPOTS_APART) * pixel, (1 + SPOTS_APART) * pixel), "", decides
    )  # fmt: skip


def _sample(rig: Rig, card: Card) -> Iterator[Compared]:
    """Compare what only a simulated sample states beforehand; outside is a warning: it is simulated on purpose."""
    source, efficiency = rig.source, rig.camera.quantum_efficiency
    if not isinstance(source, SimulatedSettings):
        return
    stated = {
        "z_nm": source.depth_nm / 2, "photons": efficiency * source.photons,
        "background_e": efficiency * source.background, "density_per_um2": source.density_per_um2,
        "on_time_frames": source.on_frames,
    }  # fmt: skip
    for name, value in stated.items():
        if (limits := _range(card, name)) is not None:
            yield _within(name, value, limits, "", decides=False)
