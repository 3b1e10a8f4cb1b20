"""``frame2sound render``: animations and a brain to soundtracks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

from frame2sound.brain.pretrained import DEFAULT_BRAIN, pretrained_brains
from frame2sound.cli.app import command
from frame2sound.cli.options import (
    AllowDamaged,
    Background,
    Device,
    Hardware,
    Markers,
    MaxHours,
    MaxMegapixels,
    Midi,
    Otio,
    Reaper,
    Seed,
    SequenceFps,
    Stems,
    Verbose,
    VideoStream,
)
from frame2sound.film.limits import DEFAULT_LIMITS
from frame2sound.rendering.modes import Mode

BRAIN, JOINING, GRAINS, MOSAIC = "Brain and mode", "How predictions are joined", "Grains", "Mosaic"
EVENTS, SOUND, OUTPUT = "Events", "Level and effects", "Output"


def complete_brain(incomplete: str) -> list[str]:
    """Return the brains that ship whose names begin so, for the completion of the shell."""
    return [name for name in pretrained_brains() if name.startswith(incomplete)]


@command
def render(
    animations: Annotated[
        list[Path] | None,
        Argument(metavar="FILM", help="Render soundtracks for these films.", show_default=False),
    ] = None,
    brain: Annotated[
        Path,
        Option(
            metavar="BRAIN",
            autocompletion=complete_brain,
            help="Predict with this brain: a file, or the name of one that ships.",
            rich_help_panel=BRAIN,
        ),
    ] = Path(DEFAULT_BRAIN),
    mode: Annotated[
        Mode | None,
        Option(
            help="Turn predictions into sound in this mode.",
            show_default="the mode of the other options; else mosaic if the brain carries sound "
            "of its films, and overlap-add if not",
            rich_help_panel=BRAIN,
        ),
    ] = None,
    window: Annotated[
        Literal["hann", "none"],
        Option(help="Crossfade the sounds of frames, or cut them.", rich_help_panel=JOINING),
    ] = "hann",
    overlap: Annotated[
        float | None,
        Option(
            metavar="SECONDS",
            help="Crossfade for this long.",
            show_default="the brain's",
            rich_help_panel=JOINING,
        ),
    ] = None,
    phase: Annotated[
        str | None,
        Option(
            metavar="METHOD",
            help="Find the phases of predicted magnitudes by phase-vocoder, random, zero, "
            "griffin-lim, pghi, from-audio, or hindle-1 to hindle-12.",
            show_default="phase-vocoder",
            rich_help_panel=JOINING,
        ),
    ] = None,
    phase_from: Annotated[
        Path | None,
        Option(
            metavar="FILE", help="Take the phases of this sound or film.", rich_help_panel=JOINING
        ),
    ] = None,
    scale: Annotated[
        str | None,
        Option(
            metavar="SCALE",
            help='Tune predicted spectra to a scale: "D minor", "dorian on Eb", "12-tet", '
            '"just 1/1 5/4 3/2".',
            rich_help_panel=JOINING,
        ),
    ] = None,
    grains: Annotated[
        Literal["on-time", "hindle"],
        Option(
            help="Start grains on time, or late as Hindle's program did.", rich_help_panel=GRAINS
        ),
    ] = "on-time",
    cloud: Annotated[
        list[str] | None,
        Option(
            metavar="NAME=VALUE",
            help="Change a setting of grains, as density=300 or pitch=-12..12@brightness; may be "
            "repeated.",
            rich_help_panel=GRAINS,
        ),
    ] = None,
    mosaic: Annotated[
        list[str] | None,
        Option(
            metavar="NAME=VALUE",
            help="Change a setting of the mosaic: literal, variety, no-repeat or "
            "follow-loudness; may be repeated.",
            rich_help_panel=MOSAIC,
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        Option(
            metavar="FILM",
            help="Make the mosaic of this film alone; may be repeated.",
            rich_help_panel=MOSAIC,
        ),
    ] = None,
    corpus: Annotated[
        Path | None,
        Option(
            metavar="LIBRARY",
            help="Make the mosaic of the films of this library.",
            rich_help_panel=MOSAIC,
        ),
    ] = None,
    sensitivity: Annotated[
        float,
        Option(
            metavar="NUMBER",
            help="Make events of weaker motion the higher this is, from 0 to 1.",
            rich_help_panel=EVENTS,
        ),
    ] = 0.5,
    events: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="Play the events in this .json file, which may be edited.",
            rich_help_panel=EVENTS,
        ),
    ] = None,
    events_until: Annotated[
        str | None,
        Option(
            metavar="SECONDS",
            help="From this time on, play the events that the brain finds instead.",
            rich_help_panel=EVENTS,
        ),
    ] = None,
    events_out: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="Write the events to this .json file: their times, levels and sounds.",
            rich_help_panel=EVENTS,
        ),
    ] = None,
    markers: Markers = None,
    midi: Midi = None,
    stems: Stems = None,
    otio: Otio = None,
    reaper: Reaper = None,
    stereo: Annotated[
        bool,
        Option(
            "--stereo",
            help="Place the sound where the picture is bright.",
            rich_help_panel=SOUND,
        ),
    ] = False,
    effects: Annotated[
        str | None,
        Option(
            metavar="EFFECTS",
            help='Apply effects: "reverb room=0.4 wet=0.3, delay seconds=0.25".',
            rich_help_panel=SOUND,
        ),
    ] = None,
    effects_file: Annotated[
        Path | None,
        Option(metavar="FILE", help="Apply the effects of this .toml file.", rich_help_panel=SOUND),
    ] = None,
    gain: Annotated[
        str,
        Option(
            metavar="dB", help="Change the level of the soundtrack, as -6dB.", rich_help_panel=SOUND
        ),
    ] = "0dB",
    keep_original: Annotated[
        str | None,
        Option(
            metavar="dB",
            help="Keep the film's own sound at this level, as -12dB.",
            rich_help_panel=SOUND,
        ),
    ] = None,
    loudness: Annotated[
        str | None,
        Option(
            metavar="LUFS",
            help="Normalise the loudness of the result: -23 for broadcasting.",
            rich_help_panel=SOUND,
        ),
    ] = None,
    fade_in: Annotated[
        float, Option(metavar="SECONDS", help="Fade in for this long.", rich_help_panel=SOUND)
    ] = 0.0,
    fade_out: Annotated[
        float, Option(metavar="SECONDS", help="Fade out for this long.", rich_help_panel=SOUND)
    ] = 0.0,
    start_seconds: Annotated[
        str,
        Option(
            "--from",
            metavar="SECONDS",
            help="Render from this time of the film on.",
            rich_help_panel=OUTPUT,
        ),
    ] = "0",
    stop_seconds: Annotated[
        str | None,
        Option(
            "--to",
            metavar="SECONDS",
            help="Render up to this time.",
            show_default="the film's end",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        Option(
            "-o",
            "--out",
            metavar="FILE",
            help="Write the film here; a folder for several.",
            show_default="NAME-sounding.mp4",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    watch: Annotated[
        Path | None,
        Option(
            metavar="FOLDER",
            help="Render each film that is put into this folder, until Ctrl-C.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    wav: Annotated[
        bool, Option("--wav", help="Write the sound alone.", rich_help_panel=OUTPUT)
    ] = False,
    codec: Annotated[
        Literal["aac", "alac", "flac", "opus", "pcm"] | None,
        Option(
            help="Encode the sound with this codec.",
            show_default="the usual one of the container",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    sample_rate: Annotated[
        int | None,
        Option(
            metavar="HZ",
            help="Deliver the sound at this sample rate.",
            show_default="that of the film's own sound if it is kept; else 48000 in films, and the "
            "brain's for --wav",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        Option("--overwrite", help="Replace an output that exists.", rich_help_panel=OUTPUT),
    ] = False,
    as_json: Annotated[
        bool, Option("--json", help="Print the result as JSON.", rich_help_panel=OUTPUT)
    ] = False,
    video_stream: VideoStream = None,
    allow_damaged: AllowDamaged = False,
    max_megapixels: MaxMegapixels = DEFAULT_LIMITS.max_megapixels,
    max_hours: MaxHours = DEFAULT_LIMITS.max_hours,
    hardware: Hardware = None,
    fps: SequenceFps = None,
    background: Background = "black",
    seed: Seed = 0,
    device: Device = "auto",
    verbose: Verbose = False,
) -> None:
    """Render soundtracks for animations."""
    from frame2sound.api.parameters import ParameterError
    from frame2sound.api.rendering import RenderJob, RenderOptions, output_paths
    from frame2sound.cli.render_runs import render_all, watch_folder

    options = RenderOptions(
        mode=mode,
        window=window,
        overlap=overlap,
        phase=phase,
        phase_from=phase_from,
        scale=scale,
        grains=grains,
        cloud=cloud,
        mosaic=mosaic,
        only=only or (),
        corpus=corpus,
        sensitivity=sensitivity,
        events=events,
        events_until=events_until,
        events_out=events_out,
        markers=markers,
        midi=midi,
        stems=stems,
        otio=otio,
        reaper=reaper,
        stereo=stereo,
        effects=effects,
        effects_file=effects_file,
        gain=gain,
        keep_original=keep_original,
        loudness=loudness,
        fade_in=fade_in,
        fade_out=fade_out,
        wav=wav,
        codec=codec,
        sample_rate=sample_rate,
        video_stream=video_stream,
        allow_damaged=allow_damaged,
        max_megapixels=max_megapixels,
        max_hours=max_hours,
        hardware=hardware,
        fps=fps,
        background=background,
        seed=seed,
        device=device,
        overwrite=overwrite,
        start_seconds=start_seconds,
        stop_seconds=stop_seconds,
    )
    animations = animations or []
    if (watch is None) == (not animations):
        raise ParameterError(
            f"got {'no FILM' if watch is None else 'FILM and `watch`'}, expected one of FILM and "
            "`watch`; see: frame2sound render --help"
        )
    job = RenderJob(brain, options)
    if watch is not None:
        watch_folder(job, watch, out, as_json)
        return
    outputs = output_paths(animations, out, wav)
    job.check_outputs(animations, outputs.values())
    render_all(job, outputs, as_json)
