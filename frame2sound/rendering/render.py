"""Render an animation: predict its soundtrack and write both to a file."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from frame2sound.atomic import (
    MAX_NAME_BYTES,
    atomic_write,
    check_writable,
    refuse_inputs,
    truncate_name,
)
from frame2sound.brain.corpus import Corpus, CorpusPointer
from frame2sound.brain.predictor import Predictor
from frame2sound.errors import SoundtrackError
from frame2sound.film.decoding.image_sequence import IMAGE_SUFFIXES, is_image_sequence
from frame2sound.film.decoding.probe import Streams
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.film.encoding.containers import CONTAINERS, AudioCodec, audio_codec_for
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.rendering.export.exports import NO_EXPORTS, Exports
from frame2sound.rendering.export.markers import DeliveredSound, place_markers
from frame2sound.rendering.export.wav_cues import add_cues
from frame2sound.rendering.modes import DEFAULT_MODE, Mode
from frame2sound.rendering.output.delivery import Delivery, OutputWriter
from frame2sound.rendering.segment import (
    ADAPTING_WARM_UP_SECONDS,
    PREPARED_SECONDS,
    WHOLE,
    Segment,
)
from frame2sound.rendering.silence_meter import SilenceMeter
from frame2sound.rendering.soundtrack import Soundtrack
from frame2sound.rendering.style import Style, predictions_remember, remembers
from frame2sound.sound.true_peak import SILENCE_DBTP
from frame2sound.threads import one_thread_per_operation

__all__ = [
    "DEFAULT_MODE",
    "Delivery",
    "Mode",
    "RenderResult",
    "Style",
    "default_output_path",
    "render",
]

DEFAULT_STYLE, DEFAULT_DELIVERY = Style(), Delivery()

DURATION_TOLERANCE_SECONDS = 1.0
"""Containers may declare animations to be shorter by so much."""

SUFFIXES_WITHOUT_AUDIO = (".apng", ".gif", *IMAGE_SUFFIXES)
"""Suffixes of formats without audio; they are encoded as .mp4."""


@dataclass(frozen=True)
class RenderResult:
    """A rendered file.

    Attributes
    ----------
    path : Path
    seconds : float
    sample_rate : int
        In Hz.
    true_peak_db : float
        True peak in dBTP.
    notes : tuple of str
        Remarks for the user.
    channels : int
    loudness_lufs : float, optional
        The loudness after normalisation, if there was a target; minus infinity for silence.
    """

    path: Path
    seconds: float
    sample_rate: int
    true_peak_db: float
    notes: tuple[str, ...]
    channels: int = 1
    loudness_lufs: float | None = None


def default_output_path(animation: Path, folder: Path, wav: bool) -> Path:
    """Return the default path of an animation with its soundtrack, in the same format if possible.

    A name that is too long for file systems is cut, and a hash added to keep it unique.
    """
    suffix = animation.suffix.lower()
    if wav:
        suffix = ".wav"
    elif suffix in SUFFIXES_WITHOUT_AUDIO or is_image_sequence(animation):
        suffix = ".mp4"
    elif suffix not in CONTAINERS:
        suffix = ".mkv"
    stem = re.sub(r"[-_. ]*%\d*d", "", animation.stem) or "pictures"
    suffix = f"-sounding{suffix}"
    if len(os.fsencode(stem + suffix)) <= MAX_NAME_BYTES:
        return folder / f"{stem}{suffix}"
    digest = hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]
    suffix = f"-{digest}{suffix}"
    return folder / f"{truncate_name(stem, MAX_NAME_BYTES - len(suffix))}{suffix}"


def render(
    animation: FilmReader,
    brain: Predictor,
    out: Path,
    style: Style = DEFAULT_STYLE,
    delivery: Delivery = DEFAULT_DELIVERY,
    on_progress: ProgressCallback = ignore_progress,
    *,
    corpus: Corpus | CorpusPointer | None = None,
    events_out: Path | None = None,
    segment: Segment = WHOLE,
    exports: Exports = NO_EXPORTS,
) -> RenderResult:
    """Predict the soundtrack of an animation, and write both to a file.

    The same animation, brain, style and delivery give the same sound: to the bit on one machine,
    else up to rounding.

    Parameters
    ----------
    animation : FilmReader
    brain : Predictor
    out : Path
        A film, or a ``.wav`` for the sound only.
    style : Style
    delivery : Delivery
    on_progress : callable
        Is called with the seconds of the animation that are done.
    corpus : Corpus or CorpusPointer, optional
        The source of the units of the mode ``mosaic``, and of the sounds of events.
    events_out : Path, optional
        A JSON file for the events that are played.
    segment : Segment
        The part that is rendered, by default the whole; see `frame2sound.rendering.segment`.
    exports : Exports
        Other files for the events; ``events_out`` is one of them.

    Raises
    ------
    SoundtrackError
        An output exists, its format does not support this picture or sound, or it cannot be
        written; a setting has no effect on what the brain predicts; or the segment is not within
        the animation.
    FilmError, BrainError
        The animation cannot be read; a prediction is not finite, or the corpus cannot be found.
    """
    check_writable(out, SoundtrackError, overwrite=delivery.overwrite)
    if events_out is not None:
        exports = replace(exports, events_out=events_out)
    exports.check(out, overwrite=delivery.overwrite)
    refuse_inputs(out, [animation.streams.path], SoundtrackError)
    wav = delivery.wav or out.suffix.lower() == ".wav"
    if wav and out.suffix.lower() != ".wav":
        raise SoundtrackError(f"got `wav` and {out.name}, expected a name that ends in .wav")
    if wav and delivery.codec not in (None, "pcm"):
        raise SoundtrackError(
            f"`codec` {delivery.codec} does nothing for sound alone, which is PCM; leave it out, "
            "or give the name of a film"
        )
    codec = None if wav else audio_codec_for(out, delivery.codec)
    if codec is not None and delivery.sample_rate is not None:
        codec.check_sample_rate(delivery.sample_rate)
    if animation.streams.declared_seconds is not None:
        segment.check_length(animation.streams.declared_seconds, DURATION_TOLERANCE_SECONDS)
    if remembers(brain, style) or delivery.effects is not None:
        segment = replace(segment, warm_up_seconds=ADAPTING_WARM_UP_SECONDS)
    if predictions_remember(brain):
        segment = replace(segment, prepared_seconds=PREPARED_SECONDS)
    original = _open_original_audio(animation, delivery, codec)
    log = exports.new_log()
    with (
        atomic_write(out, SoundtrackError, overwrite=delivery.overwrite) as partial,
        exports.open_recorder(out.parent) as recorder,
        one_thread_per_operation(),
    ):
        recorded = () if recorder is None else (recorder,)
        built = style.build_renderer(
            brain,
            corpus,
            log.report,
            segment.span_seconds,
            taps=(log, *recorded),
            needed_by=exports.need_events,
        )
        log.sample_rate = built.sample_rate
        renderer = SilenceMeter(built)
        soundtrack = Soundtrack(animation, brain, renderer, on_progress, segment)
        writer = OutputWriter(renderer.sample_rate, original, delivery, codec)
        writer.waveform = exports.new_waveform()
        writer.raw_spool = None if recorder is None else recorder.mix
        peak_db = writer.write(soundtrack, partial)
        delivered = _delivered_sound(out, writer, soundtrack)
        markers = place_markers(log.events, delivered)
        if wav:
            add_cues(partial, markers)
        stems = exports.write_stems(recorder, writer, soundtrack, markers)
    exports.write(log, delivered, stems, writer.waveform, overwrite=delivery.overwrite)
    notes = [*animation.notes, *_notes(animation.streams, delivery, wav), *writer.notes()]
    if exports.events_out is not None and not log.events:
        notes.append(f"there are no events, so {exports.events_out.name} lists none")
    if peak_db <= SILENCE_DBTP or delivery.effects is None:
        notes += _silence_notes(renderer, writer, segment, corpus, picks=style.events is None)
    if delivery.effects is not None and not segment.is_whole:
        notes += (
            f"{kind} moves sound in time, so this part is not the same part of the whole"
            for kind in delivery.effects.moving_time
        )
    return RenderResult(
        path=out,
        seconds=float(delivered.seconds),
        sample_rate=delivered.sample_rate,
        true_peak_db=peak_db,
        notes=(*notes, *filter(None, [renderer.summary])),
        channels=delivered.channels,
        loudness_lufs=writer.loudness_lufs,
    )


def _silence_notes(
    renderer: SilenceMeter,
    writer: OutputWriter,
    segment: Segment,
    corpus: Corpus | CorpusPointer | None,
    *,
    picks: bool,
) -> Iterator[str]:
    """Yield why most of the sound is silent, if it is: by its gain, or as the brain renders it."""
    delivery = writer.delivery
    normalised_db = 0.0 if writer.normalisation is None else writer.normalisation.gain_db
    gain_db, span = delivery.gain_db + normalised_db, segment.span_seconds
    if gain_db < 0 and renderer.report(0.0, span).note() is None:
        if renderer.report(gain_db, span).note() is not None:
            yield f"most of what is rendered is silent, because of its gain of {gain_db:.0f} dB"
        return
    report = renderer.report(gain_db, span)
    sound = "the soundtrack" if delivery.keep_original_db is None else "the brain's sound"
    note = replace(report, has_events=report.has_events and picks).note(corpus, sound)
    if note is not None:
        yield note


def _delivered_sound(out: Path, writer: OutputWriter, soundtrack: Soundtrack) -> DeliveredSound:
    segment, renderer = soundtrack.segment, soundtrack.renderer
    return DeliveredSound(
        out,
        writer.output_sample_rate,
        writer.output_channels(renderer.channels),
        segment.start_seconds,
        segment.stop_seconds or soundtrack.seconds,
        renderer.sample_rate,
        soundtrack.animation.streams.path,
        soundtrack.animation.streams.fps,
    )


def _open_original_audio(
    animation: FilmReader, delivery: Delivery, codec: AudioCodec | None
) -> FilmReader | None:
    streams = animation.streams
    if delivery.keep_original_db is None or streams.audio_index is None:
        return None
    rate = delivery.sample_rate or streams.audio_sample_rate
    return type(animation)(
        streams.path,
        rate if codec is None else codec.supported_sample_rate(rate),
        replace(animation.options, hardware=None),
        channels=min(streams.audio_channels, 2),
    )


def _notes(streams: Streams, delivery: Delivery, wav: bool) -> Iterator[str]:
    if streams.audio_index is not None:
        kept_db = delivery.keep_original_db
        if kept_db is not None:
            yield f"its own sound was kept at {kept_db:g} dB"
        elif not wav:
            yield "its own sound was replaced; `keep_original=0dB` keeps it"
    elif delivery.keep_original_db is not None:
        yield "it has no sound of its own to keep"
