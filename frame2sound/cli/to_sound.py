"""``frame2sound to-sound``: turn pictures that carry a sound back into it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from frame2sound.cli.app import command, say_lines
from frame2sound.cli.options import Overwrite, Verbose


@command
def to_sound(
    pictures: Annotated[
        Path,
        Argument(
            metavar="PICTURES",
            help="A picture, a film or a folder of pictures that to-picture wrote, or what a tool "
            "has made of them.",
        ),
    ],
    out: Annotated[Path, Option("-o", "--out", metavar="FILE", help="Write this .wav.")],
    overwrite: Overwrite = False,
    verbose: Verbose = False,
) -> None:
    """Turn such pictures back into sound."""
    from frame2sound.api.carriers import to_sound as write

    say_lines(write(pictures, out, overwrite=overwrite, progress=True).lines())
