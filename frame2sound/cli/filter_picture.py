"""``frame2sound filter-picture``: do visual work on pictures that carry a sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from frame2sound.cli.app import command, say_lines
from frame2sound.cli.options import Overwrite, Verbose


@command
def filter_picture(
    picture: Annotated[
        Path,
        Argument(
            metavar="PICTURE",
            help="A picture, a film or a folder of pictures that to-picture wrote.",
        ),
    ],
    out: Annotated[
        Path,
        Option(
            "-o",
            "--out",
            metavar="OUT",
            help="Write a .png, a film (.mkv, or .mp4 with --crf), or a new folder of PNGs.",
        ),
    ],
    blur: Annotated[
        float | None,
        Option(
            metavar="CELLS",
            help="Blur by a Gaussian of this standard deviation: onsets soften, tones become haze.",
        ),
    ] = None,
    morph: Annotated[
        Path | None,
        Option(
            metavar="PICTURE",
            help="Morph towards this picture: what both sound stays, what one sounds fades.",
        ),
    ] = None,
    weight: Annotated[
        float, Option(metavar="SHARE", help="Morph so far, 0 to 1, which is the other picture.")
    ] = 0.5,
    stretch: Annotated[
        float | None,
        Option(
            metavar="FACTOR",
            help="Make the picture so many times as wide: as much slower, at the same pitch.",
        ),
    ] = None,
    transpose: Annotated[
        float | None,
        Option(
            metavar="SEMITONES",
            help="Move tones up in a ratio, or down if negative, at the same speed.",
        ),
    ] = None,
    shift: Annotated[
        int | None,
        Option(
            metavar="ROWS",
            help="Move the cells up by rows: all frequencies by as many Hz, which is no "
            "transposition.",
        ),
    ] = None,
    mirror: Annotated[
        bool, Option("--mirror", help="Mirror left to right: the sound backwards.")
    ] = False,
    crf: Annotated[
        int | None,
        Option(
            metavar="NUMBER",
            help="Encode a film as H.264 of this quality, 0 (best) to 51.",
            show_default="FFV1, which loses nothing",
        ),
    ] = None,
    overwrite: Overwrite = False,
    verbose: Verbose = False,
) -> None:
    """Do visual work on pictures of sound."""
    from frame2sound.api.picture_filters import filter_picture as write

    made = write(
        picture,
        out,
        blur=blur,
        morph=morph,
        weight=weight,
        stretch=stretch,
        transpose=transpose,
        shift=shift,
        mirror=mirror,
        crf=crf,
        overwrite=overwrite,
        progress=True,
    )
    say_lines(made.lines())
