"""``frame2sound render``: animations and a brain to soundtracks."""

from __future__ import annotations

from pathlib import Path

from frame2sound.brain.pretrained import DEFAULT_BRAIN
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
    Waveform,
)
from frame2sound.cli.render_options import (
    Animations,
    Brain,
    Cloud,
    Corpus,
    Effects,
    EffectsFile,
    Events,
    EventsOut,
    EventsUntil,
    FadeIn,
    FadeOut,
    From,
    Gain,
    Grains,
    JsonOutput,
    KeepOriginal,
    Loudness,
    Mosaic,
    Only,
    Out,
    Overlap,
    OverwriteOutput,
    Phase,
    PhaseFrom,
    RenderingMode,
    SampleRate,
    Scale,
    Sensitivity,
    SoundCodec,
    Stereo,
    To,
    Watch,
    Wav,
    Window,
    complete_brain,
)
from frame2sound.film.limits import DEFAULT_LIMITS

__all__ = ["complete_brain", "render"]


@command
def render(
    animations: Animations = None,
    brain: Brain = Path(DEFAULT_BRAIN),
    mode: RenderingMode = None,
    window: Window = "hann",
    overlap: Overlap = None,
    phase: Phase = None,
    phase_from: PhaseFrom = None,
    scale: Scale = None,
    grains: Grains = "on-time",
    cloud: Cloud = None,
    mosaic: Mosaic = None,
    only: Only = None,
    corpus: Corpus = None,
    sensitivity: Sensitivity = 0.5,
    events: Events = None,
    events_until: EventsUntil = None,
    events_out: EventsOut = None,
    markers: Markers = None,
    midi: Midi = None,
    stems: Stems = None,
    otio: Otio = None,
    reaper: Reaper = None,
    waveform: Waveform = None,
    stereo: Stereo = False,
    effects: Effects = None,
    effects_file: EffectsFile = None,
    gain: Gain = "0dB",
    keep_original: KeepOriginal = None,
    loudness: Loudness = None,
    fade_in: FadeIn = 0.0,
    fade_out: FadeOut = 0.0,
    start_seconds: From = "0",
    stop_seconds: To = None,
    out: Out = None,
    watch: Watch = None,
    wav: Wav = False,
    codec: SoundCodec = None,
    sample_rate: SampleRate = None,
    overwrite: OverwriteOutput = False,
    as_json: JsonOutput = False,
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
    from frame2sound.api.parameters import ParameterError, options_of
    from frame2sound.api.rendering import RenderJob, RenderOptions, output_paths
    from frame2sound.cli.render_runs import render_all, watch_folder

    options = options_of(RenderOptions, {**locals(), "only": only or ()})
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
