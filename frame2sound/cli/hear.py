"""``frame2sound hear``: what is in a sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from frame2sound.cli.app import command, say_lines
from frame2sound.cli.options import EXPORTS, AllowDamaged, AsJson, Overwrite, Verbose, print_json


@command
def hear(
    sounds: Annotated[
        list[str],
        Argument(metavar="SOUND...", help="Sound files, films, folders of them, or one library."),
    ],
    csv: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="Write the features of each frame to this .csv file.",
            rich_help_panel=EXPORTS,
        ),
    ] = None,
    picture: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="Draw spectrum, notes, chroma, level and onsets of one sound into this PNG.",
            rich_help_panel=EXPORTS,
        ),
    ] = None,
    midi: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="Write the notes of a recording of one voice to this .mid file.",
            rich_help_panel=EXPORTS,
        ),
    ] = None,
    scale: Annotated[
        str,
        Option(
            metavar="SCALE",
            help="Move the notes of --midi to these tones, as 'D minor' or '19-tet'; others than "
            "those of 12-tet are written with pitch bends.",
            rich_help_panel=EXPORTS,
        ),
    ] = "12-tet",
    judge: Annotated[
        Path | None,
        Option(metavar="FILE", help="Ask this judge, made by sort, what it is like."),
    ] = None,
    allow_damaged: AllowDamaged = False,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Say what is in sounds, by their features."""
    from frame2sound.api.hearing import hear as listen

    result = listen(
        sounds,
        csv=csv,
        picture=picture,
        midi=midi,
        scale=scale,
        judge=judge,
        allow_damaged=allow_damaged,
        overwrite=overwrite,
        progress=True,
    )
    if as_json:
        print_json(result.to_dict())
    else:
        say_lines(result.lines())
