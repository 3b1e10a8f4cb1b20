"""The whole of rendering: an animation in, the same animation sounding out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from frame2sound.brain.corpus import Corpus, CorpusPointer
from frame2sound.brain.sounding import Sounding
from frame2sound.errors import SoundtrackError
from frame2sound.film.containers import CONTAINERS, SoundCodec, sound_codec
from frame2sound.film.muxer import DRAWN_ANEW
from frame2sound.film.reader import FilmReader
from frame2sound.film.streams import Streams
from frame2sound.rendering.delivery import Delivery, Finish
from frame2sound.rendering.modes import DEFAULT_MODE, Mode
from frame2sound.rendering.soundtrack import Soundtrack
from frame2sound.rendering.style import Style
from frame2sound.safe import refuse_existing, whole_file
from frame2sound.sound.limiter import CEILING_DB, HEADROOM_DB

__all__ = ["DEFAULT_MODE", "Delivery", "Mode", "Rendered", "Style", "default_output", "render"]

PLAIN_STYLE, PLAIN_DELIVERY = Style(), Delivery()

MOST_ROOM_DB = -20.0
"""Lossy codecs add to the peaks; they are given room for it, but no more than this."""


@dataclass(frozen=True)
class Rendered:
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
    peak_db: float
    notes: tuple[str, ...]
    channels: int = 1
    loudness_lufs: float | None = None


def default_output(animation: Path, folder: Path, wav: bool) -> Path:
    """Return a name for an animation with its soundtrack: its own ending where that can sound."""
    ending = animation.suffix.lower()
    if wav:
        ending = ".wav"
    elif ending == ".gif":
        ending = ".mp4"
    elif ending not in CONTAINERS:
        ending = ".mkv"
    return folder / f"{animation.stem}-sounding{ending}"


def render(
    animation: FilmReader,
    brain: Sounding,
    out: Path,
    style: Style = PLAIN_STYLE,
    delivery: Delivery = PLAIN_DELIVERY,
    progress: Callable[[float], None] = lambda seconds: None,
    *,
    corpus: Corpus | CorpusPointer | None = None,
) -> Rendered:
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
    progress : callable
        Is told the seconds of the animation that are done.
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
    codec = None if wav else sound_codec(out, delivery.codec)
    own = _own_sound(animation, delivery, codec)
    room_db = 0.0
    with whole_file(out, SoundtrackError, overwrite=delivery.overwrite) as partial:
        while True:
            renderer = style.renderer(brain, corpus)
            soundtrack = Soundtrack(animation, brain, renderer, progress)
            finish = Finish(brain.clock.sample_rate, own, delivery, codec, room_db)
            peak_db = finish.write(soundtrack, partial)
            if peak_db <= CEILING_DB or room_db < MOST_ROOM_DB:
                break
            room_db -= peak_db - CEILING_DB + HEADROOM_DB
    notes = [*animation.notes, *_notes(animation.streams, delivery, wav), *finish.notes()]
    return Rendered(
        path=out,
        seconds=float(soundtrack.seconds),
        sample_rate=finish.to_rate,
        peak_db=peak_db,
        notes=(*notes, *filter(None, [renderer.summary])),
        channels=finish.channels(renderer.channels),
        loudness_lufs=finish.loudness,
    )


def _own_sound(
    animation: FilmReader, delivery: Delivery, codec: SoundCodec | None
) -> FilmReader | None:
    streams = animation.streams
    if delivery.keep_original_db is None or streams.audio is None:
        return None
    return type(animation)(
        streams.path,
        streams.audio_rate if codec is None else codec.sample_rate(streams.audio_rate),
        channels=min(streams.audio_channels, 2),
        allow_damaged=animation.allow_damaged,
        limits=animation.limits,
    )


def _notes(streams: Streams, delivery: Delivery, wav: bool) -> Iterator[str]:
    if streams.video_codec in DRAWN_ANEW and not wav:
        yield f"the picture was {streams.video_codec}, which cannot sound; encoded as H.264"
        if streams.width % 2 or streams.height % 2:
            yield "padded by one pixel to an even size"
    if streams.audio is not None:
        kept = delivery.keep_original_db
        if kept is not None:
            yield f"its own sound was kept at {kept:g} dB"
        elif not wav:
            yield "its own sound was replaced; --keep-original 0dB keeps it"
    elif delivery.keep_original_db is not None:
        yield "it has no sound of its own to keep"
