"""The command line: parsing and printing only."""

from __future__ import annotations

import json
import re
import sys
import time
import traceback
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from frame2sound import __version__
from frame2sound.errors import Frame2SoundError, SoundtrackError
from frame2sound.progress import Progress

SETTINGS = {"help_option_names": ["-h", "--help"]}


class _Commands(TyperGroup):
    """Ends with 0 done, 1 failed (one line), 2 wrong usage, 130 interrupted."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Frame2SoundError as error:
            if (ctx.find_root().obj or {}).get("verbose"):
                traceback.print_exc()
            _complain(str(error))
            raise typer.Exit(1) from error
        except KeyboardInterrupt as error:
            _complain("interrupted; what was done is kept")
            raise typer.Exit(130) from error


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=SETTINGS,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"frame2sound {__version__}")
        raise typer.Exit


def _be_verbose(ctx: typer.Context, wanted: bool) -> None:
    if wanted:
        ctx.ensure_object(dict)["verbose"] = True
        ctx.find_root().obj = {"verbose": True}


Verbose = Annotated[
    bool, typer.Option("-v", "--verbose", callback=_be_verbose, help="Show tracebacks of errors.")
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of all that is drawn by chance.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Overwrite = Annotated[bool, typer.Option(help="Replace an output that exists.")]
VideoStream = Annotated[int | None, typer.Option(min=0, help="Which picture, from 0.")]
AudioStream = Annotated[int | None, typer.Option(min=0, help="Which sound, from 0.")]
AllowDamaged = Annotated[bool, typer.Option(help="Use what decodes of a damaged film.")]


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Learn what films sound like; play that sound to pictures never seen."""


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for all that it makes.")] = Path("demo"),
    film: Annotated[str, typer.Option(help="Which demo film; see `frame2sound films`.")] = "typing",
    seed: Seed = 0,
    verbose: Verbose = False,
) -> None:
    """Go the whole way in about a minute, on a film that it draws."""
    from frame2sound.studio import run_demo

    with Progress() as progress:
        run_demo(out, film, seed, typer.echo, progress.show)


@app.command()
def films(
    name: Annotated[str | None, typer.Argument(help="Which film; without it, their names.")] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Film to write.")] = None,
    seconds: Annotated[float, typer.Option(min=0.05, max=86400, help="How long.")] = 20.0,
    fps: Annotated[str, typer.Option(help='Frames a second, such as 24 or "30000/1001".')] = "30",
    size: Annotated[str, typer.Option(help="Width and height in pixels.")] = "480x360",
    silent: Annotated[bool, typer.Option("--silent", help="An animation, without sound.")] = False,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    verbose: Verbose = False,
) -> None:
    """Draw a demo film, with its truth as JSON beside it."""
    from frame2sound.film.demo import film_names, scene_named
    from frame2sound.film.writer import truth_path, write_scene

    if name is None:
        typer.echo("\n".join(film_names()))
        return
    path = out or Path(f"{name}.mp4")
    scene = scene_named(
        name,
        seconds=seconds,
        fps=_fps(fps),
        seed=seed,
        size=_size(size),
    )
    with Progress() as progress:
        write_scene(
            scene,
            path,
            sounding=not silent,
            overwrite=overwrite,
            progress=lambda frames: progress.show(path.name, frames, scene.frames),
        )
    typer.echo(f"{path}  {scene.frames} frames  truth in {truth_path(path)}")


@app.command()
def pickle(
    films: Annotated[list[Path], typer.Argument(help="Films with sound, to learn from.")],
    library: Annotated[Path, typer.Option(help="Folder of pickled films; made if need be.")],
    sample_rate: Annotated[
        int | None, typer.Option(min=1000, max=192_000, help="Of the library, in Hz.")
    ] = None,
    calibration: Annotated[
        bool, typer.Option(help="Add 30 s of black and of white screen with silence.")
    ] = True,
    jobs: Annotated[int | None, typer.Option(min=1, help="Films at a time.")] = None,
    video_stream: VideoStream = None,
    audio_stream: AudioStream = None,
    allow_damaged: AllowDamaged = False,
    export_npz: Annotated[
        Path | None, typer.Option(help="Folder for plain arrays, one .npz a film.")
    ] = None,
    export_sound: Annotated[str, typer.Option(help="Sound in the .npz: pcm or stft.")] = "pcm",
    export_fps: Annotated[str, typer.Option(help="Frames a second in the .npz.")] = "30",
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Films to a library: their frames, times and sound."""
    from frame2sound.clock import Clock
    from frame2sound.film.streams import stated_seconds
    from frame2sound.library.calibration import calibrate
    from frame2sound.library.crew import pickle_films
    from frame2sound.library.export import export_npz as export
    from frame2sound.library.pickler import Choice
    from frame2sound.library.store import Library

    if export_sound not in ("pcm", "stft"):
        raise typer.BadParameter(f"got {export_sound!r}, expected pcm or stft")
    shelf = Library.create(library, sample_rate)
    clock = Clock(_fps(export_fps), shelf.sample_rate)
    if calibration:
        calibrate(shelf)
    begun: dict[Path, float] = {}
    lengths = {film: stated_seconds(film) for film in films}
    choice = Choice(video_stream, audio_stream, allow_damaged)
    results, failures = [], []
    with Progress() as progress:

        def report(film: Path, seconds: float, frames: int) -> None:
            spent = time.monotonic() - begun.setdefault(film, time.monotonic())
            note = f"{frames / spent:.0f} frames/s" if spent > 0.5 else ""
            progress.show(film.name, seconds, lengths[film], note)

        for outcome in pickle_films(films, shelf, choice, jobs, report):
            if outcome.film is None:
                failures.append(outcome)
                continue
            pickled = outcome.film
            results.append(
                {
                    "film": str(outcome.source),
                    "folder": str(pickled.path),
                    "new": outcome.new,
                    "frames": pickled.card.frames,
                    "seconds": pickled.seconds,
                    "notes": list(pickled.card.notes),
                }
            )
            if not as_json:
                state = "pickled" if outcome.new else "already there"
                typer.echo(
                    f"{outcome.source.name}  {state}  {pickled.seconds:.2f} s  "
                    f"{pickled.card.frames} frames"
                )
                for note in pickled.card.notes:
                    typer.echo(f"  note: {note}")
            if export_npz is not None:
                path = export_npz / f"{pickled.name}.npz"
                shape = export(pickled, clock, path, export_sound)  # type: ignore[arg-type]
                if not as_json:
                    typer.echo(f"  {path}  {shape[0]} x {shape[1]}")
    if as_json:
        errors = [{"film": str(each.source), "error": each.error} for each in failures]
        _print_json({"library": str(library), "films": results, "errors": errors})
    if failures:
        raise Frame2SoundError(
            "\n".join(
                [f"{len(failures)} of {len(films)} films were not pickled, the others are kept:"]
                + [f"  {each.error}" for each in failures]
            )
        )


@app.command()
def train(
    library: Annotated[Path, typer.Argument(help="Folder of pickled films.")],
    recipe: Annotated[str, typer.Option(help="Name of a recipe, or a .toml file.")] = "deep",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change the recipe: training.epochs=5, preset=hindle."),
    ] = None,
    out: Annotated[Path, typer.Option("-o", "--out", help="Brain to write.")] = Path(
        "brain.safetensors"
    ),
    seed: Seed = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Go on where it was stopped.")] = False,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Train a brain on a library."""
    from frame2sound.brain.recipe import load_recipe
    from frame2sound.library.store import Library
    from frame2sound.training.checkpoint import refuse_losing
    from frame2sound.training.loop import Report
    from frame2sound.training.loop import train as fit

    made = load_recipe(recipe, settings)
    refuse_losing(out, resume=resume, overwrite=overwrite)
    with Progress() as progress:

        def report(now: Report) -> None:
            held = "" if now.held_out is None else f"  held out {now.held_out:.3f}"
            note = f"epoch {now.epoch}  loss {now.loss:.3f}{held}"
            progress.show(f"training {made.name}", now.step, now.steps, note)

        brain = fit(
            Library.open(library), made, out, seed=seed, device=device, resume=resume, report=report
        )
    if as_json:
        _print_json({"brain": str(out), "parameters": brain.parameters, **brain.provenance})
        return
    typer.echo(f"{out}  {brain.parameters} parameters")
    for line in _card(brain.provenance):
        typer.echo(f"  {line}")


@app.command()
def render(
    animations: Annotated[list[Path], typer.Argument(help="Films to be given sound.")],
    brain: Annotated[Path, typer.Option(help="A trained brain.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Film to write, or a folder for several.")
    ] = None,
    mode: Annotated[str, typer.Option(help="overlap-add or granular.")] = "overlap-add",
    window: Annotated[str, typer.Option(help="hann, or none for the hard cut.")] = "hann",
    overlap: Annotated[
        float | None, typer.Option(help="Seconds over which blocks cross.")
    ] = None,
    grains: Annotated[str, typer.Option(help="on-time, or hindle for his schedule.")] = "on-time",
    wav: Annotated[bool, typer.Option("--wav", help="Write the sound alone.")] = False,
    codec: Annotated[
        str | None, typer.Option(help="aac, alac, flac, opus or pcm; else the container's usual.")
    ] = None,
    gain: Annotated[str, typer.Option(help="Level of the soundtrack, such as -6dB.")] = "0dB",
    keep_original: Annotated[
        str | None, typer.Option(help="Keep the film's own sound, at a level such as -60dB.")
    ] = None,
    video_stream: VideoStream = None,
    allow_damaged: AllowDamaged = False,
    seed: Seed = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Give animations the soundtrack that a brain hears in them."""
    from frame2sound.brain.file import load_brain
    from frame2sound.film.reader import FilmReader
    from frame2sound.film.streams import stated_seconds
    from frame2sound.rendering.render import Delivery, Style, default_output
    from frame2sound.rendering.render import render as sound
    from frame2sound.training.optimiser import pick_device

    style = Style(
        mode=_choice("--mode", mode, ("overlap-add", "granular")),
        window=_choice("--window", window, ("hann", "none")),
        overlap_seconds=overlap,
        grains=_choice("--grains", grains, ("on-time", "hindle")),
        seed=seed,
    )
    delivery = Delivery(
        codec=None
        if codec is None
        else _choice("--codec", codec, ("aac", "alac", "flac", "opus", "pcm")),
        wav=wav,
        gain_db=_decibels("--gain", gain),
        keep_original_db=None
        if keep_original is None
        else _decibels("--keep-original", keep_original),
        overwrite=overwrite,
    )
    player = load_brain(brain, str(pick_device(device)))
    single = len(animations) == 1 and out is not None and not out.is_dir() and out.suffix
    results: list[dict[str, Any]] = []
    failures: list[str] = []
    with Progress() as progress:
        for animation in animations:
            target = out if single else default_output(animation, out or Path(), wav)
            assert target is not None
            length = stated_seconds(animation)
            try:
                made = sound(
                    FilmReader(
                        animation, video_stream=video_stream, allow_damaged=allow_damaged
                    ),
                    player,
                    target,
                    style,
                    delivery,
                    lambda done, name=animation.name, total=length: progress.show(  # type: ignore[misc]
                        name, done, total
                    ),
                )
            except Frame2SoundError as error:
                if len(animations) == 1:
                    raise
                failures.append(str(error))
                continue
            results.append(
                {
                    "animation": str(animation),
                    "soundtrack": str(made.path),
                    "seconds": made.seconds,
                    "sample_rate": made.sample_rate,
                    "true_peak_db": round(made.peak_db, 2),
                    "notes": list(made.notes),
                }
            )
            if not as_json:
                typer.echo(f"{made.path}  {made.seconds:.3f} s  {made.sample_rate} Hz")
                for note in made.notes:
                    typer.echo(f"  note: {note}")
    if as_json:
        _print_json({"soundtracks": results, "errors": failures})
    if failures:
        raise SoundtrackError(
            "\n".join([f"{len(failures)} of {len(animations)} were not given sound:", *failures])
        )


@app.command()
def brains(
    trained: Annotated[
        list[Path] | None, typer.Argument(help="Trained brains whose cards to show.")
    ] = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Show the recipes, or the cards of trained brains."""
    from frame2sound.brain.file import load_brain
    from frame2sound.brain.recipe import load_recipe, recipe_names, recipe_table

    if not trained:
        recipes = [load_recipe(name) for name in recipe_names()]
        if as_json:
            _print_json([recipe_table(each) for each in recipes])
            return
        for each in recipes:
            layers = "-".join(str(width) for width in each.network.hidden)
            typer.echo(f"{each.name:24} 4096-{layers}-sound  {each.about}")
        return
    cards = []
    for path in trained:
        brain = load_brain(path)
        cards.append(
            {
                "brain": str(path),
                "parameters": brain.parameters,
                "recipe": recipe_table(brain.recipe),
                "provenance": brain.provenance,
            }
        )
        if not as_json:
            typer.echo(f"{path}  {brain.recipe.name}  {brain.parameters} parameters")
            for line in _card(brain.provenance):
                typer.echo(f"  {line}")
    if as_json:
        _print_json(cards)


def main() -> None:
    """Run the command line."""
    app()


def _complain(text: str) -> None:
    typer.echo(f"frame2sound: {text}", err=True)


def _print_json(value: Any) -> None:
    json.dump(value, sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")


def _card(provenance: dict[str, Any]) -> list[str]:
    """Return what a person wants to know of where a brain comes from; silence scores 1."""
    held, mean = provenance["held_out_loss"], provenance["held_out_loss_of_mean"]
    best = max(provenance["best_epoch"] - 1, 0)
    lines = [
        f"learned {provenance['pairs']['learned']} pairs of {len(provenance['films'])} films "
        f"in {provenance['seconds']:.0f} s, {provenance['epochs']} epochs",
    ]
    if held and held[best] is not None:
        lines.append(
            f"held-out loss {held[best]:.3f} (silence 1.000, the mean sound {mean:.3f}), "
            f"{provenance['pairs']['held_out']} pairs"
        )
    return lines


def _choice(option: str, value: str, allowed: tuple[str, ...]) -> Any:
    if value not in allowed:
        raise typer.BadParameter(f"got {value!r}, expected {' or '.join(allowed)}", param_hint=option)
    return value


def _decibels(option: str, text: str) -> float:
    match = re.fullmatch(r"([+-]?\d+(\.\d+)?)\s*(dB)?", text.strip(), re.IGNORECASE)
    if match is None or not -200 <= float(match[1]) <= 60:
        raise typer.BadParameter(
            f"got {text!r}, expected a level such as -12dB, from -200dB to 60dB", param_hint=option
        )
    return float(match[1])


def _fps(text: str) -> Fraction:
    try:
        fps = Fraction(text)
    except (ValueError, ZeroDivisionError):
        fps = Fraction(0)
    if not 0 < fps <= 1000:
        raise typer.BadParameter(f'got {text!r}, expected frames a second such as 24 or "30000/1001"')
    return fps


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if match is None or not all(16 <= int(side) <= 8192 for side in match.groups()):
        raise typer.BadParameter(f"got {text!r}, expected WIDTHxHEIGHT from 16 to 8192, as 480x360")
    return int(match[1]), int(match[2])
