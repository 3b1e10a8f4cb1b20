"""How a film is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from frame2sound.film.limits import DEFAULT_LIMITS, Limits


@dataclass(frozen=True)
class DecodeOptions:
    """Options of decoding a film.

    Attributes
    ----------
    video_stream, audio_stream : int, optional
        Index of the stream to use, from 0 among the streams of its kind; None for the default one.
    allow_damaged : bool
        Decode what can be decoded of a truncated or corrupt film, and add a note.
    limits : Limits
        Largest picture and longest duration.
    threads : int, optional
        Number of decoding threads; None for one per processor.
    hardware : str, optional
        Device that decodes the video, such as "cuda" or "videotoolbox".
    fps : Fraction, optional
        Frame rate of numbered pictures: a folder, or a name with ``%04d`` in it.
    background : int
        Grey level, 0 (black) to 255, behind transparent pictures.
    allow_sound_alone : bool
        Accept files that have sound and no moving picture.
    """

    video_stream: int | None = None
    audio_stream: int | None = None
    allow_damaged: bool = False
    limits: Limits = DEFAULT_LIMITS
    threads: int | None = None
    hardware: str | None = None
    fps: Fraction | None = None
    background: int = 0
    allow_sound_alone: bool = False


DEFAULT_DECODE_OPTIONS = DecodeOptions()
