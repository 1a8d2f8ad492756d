"""The command `livesmlm`. Exit codes: 0 fine, 2 wrong input, 3 the run ended with loss or a fault.

Each command imports what it needs, so that `livesmlm --help` is quick and running needs no torch.
"""

from __future__ import annotations

import json
import sys
from math import nan
from pathlib import Path
from typing import Annotated, Literal

import typer

from models.systems import SYSTEMS
from stream.errors import InputError, LiveSMLMError
from stream.page.address import PORT, PageAddress

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")

OutDir = Annotated[Path | None, typer.Option("--out", help="Folder for the results; must be new or empty.")]
Frames = Annotated[int | None, typer.Option("--frames", min=1, help="Stop after this many frames.")]
NoPage = Annotated[bool, typer.Option("--no-page", help="Do not serve the live page.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port of the live page; 0 takes a free one.")]
Host = Annotated[str, typer.Option("--host", help="Address of the live page; other than loopback needs a token.")]
Token = Annotated[str | None, typer.Option("--token", envvar="LIVESMLM_TOKEN", help="What readers of it must know.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
RigFile = Annotated[Path, typer.Option("--rig", help="The rig: camera, optics, engine, policy.")]


def _new_folder(name: str) -> Path:
    number = 1
    while (folder := Path("runs") / f"{name}-{number}").exists():
        number += 1
    return folder


@app.command()
def demo(
    out: OutDir = None, frames: Frames = None,
    no_page: NoPage = False, port: Port = PORT, host: Host = "127.0.0.1", token: Token = None,
) -> None:  # fmt: skip
    """Run on a simulated camera, with the live page."""
    from stream import config
    from stream.commands import run

    rig = config.read(Path(__file__).with_name("demo.toml"))
    page = None if no_page else PageAddress(port, host, token)
    raise typer.Exit(run.in_terminal(rig, out or _new_folder("demo"), frames, page))


@app.command()
def run(
    rig: Annotated[Path, typer.Argument(help="rig.toml")],
    out: OutDir = None, frames: Frames = None,
    no_page: NoPage = False, port: Port = PORT, host: Host = "127.0.0.1", token: Token = None,
) -> None:  # fmt: skip
    """Run on the source that the rig names."""
    from stream import config
    from stream.commands.run import in_terminal

    settings = config.read(rig)
    if settings.source is None:
        raise InputError(f"{rig} has no [source]", remedy="add one; the README has an example for each")
    page = None if no_page else PageAddress(port, host, token)
    raise typer.Exit(in_terminal(settings, out or _new_folder(rig.stem), frames, page))


@app.command()
def replay(
    stack: Annotated[Path, typer.Argument(help="TIFF, NDTiff, OME-Zarr, .raw with its yaml, .dax, .npy, a spool.")],
    rig: RigFile,
    out: OutDir = None,
    fps: Annotated[str, typer.Option("--fps", help="Frames per second, `recorded`, or `max`.")] = "max",
    frames: Frames = None,
    no_page: NoPage = False, port: Port = PORT, host: Host = "127.0.0.1", token: Token = None,
) -> None:  # fmt: skip
    """Run on a recorded stack."""
    from stream import config
    from stream.commands.run import in_terminal

    if (stack / "spool.json").is_file():
        settings = config.with_source(config.read(rig), "left_frames", {"path": str(stack)})
    else:
        settings = config.with_source(config.read(rig), "replay", {"path": str(stack), "rate": _rate(fps)})
    page = None if no_page else PageAddress(port, host, token)
    raise typer.Exit(in_terminal(settings, out or _new_folder(stack.stem), frames, page))


def _rate(fps: str) -> float | str:
    if fps in ("max", "recorded"):
        return fps
    try:
        return float(fps)
    except ValueError as error:
        raise InputError(
            f"--fps {fps}", limit="a number, `recorded`, or `max`", remedy="for example --fps 50"
        ) from error


@app.command()
def view(
    what: Annotated[str, typer.Argument(help="Folder of a finished run, or the address where one is published.")],
    snapshots: Annotated[str | None, typer.Option(help="Where it answers requests; else one port higher.")] = None,
    certificate: Annotated[Path | None, typer.Option(help="CURVE certificate that it is published with.")] = None,
    port: Port = PORT, host: Host = "127.0.0.1", token: Token = None,
) -> None:  # fmt: skip
    """Show the live page of a finished run, or of one on another computer."""
    from stream.commands.view import view_address, view_folder

    page = PageAddress(port, host, token)
    is_address = "://" in what
    raise typer.Exit(view_address(what, snapshots, certificate, page) if is_address else view_folder(Path(what), page))


@app.command()
def simulate(
    out: Annotated[Path | None, typer.Option("--out", help="Write a BigTIFF stack.")] = None,
    serve: Annotated[str | None, typer.Option("--serve", help="Send frames to this ZeroMQ address.")] = None,
    truth: Annotated[Path | None, typer.Option("--truth", help="Write the true emitters as CSV.")] = None,
    frames: Annotated[int, typer.Option("--frames", min=1)] = 1000,
    rig: Annotated[Path | None, typer.Option("--rig", help="Camera, optics and source; else the demo's.")] = None,
) -> None:  # fmt: skip
    """Make frames with known truth, into a file or over ZeroMQ."""
    from stream import config
    from stream.commands import simulate as simulation

    settings = config.read(rig or Path(__file__).with_name("demo.toml"))
    if (out is None) == (serve is None):
        raise InputError("simulate needs exactly one of --out and --serve", remedy="for example --out stack.tif")
    raise typer.Exit(simulation.simulate(settings, out, serve, truth, frames))


@app.command()
def check(rig: Annotated[Path, typer.Argument(help="rig.toml")], as_json: Json = False) -> None:
    """Open source, model and engine, measure the rate against the camera's; nothing is written."""
    from stream import config
    from stream.commands.check import check_in_terminal

    raise typer.Exit(check_in_terminal(config.read(rig), as_json))


@app.command()
def fields() -> None:
    """Print every field of rig.toml with its default and its meaning."""
    from stream.commands.fields import all_fields

    typer.echo(all_fields())


@app.command()
def score(
    locs: Annotated[Path, typer.Argument(help="Localizations: Picasso HDF5, ThunderSTORM CSV, Parquet, …")],
    truth: Annotated[Path, typer.Argument(help="The truth, in any of the same formats.")],
    tolerance_nm: Annotated[float, typer.Option(min=0.001, help="Largest lateral distance of a pair.")] = 250.0,
    isolated_nm: Annotated[float, typer.Option(help="Also score emitters with no other within this distance.")] = 0.0,
    min_photons: Annotated[float, typer.Option(help="Leave out dimmer emitters.")] = 0.0,
    border_nm: Annotated[float, typer.Option(help="Leave out the edge of the field; needs --field-nm.")] = 0.0,
    field_nm: Annotated[tuple[float, float], typer.Option(help="Width and height of the field.")] = (nan, nan),
    truth_offset_nm: Annotated[tuple[float, float], typer.Option(help="Added to x and y of the truth.")] = (0.0, 0.0),
    pixel_size_nm: Annotated[float | None, typer.Option(help="For lists in pixels that do not state it.")] = None,
    as_json: Json = False,
) -> None:
    """Compare localizations with the truth: Jaccard, precision, recall, RMSE, efficiency."""
    from rich.console import Console

    from models.metrics import Rules
    from stream.commands.score import score_dict, score_files, score_table

    rules = Rules(
        tolerance_nm=tolerance_nm,
        isolated_nm=isolated_nm,
        min_photons=min_photons,
        border_nm=border_nm,
        field_nm=field_nm,
    )
    result = score_files(locs, truth, rules, pixel_size_nm=pixel_size_nm, reference_offset_nm=truth_offset_nm)
    if as_json:
        typer.echo(json.dumps(score_dict(result), indent=1))
    else:
        Console().print(score_table(result, rules))


@app.command("calibrate-camera")
def calibrate_camera(
    dark: Annotated[list[Path], typer.Argument(help="Stacks without light; they count as one series.")],
    bright: Annotated[list[Path], typer.Option("--bright", help="A stack in even light; once for each level.")],
    out: Annotated[Path, typer.Option("--out", help="The camera's maps are written there, .npz.")] = Path("maps.npz"),
    base_gain: Annotated[
        float | None, typer.Option("--base-gain", min=1e-6, help="EMCCD: electrons per count at EM gain 1.")
    ] = None,
    bit_depth: Annotated[int, typer.Option("--bit-depth", min=8, max=16)] = 16,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Measure offset, gain and read noise of every pixel (photon transfer)."""
    from stream.commands import calibrate

    raise typer.Exit(calibrate.in_terminal(dark, bright, out, base_gain, bit_depth, as_json))


@app.command()
def models(
    name: Annotated[str | None, typer.Argument(help="Show all that the card of this one says.")] = None,
    as_json: Json = False,
) -> None:
    """List the models that ship and the systems that can be trained: what for, how large, how good."""
    from stream.commands.models import models_in_terminal

    raise typer.Exit(models_in_terminal(name, as_json))


@app.command()
def engines(as_json: Json = False) -> None:
    """Try the engines: each one that is listed as usable has computed here."""
    from dataclasses import asdict

    from stream.commands.console import show_engines
    from stream.engines.probe import probe

    found = probe()
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], indent=1))
    else:
        show_engines(found)


@app.command()
def evaluate(
    models: Annotated[list[str], typer.Argument(help="Models that ship, or .onnx files; all for the same data.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder for evaluation.json and evaluation.png.")] = None,
    frames: Annotated[int, typer.Option("--frames", min=3, help="For each density and brightness.")] = 60,
    emitters: Annotated[int, typer.Option("--emitters", min=50, help="Single ones, for each brightness.")] = 1000,
    as_json: Json = False,
) -> None:
    """Judge models on simulated scenes: against the Cramér-Rao bound and against maximum likelihood."""
    from models.evaluation.report import Effort
    from stream.commands.evaluate_any import evaluate_in_terminal

    raise typer.Exit(evaluate_in_terminal(models, Effort(frames, emitters), out, as_json))


@app.command()
def retrieve(
    stacks: Annotated[list[Path], typer.Argument(help="Stacks of beads, one slice a frame.")],
    rig: RigFile,
    out: Annotated[Path, typer.Option("--out", help="Folder for spots, coefficients and picture; must be new.")],
    height_nm: Annotated[
        float | None,
        typer.Option("--height-nm", min=0, help="Spots for molecules around this height, not for the stage's z."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Leave slices out of the fit and foretell them; takes some fits more.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Find the aberrations of the microscope from beads."""
    from stream import config
    from stream.commands.retrieve import in_terminal

    raise typer.Exit(in_terminal(stacks, config.read(rig), out, height_nm, as_json, check))


@app.command()
def train(
    system: Annotated[str, typer.Argument(help=f"Which network: {', '.join(SYSTEMS)}.")] = "default",
    psf: Annotated[
        str,
        typer.Option("--psf", help="2d, astigmatic, double-helix, tetrapod, or a file; not of moeckl-phase."),
    ] = "",
    size: Annotated[Literal["fast", "accurate"], typer.Option("--size")] = "fast",
    sample_space: Annotated[Path | None, typer.Option("--sample-space", help="TOML: optics and ranges.")] = None,
    steps: Annotated[int | None, typer.Option("--steps", min=1)] = None,
    seed: Annotated[int, typer.Option("--seed")] = 1,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for checkpoint and curves.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in --out.")] = False,
    start: Annotated[
        Path | None, typer.Option("--from", help="Start from the weights of this training, or of this model.")
    ] = None,
    from_beads: Annotated[
        list[Path] | None,
        typer.Option("--from-beads", help="For one's own microscope: a stack of beads; once for each. Needs --rig."),
    ] = None,
    rig: Annotated[Path | None, typer.Option("--rig", help="With --from-beads: camera, optics, beads.")] = None,
    minutes: Annotated[
        float | None, typer.Option("--minutes", min=0.01, help="With --from-beads: of the training; 16 if not given.")
    ] = None,
    accept_pupil: Annotated[
        bool, typer.Option("--accept-pupil", help="With --from-beads: even if the pupil does not explain the beads.")
    ] = False,
) -> None:
    """Train a network on simulated frames (needs the extra `train`)."""
    if from_beads:
        from stream import config
        from stream.commands.own_microscope import in_terminal
        from stream.own.plan import Plan

        settings = config.read(_rig_alone(rig, {"--psf": psf, "--steps": steps, "--from": start}))
        where = out or Path("runs") / f"own-{size}"
        plan = Plan(tuple(from_beads), settings, where, minutes, size, sample_space, accept_pupil)
        raise typer.Exit(in_terminal(plan, resume))
    if rig or minutes or accept_pupil:
        raise InputError("--rig, --minutes and --accept-pupil go with --from-beads", remedy="name a stack of beads")
    from stream.commands.training import recipe_of, train_in_terminal

    recipe = recipe_of(system, psf, size, seed, steps, str(sample_space or ""), str(start or ""))
    folder = out or Path("runs") / f"{recipe.spot_name or system}-{size}"
    raise typer.Exit(train_in_terminal(recipe, folder, resume))


def _rig_alone(rig: Path | None, others: dict[str, object]) -> Path:
    """Return the rig of `--from-beads`, which says all; raises InputError if it is missing or not alone."""
    given = [name for name, value in others.items() if value]
    if given:
        raise InputError(
            f"--from-beads with {', '.join(given)}",
            limit="beads say the spot, --minutes the steps",
            remedy="leave it out",
        )
    if rig is None:
        raise InputError("--from-beads without --rig", remedy="name the rig.toml with [camera], [optics] and [beads]")
    return rig


@app.command()
def guard(
    model: Annotated[str, typer.Argument(help="Name or path of a localizer.")],
    rig: Annotated[Path | None, typer.Option("--rig", help="Its optics are those of the model's spots.")] = None,
    pupil: Annotated[Path | None, typer.Option("--pupil", help="pupil.json of the beads that they are from.")] = None,
    molecules: Annotated[int, typer.Option("--molecules", min=5000, help="Matched ones to learn from.")] = 24_000,
) -> None:
    """Teach the guard what a model's data look like, by simulation (needs the extra `train`)."""
    from stream import config
    from stream.commands.guard import in_terminal

    raise typer.Exit(in_terminal(model, config.read(rig) if rig else None, pupil, molecules))


@app.command()
def export(
    model: Annotated[str, typer.Argument(help="Folder of a training; or name or path of a localizer.")],
    out: Annotated[Path, typer.Option("--out", help="The .onnx file to write.")],
    precision: Annotated[
        Literal["fp32", "fp16", "int8"], typer.Option("--precision", help="Of a localizer's convolutions.")
    ] = "fp32",
    to: Annotated[
        Literal["onnx", "tensorrt"],
        typer.Option("--to", help="tensorrt: a graph of known shapes, which CUDA graphs need too."),
    ] = "onnx",
) -> None:
    """Turn a training, or a model, into one self-contained .onnx file (needs the extra `train`)."""
    from stream.commands.training import export_in_terminal

    raise typer.Exit(export_in_terminal(model, out, precision, to))


@app.command()
def slm(
    mask: Annotated[str, typer.Argument(help="A .mask.npz beside a model; or a mask by name or file.")],
    rig: RigFile,
    out: Annotated[Path | None, typer.Option("--out", help="The image to write: .png or .tif.")] = None,
    wavelength_nm: Annotated[
        float | None, typer.Option("--wavelength-nm", min=200, max=2000, help="That the phases are for.")
    ] = None,
    wrap: Annotated[bool, typer.Option("--wrap", help="Phases modulo 2 pi: for one colour.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Show it on Micro-Manager's SLM.")] = False,
) -> None:
    """Turn a mask into the image of a spatial light modulator, by section slm of the rig."""
    from stream import config
    from stream.commands.slm import in_terminal

    raise typer.Exit(in_terminal(mask, config.read(rig), out, wavelength_nm, wrap, show))


def main() -> None:
    """Run the command; errors become a message and an exit code."""
    from stream.commands.console import show_error

    try:
        app()
    except LiveSMLMError as error:
        show_error(error)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
