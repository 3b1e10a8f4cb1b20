"""The whole of rendering: an animation in, the same animation sounding out."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from frame2sound.atomic import MAX_NAME_BYTES, atomic_write, refuse_existing, truncate_name
from frame2sound.brain.corpus import Corpus, CorpusPointer
from frame2sound.brain.predictor import Predictor
from frame2sound.errors import SoundtrackError
from frame2sound.film.decoding.image_sequence import IMAGE_SUFFIXES, is_image_sequence
from frame2sound.film.decoding.probe import Streams
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.film.encoding.containers import CONTAINERS, AudioCodec, audio_codec_for
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.rendering.modes import DEFAULT_MODE, Mode
from frame2sound.rendering.output.delivery import Delivery, OutputWriter
from frame2sound.rendering.soundtrack import Soundtrack
from frame2sound.rendering.style import Style

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

SUFFIXES_WITHOUT_AUDIO = (".apng", ".gif", *IMAGE_SUFFIXES)
"""Endings of pictures that cannot sound; they are encoded into .mp4."""


@dataclass(frozen=True)
class RenderResult:
    """What was written.

    Attributes
    ----------
    path : Path
    seconds : float
    sample_rate : int
        In Hz.
    peak_db : float
        True peak in dBTP.
    notes : tuple of str
        What a person should know.
    channels : int
    loudness_lufs : float, optional
        Where a loudness was asked for: what was reached; minus infinity for silence.
    """

    path: Path
    seconds: float
    sample_rate: int
    true_peak_db: float
    notes: tuple[str, ...]
    channels: int = 1
    loudness_lufs: float | None = None


def default_output_path(animation: Path, folder: Path, wav: bool) -> Path:
    """Return a name for an animation with its soundtrack: its own ending where that can sound.

    Where it would be longer than file systems take, the animation's name is cut, and told from
    others that begin so.
    """
    ending = animation.suffix.lower()
    if wav:
        ending = ".wav"
    elif ending in SUFFIXES_WITHOUT_AUDIO or is_image_sequence(animation):
        ending = ".mp4"
    elif ending not in CONTAINERS:
        ending = ".mkv"
    stem = re.sub(r"[-_. ]*%\d*d", "", animation.stem) or "pictures"
    ending = f"-sounding{ending}"
    if len(os.fsencode(stem + ending)) <= MAX_NAME_BYTES:
        return folder / f"{stem}{ending}"
    told_apart = hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]
    ending = f"-{told_apart}{ending}"
    return folder / f"{truncate_name(stem, MAX_NAME_BYTES - len(ending))}{ending}"


def render(
    animation: FilmReader,
    brain: Predictor,
    out: Path,
    style: Style = DEFAULT_STYLE,
    delivery: Delivery = DEFAULT_DELIVERY,
    on_progress: ProgressCallback = ignore_progress,
    *,
    corpus: Corpus | CorpusPointer | None = None,
) -> RenderResult:
    """Give an animation the soundtrack that a brain hears in it.

    The same animation, brain, style and delivery give the same sound: to the bit on one machine
    with as many threads, else but for rounding.

    Parameters
    ----------
    animation : FilmReader
    brain : Sounding
    out : Path
        A film, or a ``.wav`` for the sound alone.
    style : Style
    delivery : Delivery
    on_progress : callable
        Is called with the seconds of the animation that are done.
    corpus : Corpus or CorpusPointer, optional
        What ``mosaic`` is made of, such as a brain's own; the other modes do without.

    Raises
    ------
    SoundtrackError
        The output exists, cannot hold this picture or sound, or cannot be written; a setting does
        nothing to what the brain predicts.
    FilmError, BrainError
        The animation cannot be read; the brain's output is not sound, or its corpus is not there.
    """
    refuse_existing(out, SoundtrackError, overwrite=delivery.overwrite)
    if out.exists() and out.samefile(animation.streams.path):
        raise SoundtrackError(f"{out} is the animation itself; choose another name")
    wav = delivery.wav or out.suffix.lower() == ".wav"
    if wav and out.suffix.lower() != ".wav":
        raise SoundtrackError(f"got --wav and {out.name}, expected a name that ends in .wav")
    codec = None if wav else audio_codec_for(out, delivery.codec)
    own = _open_original_audio(animation, delivery, codec)
    with atomic_write(out, SoundtrackError, overwrite=delivery.overwrite) as partial:
        renderer = style.build_renderer(brain, corpus)
        soundtrack = Soundtrack(animation, brain, renderer, on_progress)
        finish = OutputWriter(brain.clock.sample_rate, own, delivery, codec)
        peak_db = finish.write(soundtrack, partial)
    notes = [*animation.notes, *_notes(animation.streams, delivery, wav), *finish.notes()]
    return RenderResult(
        path=out,
        seconds=float(soundtrack.seconds),
        sample_rate=finish.output_sample_rate,
        true_peak_db=peak_db,
        notes=(*notes, *filter(None, [renderer.summary])),
        channels=finish.output_channels(renderer.channels),
        loudness_lufs=finish.loudness_lufs,
    )


def _open_original_audio(
    animation: FilmReader, delivery: Delivery, codec: AudioCodec | None
) -> FilmReader | None:
    streams = animation.streams
    if delivery.keep_original_db is None or streams.audio_index is None:
        return None
    return type(animation)(
        streams.path,
        streams.audio_sample_rate
        if codec is None
        else codec.supported_sample_rate(streams.audio_sample_rate),
        channels=min(streams.audio_channels, 2),
        allow_damaged=animation.allow_damaged,
        limits=animation.limits,
        fps=animation.streams.sequence_fps,
    )


def _notes(streams: Streams, delivery: Delivery, wav: bool) -> Iterator[str]:
    if streams.audio_index is not None:
        kept = delivery.keep_original_db
        if kept is not None:
            yield f"its own sound was kept at {kept:g} dB"
        elif not wav:
            yield "its own sound was replaced; --keep-original 0dB keeps it"
    elif delivery.keep_original_db is not None:
        yield "it has no sound of its own to keep"
