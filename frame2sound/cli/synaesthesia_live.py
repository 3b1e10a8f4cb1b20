"""``frame2sound synaesthesia live``: draw a sound in a page while it sounds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

from frame2sound.cli.app import Command, say_lines
from frame2sound.cli.options import AsJson, Verbose, print_json
from frame2sound.cli.synaesthesia import PairFile, group
from frame2sound.progress_bars import ProgressBars
from frame2sound.terminal import say


@group.command(cls=Command)
def live(
    pair: PairFile,
    sound: Annotated[
        Path | None,
        Argument(
            metavar="SOUND",
            help="Play this sound or film as if it were heard now; without, the sound card's "
            "input is drawn.",
        ),
    ] = None,
    fps: Annotated[
        str, Option(metavar="FPS", help="Draw so many frames a second, 1 to 120.")
    ] = "30",
    voices: Annotated[
        int,
        Option(min=1, max=12, metavar="NUMBER", help="Draw so many bands by themselves."),
    ] = 1,
    smoothing: Annotated[
        float,
        Option(min=0, max=5, metavar="SECONDS", help="Smooth the strokes over this time."),
    ] = 0.1,
    audio: Annotated[
        Literal["auto", "jack", "portaudio"],
        Option(help="Listen to JACK if it runs, else PortAudio; or to one."),
    ] = "auto",
    offline: Annotated[
        bool,
        Option("--offline", help="Draw a file as fast as it can be computed, without a page."),
    ] = False,
    max_seconds: Annotated[
        float | None,
        Option(
            metavar="SECONDS", help="End after so long.", show_default="with SOUND, or by Ctrl-C"
        ),
    ] = None,
    record: Annotated[
        Path | None,
        Option(metavar="FOLDER", help="Write an .svg a frame into this new folder."),
    ] = None,
    report: Annotated[
        Path | None,
        Option(metavar="FILE", help="Write delays and counts to this .json file."),
    ] = None,
    port: Annotated[
        int | None,
        Option(
            min=1,
            max=65535,
            metavar="NUMBER",
            help="Serve the page at this port.",
            show_default="8321, or a free one",
        ),
    ] = None,
    browser: Annotated[
        bool, Option("--browser/--no-browser", help="Open the page in the browser.")
    ] = True,
    overwrite: Annotated[
        bool,
        Option("--overwrite", help="Replace a report that exists; never a folder of --record."),
    ] = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Draw a sound in a page while it sounds."""
    from frame2sound.api.live_drawing import draw_live

    with ProgressBars(quiet=as_json) as bars:
        made = draw_live(
            sound,
            pair=pair,
            fps=fps,
            voices=voices,
            smoothing_seconds=smoothing,
            audio=audio,
            offline=offline,
            max_seconds=max_seconds,
            record=record,
            report=report,
            overwrite=overwrite,
            port=port,
            browser=browser,
            on_ready=lambda address: say(address, err=as_json),
            progress=bars.show,
        )
    if as_json:
        print_json(made.to_dict())
    else:
        say_lines(made.lines())
