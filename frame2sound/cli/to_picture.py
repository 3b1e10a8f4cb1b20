"""``frame2sound to-picture``: turn a sound into pictures or a film."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from frame2sound.cli.app import command, say_lines
from frame2sound.cli.options import Overwrite, Verbose


@command
def to_picture(
    sound: Annotated[Path, Argument(metavar="SOUND", help="A sound file, or a film with sound.")],
    out: Annotated[
        Path,
        Option(
            "-o",
            "--out",
            metavar="OUT",
            help="Write a .png, a film (.mkv, or .mp4 with --crf), or a new folder of square PNGs.",
        ),
    ],
    carrier: Annotated[
        str,
        Option(
            metavar="NAME",
            help="How a picture carries sound: spectrum (colours), samples (exact, 16 bits), "
            "scroll (a film past which the sound streams), or magnitude (grey, phases guessed).",
        ),
    ] = "spectrum",
    cell: Annotated[
        int,
        Option(
            metavar="PIXELS",
            help="Draw each point of a spectrum with sides of 1, 2 or 4 pixels; 2 and 4 survive "
            "JPEG and H.264.",
        ),
    ] = 1,
    size: Annotated[
        int | None,
        Option(
            metavar="PIXELS",
            help="Draw pages at most so high and wide, 448 to 8192; one .png is as wide as its "
            "sound.",
            show_default="what the spectrum needs",
        ),
    ] = None,
    fps: Annotated[
        str, Option(metavar="FPS", help="Scroll at this frame rate, as 24 or 30000/1001.")
    ] = "25",
    crf: Annotated[
        int | None,
        Option(
            metavar="NUMBER",
            help="Encode a film as H.264 of this quality, 0 (best) to 51.",
            show_default="FFV1, which loses nothing",
        ),
    ] = None,
    through: Annotated[
        str | None,
        Option(
            metavar="COMMAND",
            help='Run this tool, as "COMMAND {in} {out}", keep what it writes as OUT, its sound as '
            "OUT.wav, and say what survives.",
        ),
    ] = None,
    overwrite: Overwrite = False,
    verbose: Verbose = False,
) -> None:
    """Turn sound into pictures for visual tools."""
    from frame2sound.api.carriers import send_through
    from frame2sound.api.carriers import to_picture as write

    shared = {
        "carrier": carrier,
        "cell": cell,
        "size": size,
        "fps": fps,
        "crf": crf,
        "overwrite": overwrite,
        "progress": True,
    }
    if through is None:
        say_lines(write(sound, out, **shared).lines())  # type: ignore[arg-type]
    else:
        say_lines(send_through(sound, out, through, **shared).lines())  # type: ignore[arg-type]
