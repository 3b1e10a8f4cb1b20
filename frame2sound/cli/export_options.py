"""Options of `render` that name files for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

EXPORTS = "For other programs"
"""Title of the group of options."""

Markers = Annotated[
    Path | None,
    Option(
        metavar="FILE",
        help="Write the events to this .csv file: their times, samples, levels and sounds.",
        rich_help_panel=EXPORTS,
    ),
]
Midi = Annotated[
    Path | None,
    Option(
        metavar="FILE",
        help="Write the events to this .mid file, as notes.",
        rich_help_panel=EXPORTS,
    ),
]
Stems = Annotated[
    Path | None,
    Option(
        metavar="FOLDER",
        help="Write a .wav for each film of the corpus here; they add up to the soundtrack.",
        rich_help_panel=EXPORTS,
    ),
]
Otio = Annotated[
    Path | None,
    Option(
        metavar="FILE",
        help="Write picture, sound or stems, and events to this OpenTimelineIO .otio file.",
        rich_help_panel=EXPORTS,
    ),
]
Reaper = Annotated[
    Path | None,
    Option(
        metavar="FILE",
        help="Write sound or stems, and events to this Reaper .rpp project.",
        rich_help_panel=EXPORTS,
    ),
]
