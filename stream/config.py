"""rig.toml -> validated settings. Every wrong field is named at once, with its value and what would be accepted.

Each plug-in brings its own settings model; `[source]` is read by the model of the source that it names.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from models.scenes.optics import MaskName
from stream.bleaching.settings import TracesSettings
from stream.drift.settings import DriftSettings
from stream.errors import RigError
from stream.feedback.settings import ActivationSettings, StopSettings
from stream.images.settings import ImageSettings
from stream.picture.render import RenderSettings
from stream.predicted.settings import PredictionSettings
from stream.quality.settings import ResolutionSettings
from stream.sinks.linked import LinkSettings
from stream.sinks.zmq_out import PublishSettings
from stream.slm.settings import SlmSettings
from stream.sources import SOURCES

Positive = Field(gt=0)


class Section(BaseModel):
    """A section of rig.toml: read-only, and nothing misspelt is let through."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class CameraSettings(Section):
    """`[camera]`: calibration of the camera."""

    pixel_size_nm: float = Field(gt=10, lt=1000)
    """Size of a camera pixel in the sample."""
    offset_adu: float = Field(100.0, ge=0)
    """Counts without light."""
    gain_e_per_adu: float = Field(1.0, gt=0)
    """Electrons per count, after the EM register where there is one."""
    em_gain: float = Field(1.0, ge=1)
    """Mean multiplication of the EM register; 1 for a camera without one."""
    read_noise_e: float = Field(1.5, ge=0)
    """Standard deviation of the read noise in electrons, after the EM register."""
    quantum_efficiency: float = Field(1.0, gt=0, le=1)
    """Photo-electrons per photon."""
    bit_depth: int = Field(16, ge=8, le=16)
    """Counts saturate at 2**bit_depth - 1."""
    maps: Path | None = None
    """`.npz` with (y, x) arrays `offset_adu`, `gain_e_per_adu`, `read_noise_e`; any of them replaces the scalar."""


class OpticsSettings(Section):
    """`[optics]`: the objective."""

    numerical_aperture: float = Field(1.4, gt=0.1, lt=1.7)
    immersion_index: float = Field(1.518, ge=1, lt=2)
    sample_index: float = Field(1.33, ge=1, lt=2)
    wavelength_nm: float = Field(680.0, gt=200, lt=2000)
    psf_sigma_nm: float | None = Field(None, gt=10, lt=2000)
    """Standard deviation of a Gaussian fitted to a spot in focus, if known: compared with the model's sample space."""


class BeadsSettings(Section):
    """`[beads]`: how stacks of beads are taken; `livesmlm retrieve` asks for what no image can tell."""

    step_nm: float | None = Field(None, gt=0, lt=5000)
    """Of the stage, from slice to slice."""
    focal_plane: Literal["into-sample", "towards-objective"] | None = None
    """Which way the focal plane moves from slice to slice."""
    astigmatism_waves: float | None = Field(None, gt=-3, lt=3)
    """About the Noll coefficient 6 that a cylindrical lens adds; its sign shows whether the stage is stated rightly."""
    diameter_nm: float = Field(0.0, ge=0, le=1000)
    window_um: float = Field(3.1, gt=0.5, le=12)
    """Edge of the window that the light of a bead lies in, over all slices."""
    highest_noll: int = Field(28, ge=5, le=120)
    """Aberrations are looked for from Noll 5 to this one."""
    pixelwise: bool = False
    """Look for phase and amplitude of each cell of the pupil too; used if slices left out are foretold better."""


class EngineSettings(Section):
    """`[engine]`: where the network runs."""

    name: Literal["onnx-runtime", "openvino", "tensorrt", "torch"] = "onnx-runtime"
    """`livesmlm engines` lists those that are usable here."""
    device: Literal["cpu", "cuda"] = "cpu"
    precision: Literal["model", "bf16"] = "model"
    """model: as the file states it; bf16: less exact, by openvino, on processors that compute it."""
    threads: int = Field(0, ge=0, le=256)
    """CPU threads; 0 lets the runtime decide."""
    tiles: Literal["all", "active"] = "all"
    """active: the network is not run where a cheap look sees no light; for sparse samples and empty fields."""
    processes: int = Field(1, ge=1, le=16)
    """Engines in processes of their own, batches dealt to them in turn: as many as there are GPUs, each has one."""


class ModelSettings(Section):
    """`[model]`: which network."""

    name: str = "2d-fast"
    """Name of a model that ships, or the path of an exported `.onnx` file."""
    threshold: float | None = Field(None, gt=0, lt=1)
    """Detection probability above which a candidate becomes a localization; the model card's if not given."""
    accept_outside: bool = False
    """Run although the rig lies outside what the model was trained on: then it is a warning, kept in run.json."""


class RefineSettings(Section):
    """`[refine]`: maximum-likelihood fits behind the network."""

    mode: Literal["off", "isolated", "all"] = "off"
    """isolated: where no other molecule is in the window; all: overlapping ones together."""
    spot: Path | None = None
    """File of spots, as training writes it; the one that ships with the model if not given."""
    rounds: int = Field(6, ge=1, le=50)
    threads: int = Field(0, ge=0, le=256)
    """CPU threads; 0 takes as many as there are."""


class CropsSettings(Section):
    """`[crops]`: a network looks at a crop around each molecule that is alone; its answers replace the localizer's."""

    model: str | None = None
    """Name of a model that ships, or the path of an exported `.onnx` file; no such network if not given."""
    second_plane_px: tuple[float, float] | None = None
    """For models that see two planes on one camera: from a molecule's image to that in the second, [dx, dy]."""


class BackgroundSettings(Section):
    """`[background]`: what the fits of `[refine]` take for the light under a molecule that is not its own.

    Whatever the mode, a fit finds its level of background in each frame. With none it is flat, begins where the
    localizer says and is known to 30 %. With the others shape and beginning are given, and it is known to 10 %.
    """

    mode: Literal["none", "constant", "localizer", "bgnet"] = "none"
    """none: flat, as the localizer says; constant: flat, the median of the window's border; localizer: average over
    time of the frames without its spots, published as a picture; bgnet: a network looks at each molecule."""
    model: str | None = None
    """Of bgnet: name of a model that ships, or the path of an exported `.onnx` file."""
    time_constant_frames: float = Field(400.0, ge=8, le=1e6)
    """Of localizer: within so many frames the average forgets."""

    @model_validator(mode="after")
    def _model_for_bgnet(self) -> Self:
        if (self.mode == "bgnet") != (self.model is not None):
            raise ValueError(
                f"mode = {self.mode!r} and model = {self.model!r}: bgnet needs a model, the other modes have none"
            )
        return self


class GuardSettings(Section):
    """`[guard]`: whether the data are what the model was trained on, looked at in a few frames of each batch."""

    mode: Literal["on", "off"] = "on"
    """on: the verdict is published and kept, and rows located while it is "outside" carry a flag."""


class PhaseSettings(Section):
    """`[phase]`: the optics, watched while the data is taken."""

    mode: Literal["off", "molecules", "beads"] = "off"
    """molecules: the pupil is followed from single molecules; beads: found in each sweep of a stage whose position is
    in the frames. Localizations are refined with what it has become."""
    mask: MaskName = "none"
    """In the pupil."""
    pupil: Path | None = None
    """`pupil.json` of `livesmlm retrieve`: aberrations that are there from the start."""
    height_nm: float | None = Field(None, ge=0, le=100_000)
    """Of the focal plane above the coverslip; if not given, the lowest molecules that the model finds touch it."""
    every_s: float = Field(5.0, ge=0.1, le=3600)
    """Between estimates, at least."""
    molecules: int = Field(80, ge=20, le=2000)
    """Single molecules that an estimate takes."""
    sigma_waves: float = Field(0.03, gt=0, le=1)
    """How well each coefficient is known at the start, root mean square."""
    wander_waves: float = Field(0.001, ge=0, le=0.1)
    """How much each changes in a second, root mean square; it grows with the root of the time."""


class FilterSettings(Section):
    """`[filter]`: localizations that are left out of picture, tables and messages; they are counted."""

    max_sigma_nm: float | None = Field(None, gt=0)
    """Of x and of y."""
    max_sigma_z_nm: float | None = Field(None, gt=0)
    min_photons: float | None = Field(None, gt=0)
    min_channel_probability: float | None = Field(None, gt=0, le=1)
    """Of the colour that a network told; rows of which none was told have 0."""
    max_goodness: float | None = Field(None, gt=0)
    """Chi-square per degree of freedom; rows that were not fitted have none and stay."""


class PolicySettings(Section):
    """`[policy]`: what happens when frames come faster than they are analysed, and what is kept."""

    overload: Literal["lossless", "live"] = "lossless"
    """lossless: spill to disk and catch up; live: skip the oldest frames, each one in the ledger."""
    ring_mb: float = Field(256.0, gt=0, le=65_536)
    batch_frames: int = Field(16, ge=1, le=1024)
    deadline_ms: float = Field(50.0, gt=0, le=60_000)
    """A batch is analysed when it is full or its oldest frame has waited this long."""
    record: bool = False
    """Keep the raw frames as OME-Zarr in the output folder."""


class Rig(Section):
    """All of rig.toml."""

    camera: CameraSettings
    optics: OpticsSettings = OpticsSettings()
    beads: BeadsSettings = BeadsSettings()
    source: Any = None
    engine: EngineSettings = EngineSettings()
    model: ModelSettings = ModelSettings()
    refine: RefineSettings = RefineSettings()
    guard: GuardSettings = GuardSettings()
    phase: PhaseSettings = PhaseSettings()
    crops: CropsSettings = CropsSettings()
    background: BackgroundSettings = BackgroundSettings()
    filter: FilterSettings = FilterSettings()
    drift: DriftSettings = DriftSettings()
    link: LinkSettings = LinkSettings()
    traces: TracesSettings = TracesSettings()
    render: RenderSettings = RenderSettings()
    resolution: ResolutionSettings = ResolutionSettings()
    publish: PublishSettings = PublishSettings()
    policy: PolicySettings = PolicySettings()
    image: ImageSettings = ImageSettings()
    prediction: PredictionSettings = PredictionSettings()
    activation: ActivationSettings = ActivationSettings()
    stop: StopSettings = StopSettings()
    slm: SlmSettings = SlmSettings()

    @field_validator("background")
    @classmethod
    def _behind_fits(cls, background: BackgroundSettings, known: ValidationInfo) -> BackgroundSettings:
        refine = known.data.get("refine")
        if background.mode != "none" and refine is not None and refine.mode == "off":
            raise ValueError(f"mode = {background.mode!r} is for fits: set [refine] mode to isolated or all")
        return background

    @field_validator("crops")
    @classmethod
    def _instead_of_fits(cls, crops: CropsSettings, known: ValidationInfo) -> CropsSettings:
        refine = known.data.get("refine")
        if crops.model is not None and refine is not None and refine.mode != "off":
            raise ValueError(
                f"model = {crops.model!r} would be replaced by fits: set [refine] mode to off, which is {refine.mode!r}"
            )
        return crops

    @field_validator("image")
    @classmethod
    def _waits_without_loss(cls, image: ImageSettings, known: ValidationInfo) -> ImageSettings:
        policy = known.data.get("policy")
        if image.model is not None and image.frames == "all" and policy is not None and policy.overload == "live":
            raise ValueError(
                'frames = "all" with [policy] overload = "live": frames that the layer holds up would not be located '
                'either; set frames to "newest"'
            )
        return image

    @field_validator("stop")
    @classmethod
    def _maximum_of_what(cls, stop: StopSettings, known: ValidationInfo) -> StopSettings:
        activation = known.data.get("activation")
        if stop.at_maximum_frames is not None and activation is not None and activation.mode != "on":
            raise ValueError(
                f"at_maximum_frames = {stop.at_maximum_frames} is for a run that sets its activation: "
                "set [activation] mode to on"
            )
        return stop

    @field_validator("stop")
    @classmethod
    def _resolution_of_what(cls, stop: StopSettings, known: ValidationInfo) -> StopSettings:
        resolution = known.data.get("resolution")
        if stop.resolution_nm is None or resolution is None:
            return stop
        if resolution.mode == "off":
            raise ValueError(f"resolution_nm = {stop.resolution_nm:g} must be measured: set [resolution] mode to on")
        if stop.resolution_nm <= 2 * resolution.pixel_nm:
            raise ValueError(
                f"resolution_nm = {stop.resolution_nm:g} is no more than two of [resolution] pixel_nm = "
                f"{resolution.pixel_nm:g}, finer than is found: set a smaller pixel_nm"
            )
        return stop

    def assumed(self) -> list[str]:
        """Say which values of the camera nobody stated."""
        missing = [name for name in CameraSettings.model_fields if name not in self.camera.model_fields_set | {"maps"}]
        return [f"[camera] {name} is not given: {getattr(self.camera, name):g} is assumed" for name in missing]

    def to_dict(self) -> dict[str, Any]:
        """Return plain scalars, lists and mappings."""
        return self.model_dump(mode="json")


def read(path: Path) -> Rig:
    """Read rig.toml.

    Raises
    ------
    RigError
        No such file, not TOML, or wrong fields: all of them in one message.
    """
    try:
        plain = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RigError(
            f"cannot read rig {path}: {error.strerror}", remedy="the README has an example for each source"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RigError(f"{path} is not TOML: {error}", remedy="the README has an example for each source") from error
    return validate(plain, str(path), path.parent)


def validate(plain: dict[str, Any], origin: str, folder: Path = Path()) -> Rig:
    """Turn plain mappings into a Rig; paths start at `folder`. Raises RigError naming all wrong fields."""
    plain = {name: dict(section) if isinstance(section, dict) else section for name, section in plain.items()}
    problems: list[str] = []
    source = plain.pop("source", None)
    settings = None if source is None else _source(source, folder, problems)
    _from_folder(plain.get("camera"), "maps", folder)
    _from_folder(plain.get("refine"), "spot", folder)
    _from_folder(plain.get("phase"), "pupil", folder)
    _from_folder(plain.get("publish"), "certificate", folder)
    _from_folder(plain.get("slm"), "calibration", folder)
    try:
        rig = Rig(**plain)
    except ValidationError as error:
        problems[:0] = _describe(error)
    if problems:
        raise RigError(
            f"{origin}: {len(problems)} wrong field{'s' if len(problems) > 1 else ''}\n"
            + "\n".join(f"  {p}" for p in problems),
            remedy="`livesmlm fields` shows every field, its default and what it means",
        )
    return rig.model_copy(update={"source": settings})


def with_source(rig: Rig, kind: str, values: dict[str, Any]) -> Rig:
    """Return the rig with another `[source]`. Raises RigError if its fields are wrong."""
    problems: list[str] = []
    settings = _source({"kind": kind, **values}, Path(), problems)
    if problems:
        raise RigError("\n".join(problems))
    return rig.model_copy(update={"source": settings})


def _source(plain: Any, folder: Path, problems: list[str]) -> BaseModel | None:
    kind = plain.get("kind") if isinstance(plain, dict) else None
    if kind not in SOURCES:
        problems.append(f"[source] kind = {kind!r}: one of {', '.join(SOURCES)}")
        return None
    values = {name: value for name, value in plain.items() if name != "kind"}
    for name in ("path", "config_file"):
        _from_folder(values, name, folder)
    try:
        return SOURCES[kind].settings(**values)
    except ValidationError as error:
        problems.extend(_describe(error, "source"))
        return None


def _from_folder(section: Any, name: str, folder: Path) -> None:
    if isinstance(section, dict) and isinstance(section.get(name), str):
        section[name] = str(folder / section[name])


def _describe(error: ValidationError, section: str | None = None) -> Iterator[str]:
    """Yield a line for each wrong field; a field that accepts several types is named once, with all of them."""
    own_words = {"missing": "is required", "extra_forbidden": "is not a field of this section"}
    in_toml = {"tuple_type": "should be a list in square brackets", "model_type": "should be a section"}
    accepted: dict[str, list[str]] = {}
    for problem in error.errors():
        where = [str(part) for part in problem["loc"]] if section is None else [section, *map(str, problem["loc"])]
        value = "" if problem["type"] in own_words else f" = {problem['input']!r}"
        line = f"{' '.join((f'[{where[0]}]', *where[1:2]))}{value}:"
        accepted.setdefault(line, []).append((own_words | in_toml).get(problem["type"], problem["msg"]))
    for line, messages in accepted.items():
        yield f"{line} {'; or: '.join(messages)}"
