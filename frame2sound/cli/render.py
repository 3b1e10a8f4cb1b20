"""``frame2sound render``: an animation and a brain to a soundtrack."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from frame2sound.cli.app import app
from frame2sound.cli.cards import print_json
from frame2sound.cli.options import (
    AllowDamaged,
    AsJson,
    Device,
    Overwrite,
    Seed,
    Verbose,
    VideoStream,
    decibels,
)
from frame2sound.cli.progress import Progress
from frame2sound.errors import Frame2SoundError, SoundtrackError

if TYPE_CHECKING:
    from frame2sound.rendering.render import Rendered


@app.command()
def render(
    animations: Annotated[list[Path], typer.Argument(help="Films to be given sound.")],
    brain: Annotated[Path, typer.Option(help="A trained brain.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Film to write, or a folder for several.")
    ] = None,
    mode: Annotated[
        Literal["overlap-add", "granular"], typer.Option(help="How frames become one sound.")
    ] = "overlap-add",
    window: Annotated[
        Literal["hann", "none"], typer.Option(help="How frames join; none is the hard cut.")
    ] = "hann",
    overlap: Annotated[
        float | None, typer.Option(help="Seconds over which they cross; else the brain's own.")
    ] = None,
    grains: Annotated[
        Literal["on-time", "hindle"], typer.Option(help="When grains sound; hindle is late.")
    ] = "on-time",
    wav: Annotated[bool, typer.Option("--wav", help="Write the sound alone.")] = False,
    codec: Annotated[
        Literal["aac", "alac", "flac", "opus", "pcm"] | None,
        typer.Option(help="How the sound is stored; else as is usual for the container."),
    ] = None,
    gain: Annotated[str, typer.Option(help="Level of the soundtrack, such as -6dB.")] = "0dB",
    keep_original: Annotated[
        str | None, typer.Option(help="Keep the film's own sound, at a level such as -60dB.")
    ] = None,
    video_stream: VideoStream = None,
    allow_damaged: AllowDamaged = False,
    seed: Seed = 0,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Give animations the soundtrack that a brain hears in them."""
    from frame2sound.brain.file import load_brain
    from frame2sound.film.reader import FilmReader
    from frame2sound.film.streams import stated_seconds
    from frame2sound.rendering import render as rendering
    from frame2sound.training.optimiser import pick_device

    style = rendering.Style(mode, window, overlap, grains, seed)
    kept = None if keep_original is None else decibels(keep_original)
    delivery = rendering.Delivery(codec, wav, decibels(gain), kept, overwrite)
    player = load_brain(brain, pick_device(device))
    targets = _targets(animations, out, wav)
    sources = [path for path in [brain, *animations] if path.exists()]
    for target in targets.values():
        if target.exists() and any(target.samefile(source) for source in sources):
            raise SoundtrackError(f"{target} is read by this command; choose another name")
    rows: list[dict[str, Any]] = []
    errors: list[str] = []
    with Progress() as progress:
        for animation, target in targets.items():
            total = stated_seconds(animation)

            def report(
                done: float, name: str = animation.name, total: float | None = total
            ) -> None:
                progress.show(name, done, total)

            try:
                film = FilmReader(animation, video_stream=video_stream, allow_damaged=allow_damaged)
                made = rendering.render(film, player, target, style, delivery, report)
            except Frame2SoundError as error:
                if len(animations) == 1:
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
        raise SoundtrackError("\n".join([count, *(f"  {error}" for error in errors)]))


def _targets(animations: list[Path], out: Path | None, wav: bool) -> dict[Path, Path]:
    from frame2sound.rendering.render import default_output

    if out is not None and out.suffix and not out.is_dir():
        if len(animations) > 1:
            raise typer.BadParameter(f"got one file {out} for {len(animations)}, expected a folder")
        return {animations[0]: out}
    targets = {each: default_output(each, out or Path(), wav) for each in animations}
    if len(set(targets.values())) < len(targets):
        raise typer.BadParameter(
            "two animations would be written under one name; render them apart"
        )
    return targets


def _tell(made: Rendered) -> None:
    typer.echo(f"{made.path}  {made.seconds:.3f} s  {made.sample_rate} Hz")
    for note in made.notes:
        typer.echo(f"  note: {note}")


def _row(made: Rendered) -> dict[str, Any]:
    return {
        "soundtrack": str(made.path),
        "seconds": made.seconds,
        "sample_rate": made.sample_rate,
        "true_peak_db": round(made.peak_db, 2),
        "notes": list(made.notes),
    }
