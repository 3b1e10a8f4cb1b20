"""Rendering soundtracks: an animation and a brain in, a film with sound out."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from frame2sound.api.parameters import FrameRate, Level, Seconds, Settings, options_of
from frame2sound.api.render_job import RenderJob, output_paths
from frame2sound.api.render_options import Codec, GrainTiming, RenderOptions, Window
from frame2sound.api.render_records import RenderedSoundtrack
from frame2sound.brain.pretrained import DEFAULT_BRAIN
from frame2sound.film.limits import DEFAULT_LIMITS
from frame2sound.rendering.modes import Mode

if TYPE_CHECKING:
    from frame2sound.brain.brain import Brain
    from frame2sound.brain.corpus import Corpus
    from frame2sound.library.store import Library
    from frame2sound.progress import ProgressCallback
    from frame2sound.rendering.effects import EffectChain
    from frame2sound.sound.scale import Scale

__all__ = [
    "Codec",
    "GrainTiming",
    "RenderJob",
    "RenderOptions",
    "RenderedSoundtrack",
    "Window",
    "output_paths",
    "render",
]


def render(
    animation: str | PathLike[str],
    *,
    brain: Brain | str | PathLike[str] = DEFAULT_BRAIN,
    out: str | PathLike[str] | None = None,
    mode: Mode | None = None,
    window: Window = "hann",
    overlap: float | None = None,
    phase: str | None = None,
    phase_from: str | PathLike[str] | None = None,
    scale: str | Scale | None = None,
    grains: GrainTiming = "on-time",
    cloud: Settings | None = None,
    mosaic: Settings | None = None,
    only: Sequence[str] = (),
    corpus: Library | Corpus | str | PathLike[str] | None = None,
    sensitivity: float = 0.5,
    events: str | PathLike[str] | None = None,
    events_until: Seconds | None = None,
    events_out: str | PathLike[str] | None = None,
    markers: str | PathLike[str] | None = None,
    midi: str | PathLike[str] | None = None,
    stems: str | PathLike[str] | None = None,
    otio: str | PathLike[str] | None = None,
    reaper: str | PathLike[str] | None = None,
    waveform: str | PathLike[str] | None = None,
    stereo: bool = False,
    effects: str | EffectChain | None = None,
    effects_file: str | PathLike[str] | None = None,
    gain: Level = 0.0,
    keep_original: Level | None = None,
    loudness: float | str | None = None,
    fade_in: float = 0.0,
    fade_out: float = 0.0,
    wav: bool = False,
    codec: Codec | None = None,
    sample_rate: int | None = None,
    video_stream: int | None = None,
    allow_damaged: bool = False,
    max_megapixels: float = DEFAULT_LIMITS.max_megapixels,
    max_hours: float = DEFAULT_LIMITS.max_hours,
    hardware: str | None = None,
    fps: FrameRate | None = None,
    background: int | str = "black",
    seed: int = 0,
    device: str = "auto",
    overwrite: bool = False,
    start_seconds: Seconds = 0,
    stop_seconds: Seconds | None = None,
    progress: ProgressCallback | bool | None = None,
) -> RenderedSoundtrack:
    """Render the soundtrack that a brain predicts for an animation, and write it with the picture.

    The same animation, brain, options and seed give the same sound, to the bit on one machine.

    Parameters
    ----------
    animation : str or path
        Film, or a folder or pattern of numbered pictures.
    brain : Brain, str or path
        Brain, the name of one that ships, or a ``.safetensors`` file.
    out : str or path, optional
        File to write, or a folder for it; by default ``NAME-sounding`` in the current folder, with
        the ending of the animation: ``.mp4`` for GIFs and pictures, ``.mkv`` for other formats that
        cannot be written, and ``.wav`` with ``wav``. A name that ends in ``.wav`` gets the sound
        alone.
    mode : {"overlap-add", "granular", "mosaic"}, optional
        How predictions become sound. By default the mode that the other options belong to, else
        mosaic if the brain carries sound of its films, and overlap-add if not.
    window : {"hann", "none"}
        How the sounds of frames join: crossfaded, or cut.
    overlap : float, optional
        Seconds of the crossfade; by default the brain's.
    phase : str, optional
        How phases are found for brains that predict magnitudes.
    phase_from : str or path, optional
        Sound or film whose phases are taken.
    scale : str or Scale, optional
        Scale to which spectra are tuned: ``"D minor"``, ``"12-tet"``, ``"just 1/1 5/4 3/2"``.
    grains : {"on-time", "hindle"}
        When grains start; hindle's are late.
    cloud : list of str, or dict, optional
        Settings of grains: ``{"density": 300, "pitch": "-12..12@brightness"}``.
    mosaic : list of str, or dict, optional
        Settings of a mosaic: literal, variety, no-repeat, follow-loudness.
    only : list of str
        Films of the corpus of which the mosaic is made.
    corpus : Library, Corpus, str or path, optional
        Library whose films the mosaic is made of, instead of the brain's.
    sensitivity : float
        How readily motion becomes an event: 0 hardly ever, 1 nearly always; at 0.5 as the brain
        has learned.
    events : str or path, optional
        JSON file of the events to play, as ``events_out`` writes it; they may be moved, deleted
        and added.
    events_until : int, float, Fraction or str, optional
        From this time on, the events that the brain finds are played, not those of ``events``.
    events_out : str or path, optional
        JSON file for the events that are played: their times, levels and sounds.
    markers : str or path, optional
        CSV file with a row for each event, whose time is that in the soundtrack as it is written.
    midi : str or path, optional
        MIDI file with a note for each event; needs the extra ``exports``.
    stems : str or path, optional
        Folder for a WAV file of each film of the corpus, and one of what comes from no film; they
        add up to the soundtrack.
    otio : str or path, optional
        OpenTimelineIO file with the picture, the sound or the stems, and a marker for each event;
        needs the extra ``exports``.
    reaper : str or path, optional
        Reaper project with the sound or the stems, and a marker for each event; needs the extra
        ``exports``.
    waveform : str or path, optional
        File for the peaks of the sound, which players draw: audiowaveform's ``.dat``.
    stereo : bool
        Place the sound where the picture is bright.
    effects : str or EffectChain, optional
        Effects: ``"reverb room=0.4 wet=0.3, delay seconds=0.25"``.
    effects_file : str or path, optional
        TOML file of effects.
    gain : float or str
        Level of the soundtrack in dB, -200 to 60.
    keep_original : float or str, optional
        Level in dB at which the film's own sound is kept; by default it is replaced.
    loudness : float or str, optional
        Integrated loudness of the result in LUFS, -70 to 0.
    fade_in, fade_out : float
        Seconds, 0 to 60.
    wav : bool
        Write the sound alone.
    codec : {"aac", "alac", "flac", "opus", "pcm"}, optional
        Codec of the sound; by default the usual one of the container.
    sample_rate : int, optional
        Of the output, in Hz, 8000 to 192 000; by default that of the film's own sound if it is
        kept, else 48 000 in films and the brain's for ``wav``.
    video_stream : int, optional
        Which picture of a film, from 0.
    allow_damaged : bool
        Use what can be decoded of a damaged film.
    max_megapixels, max_hours : float
        Larger or longer films are refused.
    hardware : str, optional
        Device that decodes: ``"cuda"``, ``"qsv"``, ``"vaapi"``, ``"videotoolbox"``...
    fps : int, float, str or Fraction, optional
        Frames per second of numbered pictures.
    background : int or str
        Grey behind transparent pictures: ``"black"``, ``"grey"``, ``"white"``, or 0 to 255.
    seed : int
        Seed of the random numbers.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``; of a brain that is not loaded yet.
    overwrite : bool
        Replace an output that exists.
    start_seconds, stop_seconds : float or str, optional
        Render only what lies between these times of the animation; the picture is cut there, too.
        The sound is that of the same seconds of the whole: to the bit where nothing remembers or
        adapts, else nearly, as it is warmed up with the seconds before. Fades and loudness are
        those of the part, events have the times of the animation.
    progress : callable or bool, optional
        True shows a progress bar; see `ProgressCallback`.

    Raises
    ------
    SoundtrackError, ParameterError
        The output exists or cannot be written, or an option does nothing or is out of range.
    FilmError, BrainError
        The animation or the brain cannot be read.
    """
    from frame2sound.progress_bars import open_progress

    options = options_of(RenderOptions, locals())
    path = Path(animation)
    job = RenderJob(brain, options)
    target = output_paths([path], None if out is None else Path(out), wav)[path]
    job.check_outputs([path], [target])
    with open_progress(progress) as on_progress:
        return job.render(path, target, on_progress)
