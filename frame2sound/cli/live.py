"""``frame2sound live``: a camera, the screen or a playing film to sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

from frame2sound.brain.pretrained import DEFAULT_BRAIN
from frame2sound.cli.app import command, say_lines
from frame2sound.cli.options import AsJson, Overwrite, Seed, Verbose, print_json
from frame2sound.cli.render_options import complete_brain
from frame2sound.progress_bars import ProgressBars

SOURCE, SOUND, MESSAGES, OUTPUT = "Source", "Sound", "Messages", "Output"


@command
def live(
    film: Annotated[
        Path | None, Argument(metavar="FILM", help="Play this film as if it were seen now.")
    ] = None,
    camera: Annotated[
        str | None,
        Option(
            metavar="NUMBER",
            help="Watch this camera, from 0, or its device.",
            rich_help_panel=SOURCE,
        ),
    ] = None,
    screen: Annotated[
        str | None,
        Option(
            metavar="REGION",
            help="Watch LEFT,TOP,WIDTHxHEIGHT of the screen, in pixels, or a whole one, from 1.",
            rich_help_panel=SOURCE,
        ),
    ] = None,
    fps: Annotated[
        float | None,
        Option(
            metavar="FPS",
            help="Take so many frames a second of a camera or the screen.",
            show_default="the camera's, or 30",
            rich_help_panel=SOURCE,
        ),
    ] = None,
    loop: Annotated[
        bool,
        Option("--loop", help="Play the film again and again.", rich_help_panel=SOURCE),
    ] = False,
    max_seconds: Annotated[
        float | None,
        Option(
            metavar="SECONDS",
            help="End after so long.",
            show_default="with the film, or by Ctrl-C",
            rich_help_panel=SOURCE,
        ),
    ] = None,
    brain: Annotated[
        Path,
        Option(
            metavar="BRAIN",
            autocompletion=complete_brain,
            help="Predict with this brain: a file, or the name of one that ships.",
            rich_help_panel=SOUND,
        ),
    ] = Path(DEFAULT_BRAIN),
    corpus: Annotated[
        Path | None,
        Option(
            metavar="LIBRARY",
            help="Play the sound of the films of this library.",
            show_default="the films of the brain",
            rich_help_panel=SOUND,
        ),
    ] = None,
    controls: Annotated[
        list[str] | None,
        Option(
            "--set",
            metavar="NAME=VALUE",
            help="Begin with this control at a value, as density=100; may be repeated.",
            rich_help_panel=SOUND,
        ),
    ] = None,
    audio: Annotated[
        Literal["auto", "jack", "portaudio"],
        Option(help="Play to JACK if it runs, else PortAudio; or to one.", rich_help_panel=SOUND),
    ] = "auto",
    delay_ms: Annotated[
        float,
        Option(
            metavar="MS",
            help="Let events sound so long after their frame arrives, 5.34 to 1000 ms.",
            rich_help_panel=SOUND,
        ),
    ] = 20.0,
    offline: Annotated[
        bool,
        Option(
            "--offline",
            help="Play a film in simulated time, without a sound card.",
            rich_help_panel=SOUND,
        ),
    ] = False,
    osc_in: Annotated[
        str | None,
        Option(
            metavar="PORT",
            help="Receive controls by OSC at this port, or HOST:PORT.",
            rich_help_panel=MESSAGES,
        ),
    ] = None,
    osc_out: Annotated[
        str | None,
        Option(
            metavar="PORT",
            help="Send events by OSC to this port, or HOST:PORT.",
            rich_help_panel=MESSAGES,
        ),
    ] = None,
    midi_out: Annotated[
        str | None,
        Option(
            metavar="NAME",
            help="Send events as notes to this MIDI port, or to a virtual one.",
            rich_help_panel=MESSAGES,
        ),
    ] = None,
    record: Annotated[
        Path | None,
        Option(
            metavar="FILE", help="Keep what is heard in this .wav file.", rich_help_panel=OUTPUT
        ),
    ] = None,
    record_picture: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="Keep the pictures of a camera or the screen in this film.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    events_out: Annotated[
        Path | None,
        Option(metavar="FILE", help="Write the events to this .json file.", rich_help_panel=OUTPUT),
    ] = None,
    report: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="Write delays, dropouts and counts to this .json file.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    overwrite: Overwrite = False,
    seed: Seed = 0,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Play a camera, the screen or a film as sound."""
    given = {**locals(), "camera": int(camera) if camera and camera.isdecimal() else camera}
    del given["as_json"], given["verbose"]
    from frame2sound.api.live import play_live

    with ProgressBars(quiet=as_json) as bars:
        result = play_live(**given, progress=bars.show)
    if as_json:
        print_json(result.to_dict())
        return
    say_lines(result.lines())
