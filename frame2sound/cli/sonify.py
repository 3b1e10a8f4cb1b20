"""``frame2sound sonify``: turn any picture into sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

from frame2sound.cli.app import command, say_lines
from frame2sound.cli.options import AsJson, Overwrite, Seed, Verbose, print_json

SPECTROGRAM = "Spectrogram"
WAVETABLE = "Wavetable"
PICTURE = "Picture"


@command
def sonify(
    picture: Annotated[
        Path,
        Argument(metavar="PICTURE", help="A picture, an animated picture, or a film."),
    ],
    out: Annotated[Path, Option("-o", "--out", metavar="FILE", help="Write this .wav.")],
    mapping: Annotated[
        Literal["spectrogram", "wavetable", "voice"],
        Option(
            "--as",
            help="Play it as a spectrogram, scanned to the right; as a wavetable, each row a "
            "waveform, read downwards; or as The vOICe maps pictures for blind people.",
        ),
    ] = "spectrogram",
    seconds: Annotated[
        str | None,
        Option(
            metavar="SECONDS",
            help="Scan a picture in this time.",
            show_default="10, 1.05 for voice; of several pictures as long as each is shown",
        ),
    ] = None,
    sample_rate: Annotated[
        int, Option(metavar="HZ", help="Write sound of this sample rate.")
    ] = 44_100,
    timbre: Annotated[
        Literal["sines", "noise", "grains"],
        Option(help="Let each row sound as this.", rich_help_panel=SPECTROGRAM),
    ] = "sines",
    spacing: Annotated[
        Literal["linear", "log", "mel"],
        Option(help="Space the frequencies of rows like this.", rich_help_panel=SPECTROGRAM),
    ] = "linear",
    scale: Annotated[
        str | None,
        Option(
            metavar="SCALE",
            help='Have a row for each tone of this scale instead: "D minor", "19-tet".',
            rich_help_panel=SPECTROGRAM,
        ),
    ] = None,
    low: Annotated[
        float,
        Option(metavar="HZ", help="Let the bottom row sound here.", rich_help_panel=SPECTROGRAM),
    ] = 100.0,
    high: Annotated[
        float,
        Option(metavar="HZ", help="Let the top row sound here.", rich_help_panel=SPECTROGRAM),
    ] = 12_000.0,
    level_range: Annotated[
        float,
        Option(
            "--range",
            metavar="DECIBELS",
            help="Play the faintest so far below the brightest; what is fully dark is silent.",
            rich_help_panel=SPECTROGRAM,
        ),
    ] = 40.0,
    stereo: Annotated[
        bool,
        Option(
            "--stereo",
            help="Pan from left to right with the scan; for voice too.",
            rich_help_panel=SPECTROGRAM,
        ),
    ] = False,
    pitch: Annotated[
        str,
        Option(
            metavar="HZ_OR_NOTE",
            help="Play the waveforms at this pitch, as 110 or A2.",
            rich_help_panel=WAVETABLE,
        ),
    ] = "110",
    tables: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="Write the waveforms to this .wav for synthesisers, 2048 samples each.",
            rich_help_panel=WAVETABLE,
        ),
    ] = None,
    rows: Annotated[
        int | None,
        Option(
            metavar="NUMBER",
            help="Average or interpolate the picture to so many rows.",
            show_default="those of the picture, at most 256",
            rich_help_panel=PICTURE,
        ),
    ] = None,
    ink: Annotated[
        Literal["auto", "bright", "dark"],
        Option(
            help="Play what is bright or what is dark; auto plays the dark if the border is "
            "bright.",
            rich_help_panel=PICTURE,
        ),
    ] = "auto",
    paper: Annotated[
        Literal["auto", "black", "white"],
        Option(
            help="Show transparent parts on this; auto is the opposite of what is drawn.",
            rich_help_panel=PICTURE,
        ),
    ] = "auto",
    seed: Seed = 0,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Turn any picture into sound."""
    from frame2sound.api.sonifying import sonify as make

    made = make(
        picture,
        out,
        mapping=mapping,
        seconds=seconds,
        timbre=timbre,
        spacing=spacing,
        scale=scale,
        rows=rows,
        low_hz=low,
        high_hz=high,
        range_db=level_range,
        pitch=pitch,
        tables=tables,
        ink=ink,
        paper=paper,
        stereo=stereo,
        sample_rate=sample_rate,
        seed=seed,
        overwrite=overwrite,
        progress=True,
    )
    if as_json:
        print_json(made.to_dict())
    else:
        say_lines(made.lines())
