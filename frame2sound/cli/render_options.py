"""The options of ``frame2sound render``, in the groups of its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

from frame2sound.brain.pretrained import pretrained_brains
from frame2sound.rendering.modes import Mode

BRAIN, JOINING, GRAINS, MOSAIC = "Brain and mode", "How predictions are joined", "Grains", "Mosaic"
EVENTS, SOUND, OUTPUT = "Events", "Level and effects", "Output"


def complete_brain(incomplete: str) -> list[str]:
    """Return the brains that ship whose names begin so, for the completion of the shell."""
    return [name for name in pretrained_brains() if name.startswith(incomplete)]


Animations = Annotated[
    list[Path] | None,
    Argument(metavar="FILM", help="Render soundtracks for these films.", show_default=False),
]
Brain = Annotated[
    Path,
    Option(
        metavar="BRAIN",
        autocompletion=complete_brain,
        help="Predict with this brain: a file, or the name of one that ships.",
        rich_help_panel=BRAIN,
    ),
]
RenderingMode = Annotated[
    Mode | None,
    Option(
        help="Turn predictions into sound in this mode.",
        show_default="the mode of the other options; else mosaic if the brain carries sound "
        "of its films, and overlap-add if not",
        rich_help_panel=BRAIN,
    ),
]
Window = Annotated[
    Literal["hann", "none"],
    Option(help="Crossfade the sounds of frames, or cut them.", rich_help_panel=JOINING),
]
Overlap = Annotated[
    float | None,
    Option(
        metavar="SECONDS",
        help="Crossfade for this long.",
        show_default="the brain's",
        rich_help_panel=JOINING,
    ),
]
Phase = Annotated[
    str | None,
    Option(
        metavar="METHOD",
        help="Find the phases of predicted magnitudes by phase-vocoder, random, zero, "
        "griffin-lim, pghi, from-audio, or hindle-1 to hindle-12.",
        show_default="phase-vocoder",
        rich_help_panel=JOINING,
    ),
]
PhaseFrom = Annotated[
    Path | None,
    Option(metavar="FILE", help="Take the phases of this sound or film.", rich_help_panel=JOINING),
]
Scale = Annotated[
    str | None,
    Option(
        metavar="SCALE",
        help='Tune predicted spectra to a scale: "D minor", "dorian on Eb", "12-tet", '
        '"just 1/1 5/4 3/2".',
        rich_help_panel=JOINING,
    ),
]
Grains = Annotated[
    Literal["on-time", "hindle"],
    Option(help="Start grains on time, or late as Hindle's program did.", rich_help_panel=GRAINS),
]
Cloud = Annotated[
    list[str] | None,
    Option(
        metavar="NAME=VALUE",
        help="Change a setting of grains, as density=300 or pitch=-12..12@brightness; may be "
        "repeated.",
        rich_help_panel=GRAINS,
    ),
]
Mosaic = Annotated[
    list[str] | None,
    Option(
        metavar="NAME=VALUE",
        help="Change a setting of the mosaic: literal, variety, no-repeat or "
        "follow-loudness; may be repeated.",
        rich_help_panel=MOSAIC,
    ),
]
Only = Annotated[
    list[str] | None,
    Option(
        metavar="FILM",
        help="Make the mosaic of this film alone; may be repeated.",
        rich_help_panel=MOSAIC,
    ),
]
Corpus = Annotated[
    Path | None,
    Option(
        metavar="LIBRARY",
        help="Make the mosaic of the films of this library.",
        rich_help_panel=MOSAIC,
    ),
]
Sensitivity = Annotated[
    float,
    Option(
        metavar="NUMBER",
        help="Make events of weaker motion the higher this is, from 0 to 1.",
        rich_help_panel=EVENTS,
    ),
]
Events = Annotated[
    Path | None,
    Option(
        metavar="FILE",
        help="Play the events in this .json file, which may be edited.",
        rich_help_panel=EVENTS,
    ),
]
EventsUntil = Annotated[
    str | None,
    Option(
        metavar="SECONDS",
        help="From this time on, play the events that the brain finds instead.",
        rich_help_panel=EVENTS,
    ),
]
EventsOut = Annotated[
    Path | None,
    Option(
        metavar="FILE",
        help="Write the events to this .json file: their times, levels and sounds.",
        rich_help_panel=EVENTS,
    ),
]
Stereo = Annotated[
    bool,
    Option(
        "--stereo",
        help="Place the sound where the picture is bright.",
        rich_help_panel=SOUND,
    ),
]
Effects = Annotated[
    str | None,
    Option(
        metavar="EFFECTS",
        help='Apply effects: "reverb room=0.4 wet=0.3, delay seconds=0.25".',
        rich_help_panel=SOUND,
    ),
]
EffectsFile = Annotated[
    Path | None,
    Option(metavar="FILE", help="Apply the effects of this .toml file.", rich_help_panel=SOUND),
]
Gain = Annotated[
    str,
    Option(
        metavar="dB", help="Change the level of the soundtrack, as -6dB.", rich_help_panel=SOUND
    ),
]
KeepOriginal = Annotated[
    str | None,
    Option(
        metavar="dB",
        help="Keep the film's own sound at this level, as -12dB.",
        rich_help_panel=SOUND,
    ),
]
Loudness = Annotated[
    str | None,
    Option(
        metavar="LUFS",
        help="Normalise the loudness of the result: -23 for broadcasting.",
        rich_help_panel=SOUND,
    ),
]
FadeIn = Annotated[
    float, Option(metavar="SECONDS", help="Fade in for this long.", rich_help_panel=SOUND)
]
FadeOut = Annotated[
    float, Option(metavar="SECONDS", help="Fade out for this long.", rich_help_panel=SOUND)
]
From = Annotated[
    str,
    Option(
        "--from",
        metavar="SECONDS",
        help="Render from this time of the film on.",
        rich_help_panel=OUTPUT,
    ),
]
To = Annotated[
    str | None,
    Option(
        "--to",
        metavar="SECONDS",
        help="Render up to this time.",
        show_default="the film's end",
        rich_help_panel=OUTPUT,
    ),
]
Out = Annotated[
    Path | None,
    Option(
        "-o",
        "--out",
        metavar="FILE",
        help="Write the film here; a folder for several.",
        show_default="NAME-sounding, with the ending of the film where that can hold sound",
        rich_help_panel=OUTPUT,
    ),
]
Watch = Annotated[
    Path | None,
    Option(
        metavar="FOLDER",
        help="Render each film that is put into this folder, until Ctrl-C.",
        rich_help_panel=OUTPUT,
    ),
]
Wav = Annotated[bool, Option("--wav", help="Write the sound alone.", rich_help_panel=OUTPUT)]
SoundCodec = Annotated[
    Literal["aac", "alac", "flac", "opus", "pcm"] | None,
    Option(
        help="Encode the sound with this codec.",
        show_default="the usual one of the container",
        rich_help_panel=OUTPUT,
    ),
]
SampleRate = Annotated[
    int | None,
    Option(
        metavar="HZ",
        help="Deliver the sound at this sample rate.",
        show_default="that of the film's own sound if it is kept; else 48000 in films, and the "
        "brain's for --wav",
        rich_help_panel=OUTPUT,
    ),
]
OverwriteOutput = Annotated[
    bool,
    Option("--overwrite", help="Replace an output that exists.", rich_help_panel=OUTPUT),
]
JsonOutput = Annotated[
    bool, Option("--json", help="Print the result as JSON.", rich_help_panel=OUTPUT)
]
