"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from frame2sound.sound.scale import Scale


def _be_verbose(context: typer.Context, wanted: bool) -> None:
    if wanted:
        context.find_root().obj = {"verbose": True}


Verbose = Annotated[
    bool, typer.Option("-v", "--verbose", callback=_be_verbose, help="Show tracebacks of errors.")
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of all that is drawn by chance.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")]
VideoStream = Annotated[int | None, typer.Option(min=0, help="Which picture, from 0.")]
AudioStream = Annotated[int | None, typer.Option(min=0, help="Which sound, from 0.")]
AllowDamaged = Annotated[
    bool, typer.Option("--allow-damaged", help="Use what decodes of a damaged film.")
]
MostMegapixels = Annotated[
    float, typer.Option(min=0, help="Larger pictures are refused.", metavar="MP")
]
MostHours = Annotated[float, typer.Option(min=0, help="Longer films are refused.", metavar="HOURS")]
Hardware = Annotated[
    str | None,
    typer.Option(metavar="DEVICE", help="Decode on a device: cuda, qsv, vaapi, videotoolbox..."),
]
PicturesFps = Annotated[
    str | None,
    typer.Option(
        "--fps", metavar="FPS", help="Frames a second of numbered pictures, as 24 or 30000/1001."
    ),
]
Ground = Annotated[
    str,
    typer.Option(
        metavar="LEVEL",
        help="What lies under transparent pictures: black, grey, white or 0 to 255.",
    ),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]


def decibels(text: str) -> float:
    """Read a level such as "-12dB"."""
    match = re.fullmatch(r"([+-]?\d+(\.\d+)?)\s*(dB)?", text.strip(), re.IGNORECASE)
    if match is None or not -200 <= float(match[1]) <= 60:
        raise typer.BadParameter(f"got {text!r}, expected a level from -200dB to 60dB")
    return float(match[1])


def lufs(text: str) -> float:
    """Read a loudness such as "-23" or "-23LUFS"."""
    match = re.fullmatch(r"([+-]?\d+(\.\d+)?)\s*(LUFS)?", text.strip(), re.IGNORECASE)
    if match is None or not -70 <= float(match[1]) <= 0:
        raise typer.BadParameter(f"got --loudness {text!r}, expected -70 to 0 LUFS")
    return float(match[1])


def number_of_bytes(text: str) -> int:
    """Read a size such as "500MB" or "1.5GiB"."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kMGT])(i?)B", text.strip(), re.IGNORECASE)
    if match is None:
        raise typer.BadParameter(f"got {text!r}, expected a size, as 500MB, 2GB or 1.5GiB")
    power = "kmgt".index(match[2].lower()) + 1
    unit: int = (1024 if match[3] else 1000) ** power
    return round(float(match[1]) * unit)


def grey_level(text: str) -> int:
    """Read a level of grey such as "white" or "128"."""
    named = {"black": 0, "grey": 128, "gray": 128, "white": 255}
    word = text.strip().lower()
    level = named.get(word, int(word) if re.fullmatch(r"[0-9]{1,3}", word) else -1)
    if not 0 <= level <= 255:
        raise typer.BadParameter(f"got {text!r}, expected black, grey, white or 0 to 255")
    return level


def tones(text: str) -> Scale:
    """Read a scale such as "D minor" or "12-tet"."""
    from frame2sound.sound.named_scales import parse_scale

    try:
        return parse_scale(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def frames_a_second(text: str) -> Fraction:
    """Read a frame rate such as "24", "23.976" or "30000/1001"."""
    from frame2sound.clock import parse_typed_frame_rate

    try:
        return parse_typed_frame_rate(text.strip())
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def width_and_height(text: str) -> tuple[int, int]:
    """Read a size such as "480x360"."""
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if match is None or not all(16 <= int(side) <= 8192 for side in match.groups()):
        raise typer.BadParameter(f"got {text!r}, expected WIDTHxHEIGHT from 16 to 8192, as 480x360")
    return int(match[1]), int(match[2])
