"""``frame2sound render``: an animation and a brain to a soundtrack."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from frame2sound.brain.pretrained import DEFAULT_BRAIN, find_brain
from frame2sound.cli.app import app
from frame2sound.cli.cards import print_json
from frame2sound.cli.options import (
    AllowDamaged,
    AsJson,
    Device,
    Ground,
    Hardware,
    MostHours,
    MostMegapixels,
    Overwrite,
    PicturesFps,
    Seed,
    Verbose,
    VideoStream,
    decibels,
    frames_a_second,
    grey_level,
    lufs,
    tones,
)
from frame2sound.cli.progress import Progress
from frame2sound.cli.terminal import say
from frame2sound.errors import BatchError, Frame2SoundError, SoundtrackError
from frame2sound.film.limits import DEFAULT_LIMITS, Limits
from frame2sound.rendering.modes import DEFAULT_MODE, Mode

if TYPE_CHECKING:
    from frame2sound.brain.brain import Brain
    from frame2sound.brain.corpus import Corpus
    from frame2sound.rendering.effects import EffectChain
    from frame2sound.rendering.render import RenderResult


@app.command()
def render(
    animations: Annotated[list[Path], typer.Argument(help="Films to be given sound.")],
    brain: Annotated[
        Path, typer.Option(help="A trained brain: a file, or the name of one that ships.")
    ] = Path(DEFAULT_BRAIN),
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Film to write, or a folder for several.")
    ] = None,
    mode: Annotated[
        Mode | None,
        typer.Option(
            help="How frames become one sound.",
            show_default="as the other options ask; else mosaic if the brain has its films' "
            "sound with it, and overlap-add if not",
        ),
    ] = None,
    window: Annotated[
        Literal["hann", "none"], typer.Option(help="How frames join; none is the hard cut.")
    ] = "hann",
    overlap: Annotated[
        float | None, typer.Option(help="Seconds over which they cross; else the brain's own.")
    ] = None,
    phase: Annotated[
        str | None,
        typer.Option(
            help="For brains that predict spectra: running, random, zero, griffin-lim, pghi, "
            "stolen, hindle-1 to hindle-12.",
            show_default="running",
        ),
    ] = None,
    phase_from: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Sound or film to steal the phase from.")
    ] = None,
    scale: Annotated[
        str | None,
        typer.Option(help='Tune spectra: "D minor", "dorian on Eb", "12-tet", "just 1/1 5/4 3/2".'),
    ] = None,
    grains: Annotated[
        Literal["on-time", "hindle"], typer.Option(help="When grains sound; hindle is late.")
    ] = "on-time",
    cloud: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE", help="Of grains: density=300, pitch=-12..12@brightness; repeat."
        ),
    ] = None,
    mosaic: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Of a mosaic: literal, variety, no-repeat, follow-loudness; repeat.",
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="FILM", help="Make a mosaic of this film alone; repeat for several."),
    ] = None,
    corpus: Annotated[
        Path | None, typer.Option(metavar="LIBRARY", help="Make a mosaic of other films.")
    ] = None,
    stereo: Annotated[
        bool, typer.Option("--stereo", help="Place the sound where the light is.")
    ] = False,
    effects: Annotated[
        str | None, typer.Option(help='In a row: "reverb room=0.4 wet=0.3, delay seconds=0.25".')
    ] = None,
    effects_file: Annotated[
        Path | None, typer.Option(metavar="TOML", help="The same, from a file.")
    ] = None,
    gain: Annotated[str, typer.Option(help="Level of the soundtrack, such as -6dB.")] = "0dB",
    keep_original: Annotated[
        str | None, typer.Option(help="Keep the film's own sound, at a level such as -60dB.")
    ] = None,
    loudness: Annotated[
        str | None, typer.Option(metavar="LUFS", help="How loud in all: -23 for broadcasting.")
    ] = None,
    fade_in: Annotated[float, typer.Option(metavar="SECONDS", help="From silence.")] = 0.0,
    fade_out: Annotated[float, typer.Option(metavar="SECONDS", help="To silence.")] = 0.0,
    wav: Annotated[bool, typer.Option("--wav", help="Write the sound alone.")] = False,
    codec: Annotated[
        Literal["aac", "alac", "flac", "opus", "pcm"] | None,
        typer.Option(help="How the sound is stored; else as is usual for the container."),
    ] = None,
    video_stream: VideoStream = None,
    allow_damaged: AllowDamaged = False,
    most_megapixels: MostMegapixels = DEFAULT_LIMITS.max_megapixels,
    most_hours: MostHours = DEFAULT_LIMITS.max_hours,
    hardware: Hardware = None,
    fps: PicturesFps = None,
    ground: Ground = "black",
    seed: Seed = 0,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Give animations the soundtrack that a brain hears in them."""
    from frame2sound.brain.brain_file import load_brain
    from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
    from frame2sound.rendering import render as rendering
    from frame2sound.rendering.granular.cloud import parse_cloud
    from frame2sound.rendering.mosaic.mosaic_settings import parse_mosaic
    from frame2sound.training.optimiser import pick_device

    if corpus is not None and mode not in (None, "mosaic"):
        raise SoundtrackError(
            f"--corpus does nothing in mode {mode}; leave it out or use --mode mosaic"
        )
    asked: dict[Mode, bool] = {
        "granular": bool(cloud) or grains != "on-time",
        "mosaic": bool(mosaic or only or corpus),
        "overlap-add": window != "hann" or any((overlap, phase, phase_from, scale)),
    }
    styled = partial(
        rendering.Style,
        window=window,
        overlap_seconds=overlap,
        grains=grains,
        seed=seed,
        phase=phase or ("running" if phase_from is None else "stolen"),
        phase_sound=phase_from,
        cloud=parse_cloud(cloud or ()),
        mosaic=parse_mosaic(mosaic or (), only or ()),
        scale=None if scale is None else tones(scale),
        stereo="place" if stereo else "no",
    )
    delivery = rendering.Delivery(
        codec=codec,
        wav=wav,
        gain_db=decibels(gain),
        keep_original_db=None if keep_original is None else decibels(keep_original),
        overwrite=overwrite,
        loudness_lufs=None if loudness is None else lufs(loudness),
        fade_in_seconds=fade_in,
        fade_out_seconds=fade_out,
        effects=_chain(effects, effects_file),
    )
    brain = find_brain(brain)
    player = load_brain(brain, pick_device(device))
    style = styled(mode=mode or _mode(asked, has_corpus=player.corpus is not None))
    sound = player.corpus if corpus is None else _of_library(corpus, player)
    level = grey_level(ground)
    targets = _targets(animations, out, wav)
    read = [brain, *animations, *filter(None, [phase_from, effects_file])]
    _refuse_writing_onto(read, targets.values())

    def give(animation: Path, target: Path, progress: Progress) -> RenderResult:
        film = SubprocessFilmReader(
            animation,
            video_stream=video_stream,
            allow_damaged=allow_damaged,
            limits=Limits(most_megapixels, most_hours),
            hardware=hardware,
            fps=None if fps is None else frames_a_second(fps),
            background=level,
        )
        return rendering.render(film, player, target, style, delivery, progress.show, corpus=sound)

    _give_all(targets, give, as_json)


def _mode(asked: dict[Mode, bool], *, has_corpus: bool) -> Mode:
    """Return the first mode that an option asks for; else the one that sounds best."""
    best: Mode = "mosaic" if has_corpus else DEFAULT_MODE
    return next((mode for mode, wanted in asked.items() if wanted), best)


def _give_all(
    targets: dict[Path, Path],
    give: Callable[[Path, Path, Progress], RenderResult],
    as_json: bool,
) -> None:
    """Give sound to one animation after another; a bad one stops no other."""
    rows: list[dict[str, Any]] = []
    errors: list[str] = []
    with Progress() as progress:
        for animation, target in targets.items():
            try:
                made = give(animation, target, progress)
            except Frame2SoundError as error:
                if len(targets) == 1:
                    raise
                errors.append(str(error))
                continue
            rows.append({"animation": str(animation), **_row(made)})
            if not as_json:
                _tell(made)
    if as_json:
        print_json({"soundtracks": rows, "errors": errors})
    if errors:
        count = f"{len(errors)} of {len(targets)} were not given sound, the others are done:"
        raise BatchError(count, *(f"  {error}" for error in errors))


def _chain(text: str | None, path: Path | None) -> EffectChain | None:
    from frame2sound.rendering.effects import load_chain, parse_chain

    if text is not None and path is not None:
        raise SoundtrackError("got --effects and --effects-file, expected one of them")
    if path is not None:
        return load_chain(path)
    return None if text is None else parse_chain(text)


def _of_library(library: Path, brain: Brain) -> Corpus:
    from frame2sound.brain.corpus import Corpus
    from frame2sound.library.store import Library

    return Corpus.from_library(Library.open(library), brain.clock)


def _refuse_writing_onto(read: Iterable[Path], written: Iterable[Path]) -> None:
    sources = [path for path in read if path.exists()]
    for target in written:
        if target.exists() and any(target.samefile(source) for source in sources):
            raise SoundtrackError(f"{target} is read by this command; choose another name")


def _targets(animations: list[Path], out: Path | None, wav: bool) -> dict[Path, Path]:
    from frame2sound.rendering.render import default_output_path

    if out is not None and out.suffix and not out.is_dir():
        if len(animations) > 1:
            raise typer.BadParameter(f"got one file {out} for {len(animations)}, expected a folder")
        return {animations[0]: out}
    targets = {each: default_output_path(each, out or Path(), wav) for each in animations}
    if len(set(targets.values())) < len(targets):
        raise typer.BadParameter(
            "two animations would be written under one name; render them apart"
        )
    return targets


def _tell(made: RenderResult) -> None:
    say(f"{made.path}  {made.seconds:.3f} s  {made.sample_rate} Hz")
    for note in made.notes:
        say(f"  note: {note}")


def _row(made: RenderResult) -> dict[str, Any]:
    return {
        "soundtrack": str(made.path),
        "seconds": made.seconds,
        "sample_rate": made.sample_rate,
        "channels": made.channels,
        "true_peak_db": _finite(made.true_peak_db),
        "loudness_lufs": _finite(made.loudness_lufs),
        "notes": list(made.notes),
    }


def _finite(level: float | None) -> float | None:
    """Return a level for JSON, which knows no infinity: silence has none."""
    return None if level is None or not math.isfinite(level) else round(level, 2)
