"""``frame2sound measure``: the quality of a soundtrack, in numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from frame2sound.cli.app import command, say_lines
from frame2sound.cli.options import AsJson, Overwrite, Verbose, print_json
from frame2sound.terminal import say


@command
def measure(
    video: Annotated[Path, Argument(metavar="FILM", help="Measure the soundtrack of this film.")],
    reference: Annotated[
        Path | None, Option(metavar="FILE", help="Compare with the film with its own sound.")
    ] = None,
    truth: Annotated[
        Path | None, Option(metavar="FILE", help="Compare with the JSON written with a demo film.")
    ] = None,
    picture: Annotated[
        Path | None, Option(metavar="FILE", help="Draw frames, waveform, spectrogram into a PNG.")
    ] = None,
    allow_damaged: Annotated[
        bool, Option("--allow-damaged", help="Use what can be decoded of a damaged film.")
    ] = False,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Measure a soundtrack."""
    from frame2sound.api.measuring import measure as run

    result = run(video, reference, truth, picture, allow_damaged=allow_damaged, overwrite=overwrite)
    if as_json:
        print_json(result.to_dict())
        return
    for note in result.notes:
        say(f"{video}: {note}", err=True)
    say_lines(result.lines())
