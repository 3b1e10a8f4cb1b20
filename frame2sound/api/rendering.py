"""Rendering soundtracks: an animation and a brain in, a film with sound out."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from frame2sound.api.exporting import (
    check_effects,
    check_names,
    check_one_animation,
    exports_of,
)
from frame2sound.api.parameters import (
    FrameRate,
    Level,
    ParameterError,
    Seconds,
    Settings,
    at_least,
    decibels,
    frame_rate,
    grey_level,
    lufs,
    musical_scale,
    one_of,
    seconds,
    setting_texts,
    texts,
)
from frame2sound.api.records import Record
from frame2sound.brain.pretrained import DEFAULT_BRAIN, find_brain
from frame2sound.errors import SoundtrackError
from frame2sound.film.limits import DEFAULT_LIMITS, Limits
from frame2sound.rendering.modes import DEFAULT_MODE, Mode

if TYPE_CHECKING:
    from frame2sound.brain.brain import Brain
    from frame2sound.brain.corpus import Corpus, CorpusPointer
    from frame2sound.library.store import Library
    from frame2sound.progress import ProgressCallback
    from frame2sound.rendering.effects import EffectChain
    from frame2sound.rendering.render import Delivery, Style
    from frame2sound.rendering.segment import Segment
    from frame2sound.sound.scale import Scale

Codec = Literal["aac", "alac", "flac", "opus", "pcm"]
GrainTiming = Literal["on-time", "hindle"]
Window = Literal["hann", "none"]


@dataclass(frozen=True)
class RenderedSoundtrack(Record):
    """A soundtrack that was written.

    Attributes
    ----------
    animation, path : Path
        What was read, and what was written.
    seconds : float
    sample_rate : int
        In Hz.
    channels : int
    true_peak_db : float
        In dBTP; minus infinity for silence.
    loudness_lufs : float, optional
        Loudness reached, where one was requested.
    notes : tuple of str
        What should be known, such as that the film's own sound was replaced.
    """

    animation: Path
    path: Path
    seconds: float
    sample_rate: int
    channels: int
    true_peak_db: float
    loudness_lufs: float | None
    notes: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return one line, and one for each note."""
        return [
            f"{self.path}  {self.seconds:.3f} s  {self.sample_rate} Hz",
            *(f"  note: {note}" for note in self.notes),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values; the level of silence is None."""
        return {
            "animation": str(self.animation),
            "soundtrack": str(self.path),
            "seconds": self.seconds,
            "sample_rate": self.sample_rate,
            "channels": self.channels,
            "true_peak_db": _finite_level(self.true_peak_db),
            "loudness_lufs": _finite_level(self.loudness_lufs),
            "notes": list(self.notes),
        }


@dataclass(frozen=True, kw_only=True)
class RenderOptions:
    """All options of `render` but the brain, the animation and the output; see there."""

    mode: Mode | None = None
    window: Window = "hann"
    overlap: float | None = None
    phase: str | None = None
    phase_from: str | PathLike[str] | None = None
    scale: str | Scale | None = None
    grains: GrainTiming = "on-time"
    cloud: Settings | None = None
    mosaic: Settings | None = None
    only: Sequence[str] = ()
    corpus: Library | Corpus | str | PathLike[str] | None = None
    sensitivity: float = 0.5
    events: str | PathLike[str] | None = None
    events_out: str | PathLike[str] | None = None
    markers: str | PathLike[str] | None = None
    midi: str | PathLike[str] | None = None
    stems: str | PathLike[str] | None = None
    otio: str | PathLike[str] | None = None
    reaper: str | PathLike[str] | None = None
    stereo: bool = False
    effects: str | EffectChain | None = None
    effects_file: str | PathLike[str] | None = None
    gain: Level = 0.0
    keep_original: Level | None = None
    loudness: float | str | None = None
    fade_in: float = 0.0
    fade_out: float = 0.0
    wav: bool = False
    codec: Codec | None = None
    sample_rate: int | None = None
    video_stream: int | None = None
    allow_damaged: bool = False
    max_megapixels: float = DEFAULT_LIMITS.max_megapixels
    max_hours: float = DEFAULT_LIMITS.max_hours
    hardware: str | None = None
    fps: FrameRate | None = None
    background: int | str = "black"
    seed: int = 0
    device: str = "auto"
    overwrite: bool = False
    start_seconds: Seconds = 0
    stop_seconds: Seconds | None = None

    def __post_init__(self) -> None:
        one_of("mode", self.mode, get_args(Mode))
        one_of("window", self.window, get_args(Window))
        one_of("grains", self.grains, get_args(GrainTiming))
        one_of("codec", self.codec, get_args(Codec))
        at_least("seed", self.seed, 0)
        if self.corpus is not None and self.mode not in (None, "mosaic"):
            raise SoundtrackError(
                f"`corpus` does nothing in mode {self.mode}; leave it out or use `mode=mosaic`"
            )

    def choose_mode(self, *, has_corpus: bool) -> Mode:
        """Return the mode given, else the first that another option belongs to, else the default.

        The default is mosaic if the brain carries sound of its films, and overlap-add if not.
        """
        if self.mode is not None:
            return self.mode
        requested: dict[Mode, bool] = {
            "granular": bool(self.cloud) or self.grains != "on-time",
            "mosaic": bool(self.mosaic or self.only or self.corpus is not None),
            "overlap-add": self.window != "hann"
            or any((self.overlap, self.phase, self.phase_from, self.scale)),
        }
        default: Mode = "mosaic" if has_corpus else DEFAULT_MODE
        return next((mode for mode, given in requested.items() if given), default)


class RenderJob:
    """A brain and options, ready to render several animations.

    Raises
    ------
    Frame2SoundError
        The options contradict each other, or there is no such brain.
    """

    def __init__(self, brain: Brain | str | PathLike[str], options: RenderOptions) -> None:
        from frame2sound.api.brains import load_brain
        from frame2sound.brain.brain import Brain

        self.options, self.segment = options, _segment(options)
        build_style, self.delivery = _style_builder(options), _delivery(options)
        self._inputs = [
            Path(path)
            for path in (options.phase_from, options.effects_file, options.events)
            if path is not None
        ]
        check_effects(options, self.delivery.effects)
        self.exports = exports_of(options)
        if isinstance(brain, Brain):
            self.brain = brain
        else:
            path = find_brain(Path(brain))
            self._inputs.append(path)
            self.brain = load_brain(path, options.device)
        mode = options.choose_mode(has_corpus=self.brain.corpus is not None)
        self.style: Style = build_style(mode=mode)
        self.corpus = _load_corpus(options.corpus, self.brain)
        self.background = grey_level("background", options.background)

    def check_outputs(self, animations: Iterable[Path], outputs: Iterable[Path]) -> None:
        """Raise `SoundtrackError` if an output is a file that is read, or is named twice."""
        animations, outputs = list(animations), list(outputs)
        check_one_animation(self.options, animations)
        check_names(self.exports, outputs)
        outputs += [path for _, path in self.exports.files()]
        inputs = [path for path in (*self._inputs, *animations) if path.exists()]
        for out in outputs:
            if out.exists() and any(out.samefile(path) for path in inputs):
                raise SoundtrackError(f"{out} is read by this command; choose another name")

    def render(
        self,
        animation: Path,
        out: Path,
        on_progress: ProgressCallback,
        *,
        overwrite: bool | None = None,
    ) -> RenderedSoundtrack:
        """Render one animation; ``overwrite`` says otherwise than the options if it is given."""
        from frame2sound.film.decoding.options import DecodeOptions
        from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
        from frame2sound.rendering.render import render

        options, delivery = self.options, self.delivery
        if overwrite is not None:
            delivery = replace(delivery, overwrite=overwrite)
        film = SubprocessFilmReader(
            animation,
            options=DecodeOptions(
                video_stream=options.video_stream,
                allow_damaged=options.allow_damaged,
                limits=Limits(options.max_megapixels, options.max_hours),
                hardware=options.hardware,
                fps=None if options.fps is None else frame_rate("fps", options.fps),
                background=self.background,
            ),
        )
        result = render(
            film,
            self.brain,
            out,
            self.style,
            delivery,
            on_progress,
            corpus=self.corpus,
            exports=self.exports,
            segment=self.segment,
        )
        return RenderedSoundtrack(
            animation,
            result.path,
            result.seconds,
            result.sample_rate,
            result.channels,
            result.true_peak_db,
            result.loudness_lufs,
            result.notes,
        )


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
    events_out: str | PathLike[str] | None = None,
    markers: str | PathLike[str] | None = None,
    midi: str | PathLike[str] | None = None,
    stems: str | PathLike[str] | None = None,
    otio: str | PathLike[str] | None = None,
    reaper: str | PathLike[str] | None = None,
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
        File to write, or a folder for it; by default ``NAME-sounding.mp4`` in the current folder.
        A name that ends in ``.wav`` gets the sound alone.
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
        only=only,
        corpus=corpus,
        sensitivity=sensitivity,
        events=events,
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
    path = Path(animation)
    job = RenderJob(brain, options)
    target = output_paths([path], None if out is None else Path(out), wav)[path]
    job.check_outputs([path], [target])
    with open_progress(progress) as on_progress:
        return job.render(path, target, on_progress)


def output_paths(animations: Collection[Path], out: Path | None, wav: bool) -> dict[Path, Path]:
    """Return where the soundtrack of each animation is written.

    Raises
    ------
    ParameterError
        Several would be written to one file.
    """
    from frame2sound.rendering.render import default_output_path

    if out is not None and out.suffix and not out.is_dir():
        if len(animations) > 1:
            raise ParameterError(
                f"got one file `out={out}` for {len(animations)} animations, expected a folder"
            )
        return dict.fromkeys(animations, out)
    outputs = {each: default_output_path(each, out or Path(), wav) for each in animations}
    if len(set(outputs.values())) < len(outputs):
        raise ParameterError(
            "got two animations that would be written under one name, expected different names; "
            "render them into different folders"
        )
    return outputs


def _style_builder(options: RenderOptions) -> partial[Style]:
    from frame2sound.rendering.events.event_list import read_events
    from frame2sound.rendering.granular.cloud import parse_cloud
    from frame2sound.rendering.mosaic.mosaic_settings import parse_mosaic
    from frame2sound.rendering.render import Style

    source = None if options.phase_from is None else Path(options.phase_from)
    scale = None if options.scale is None else musical_scale("scale", options.scale)
    return partial(
        Style,
        window=options.window,
        overlap_seconds=options.overlap,
        grains=options.grains,
        seed=options.seed,
        phase=options.phase or ("phase-vocoder" if source is None else "from-audio"),
        phase_sound=source,
        cloud=parse_cloud(setting_texts(options.cloud)),
        mosaic=parse_mosaic(setting_texts(options.mosaic), texts("only", options.only)),
        sensitivity=options.sensitivity,
        events=None if options.events is None else read_events(Path(options.events)),
        scale=scale,
        stereo="place" if options.stereo else "no",
    )


def _segment(options: RenderOptions) -> Segment:
    from frame2sound.rendering.segment import Segment

    stop = options.stop_seconds
    return Segment(
        seconds("start_seconds", options.start_seconds),
        None if stop is None else seconds("stop_seconds", stop),
    )


def _delivery(options: RenderOptions) -> Delivery:
    from frame2sound.rendering.render import Delivery

    kept, loudness = options.keep_original, options.loudness
    return Delivery(
        codec=options.codec,
        wav=options.wav,
        gain_db=decibels("gain", options.gain),
        keep_original_db=None if kept is None else decibels("keep_original", kept),
        overwrite=options.overwrite,
        loudness_lufs=None if loudness is None else lufs("loudness", loudness),
        fade_in_seconds=options.fade_in,
        fade_out_seconds=options.fade_out,
        effects=_effect_chain(options.effects, options.effects_file),
        sample_rate=options.sample_rate,
    )


def _effect_chain(
    effects: str | EffectChain | None, file: str | PathLike[str] | None
) -> EffectChain | None:
    from frame2sound.rendering.effects import load_chain, parse_chain

    if effects is not None and file is not None:
        raise SoundtrackError("got `effects` and `effects_file`, expected one of them")
    if file is not None:
        return load_chain(Path(file))
    return parse_chain(effects) if isinstance(effects, str) else effects


def _load_corpus(
    corpus: Library | Corpus | str | PathLike[str] | None, brain: Brain
) -> Corpus | CorpusPointer | None:
    from frame2sound.brain.corpus import Corpus

    if corpus is None:
        return brain.corpus
    if isinstance(corpus, Corpus):
        return corpus
    from frame2sound.api.library import open_library
    from frame2sound.library.corpus import read_corpus

    loudness = brain.recipe.training.loudness
    return read_corpus(open_library(corpus), brain.clock, loudness=loudness)


def _finite_level(level: float | None) -> float | None:
    return None if level is None or not math.isfinite(level) else round(level, 2)
