"""Read numbered pictures as a film."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer

from frame2sound.errors import FilmError
from frame2sound.film.decoding.ffmpeg_input import Packet, open_film, open_regular_file
from frame2sound.film.limits import Limits

_IMAGE_FORMATS = "bmp dpx exr hdr jp2 jpeg jpg jxl pbm pcx pgm png ppm psd qoi tif tiff webp"
IMAGE_SUFFIXES = frozenset(f".{kind}" for kind in _IMAGE_FORMATS.split())
"""File suffixes of pictures that can be read one by one."""

_AUDIO_FORMATS = "aac aif aiff caf flac m4a mp3 oga ogg opus w64 wav"
AUDIO_SUFFIXES = frozenset(f".{kind}" for kind in _AUDIO_FORMATS.split())
"""File suffixes of sounds that may accompany pictures in their folder."""

MAX_IMAGE_BYTES = 1 << 30
"""Largest file of a picture."""

_NUMBER = re.compile(r"%(?:0([0-9]{1,2}))?d")


@dataclass(frozen=True)
class TimedImage:
    """The content of a picture's file, and its duration in ticks."""

    content: bytes
    duration_ticks: int = 1


@dataclass(frozen=True)
class _Format:
    name: str


class _StreamList(list[Any]):
    """Streams of an `ImageSequence`: video, then audio."""

    @property
    def video(self) -> list[av.VideoStream]:
        return [each for each in self if each.type == "video"]

    @property
    def audio(self) -> list[av.AudioStream]:
        return [each for each in self if each.type == "audio"]


class ImageSequence:
    """Pictures and optional audio, with the interface of an `av.container.InputContainer`.

    Parameters
    ----------
    first_image : InputContainer
        The first picture, opened; its stream decodes all pictures.
    images : iterable of TimedImage
    time_base : Fraction
        Seconds per tick; the first picture's time base.
    duration_seconds : float, optional
        Duration of the film, if known.
    audio : InputContainer, optional
    """

    def __init__(
        self,
        first_image: InputContainer,
        images: Iterable[TimedImage],
        time_base: Fraction,
        duration_seconds: float | None,
        audio: InputContainer | None = None,
    ) -> None:
        self._first_image, self._images = first_image, images
        self._time_base, self._audio = time_base, audio
        self.streams = _StreamList(first_image.streams.video[:1])
        if audio is not None:
            self.streams += audio.streams.audio
        self.format = _Format("pictures")
        self.duration = None if duration_seconds is None else round(duration_seconds * av.time_base)

    def __enter__(self) -> ImageSequence:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files."""
        for container in (self._first_image, self._audio):
            if container is not None:
                container.close()

    def demux(self, *streams: Any) -> Iterator[Packet]:
        """Yield the interleaved packets of the given streams, or of all."""
        selected = streams or tuple(self.streams)
        audio = self._audio_packets([each for each in selected if each.type == "audio"])
        next_audio = next(audio, None)
        video, pts = self.streams[0], 0
        for image in self._images:
            while next_audio is not None and _pts_seconds(next_audio) <= pts * self._time_base:
                yield next_audio
                next_audio = next(audio, None)
            packet: Packet = av.Packet(image.content)
            packet.stream, packet.time_base = video, self._time_base
            packet.pts = packet.dts = pts
            packet.duration, packet.is_keyframe = image.duration_ticks, True
            pts += image.duration_ticks
            if video in selected:
                yield packet
        if video in selected:
            flush: Packet = av.Packet(0)
            flush.stream = video
            yield flush
        if next_audio is not None:
            yield next_audio
        yield from audio

    def _audio_packets(self, streams: list[av.AudioStream]) -> Iterator[Packet]:
        if self._audio is not None and streams:
            yield from self._audio.demux(*streams)


def _pts_seconds(packet: Packet) -> Fraction:
    return (packet.pts or 0) * Fraction(packet.time_base or 0)


def is_image_sequence(path: Path) -> bool:
    """Return whether a path means numbered pictures: a folder, or a name with %d or %04d."""
    return path.is_dir() or (bool(_NUMBER.search(path.name)) and not path.exists())


def image_files(path: Path) -> tuple[list[Path], tuple[str, ...]]:
    """Return the pictures of a folder or a pattern, ordered by number, and notes.

    If a folder holds several kinds of pictures, the most frequent kind is used.

    Raises
    ------
    FilmError
        There are none.
    """
    folder = path if path.is_dir() else path.parent
    try:
        names = [entry.name for entry in os.scandir(folder) if entry.is_file()]
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise FilmError(f"{path} cannot be read ({why}); expected a folder of pictures") from error
    names = [name for name in names if not name.startswith(".")]
    kinds: Counter[str] = Counter()
    if path.is_dir():
        kinds.update(kind for name in names if (kind := _suffix(name)) in IMAGE_SUFFIXES)
        kind = max(kinds, key=lambda kind: (kinds[kind], kind), default="")
        found = [name for name in names if _suffix(name) == kind] if kind else []
    else:
        pattern = _pattern_to_regex(path.name)
        found = [name for name in names if pattern.fullmatch(name)]
    if not found:
        raise FilmError(
            f"{path} holds no pictures; expected a film, or numbered pictures, as .png or .tif"
        )
    found.sort(key=_natural_sort_key)
    notes = [f"{len(found)} pictures, {found[0]} to {found[-1]}"]
    if len(kinds) > 1:
        notes.append(f"left out {kinds.total() - len(found)} pictures of other kinds")
    if missing := _count_missing_numbers(found):
        notes.append(f"{missing} numbers are missing between them; the next picture follows")
    return [folder / name for name in found], tuple(notes)


def audio_file(path: Path) -> Path | None:
    """Return the audio file of a folder of pictures; None unless there is exactly one."""
    folder = path if path.is_dir() else path.parent
    visible = (each for each in folder.iterdir() if not each.name.startswith("."))
    files = [each for each in visible if _suffix(each.name) in AUDIO_SUFFIXES]
    return files[0] if len(files) == 1 and files[0].is_file() else None


def open_image_sequence(path: Path, fps: Fraction, limits: Limits | None = None) -> ImageSequence:
    """Open numbered pictures, and the audio file in their folder if there is exactly one.

    Raises
    ------
    FilmError
        There are no pictures, or the first cannot be read.
    """
    files, _ = image_files(path)
    first = open_film(files[0], limits=limits, fps=fps)
    audio = audio_file(path)
    return ImageSequence(
        first,
        (TimedImage(_read_image(file)) for file in files),
        1 / fps,
        float(len(files) / fps),
        None if audio is None else open_film(audio),
    )


def _read_image(path: Path) -> bytes:
    with os.fdopen(open_regular_file(path), "rb") as file:
        content = file.read(MAX_IMAGE_BYTES + 1)
    if len(content) > MAX_IMAGE_BYTES:
        raise FilmError(f"{path} is larger than {MAX_IMAGE_BYTES >> 30} GiB; expected a picture")
    return content


def _suffix(name: str) -> str:
    return Path(name).suffix.lower()


def _pattern_to_regex(pattern: str) -> re.Pattern[str]:
    """Return a regular expression for a pattern such as "shot-%04d.png": 4 digits or more."""
    digits = iter(_NUMBER.finditer(pattern))
    pieces = [re.escape(piece) for piece in _NUMBER.sub("\0", pattern).split("\0")]
    expression = pieces[0]
    for piece, number in zip(pieces[1:], digits, strict=True):
        expression += rf"[0-9]{{{number[1] or 1},}}" + piece
    return re.compile(expression)


def _natural_sort_key(name: str) -> list[tuple[int, int | str]]:
    """Return a sort key that puts shot2 before shot10."""
    pieces = re.split(r"([0-9]+)", name)  # every second one is a number
    return [(0, int(piece)) if at % 2 else (1, piece) for at, piece in enumerate(pieces)]


def _count_missing_numbers(names: list[str]) -> int:
    """Return how many numbers are missing, judged by the last number in each name."""
    numbers = [int(found[-1]) for name in names if (found := re.findall(r"[0-9]{1,9}", name))]
    if len(numbers) != len(names) or len(set(numbers)) < len(names):
        return 0
    return max(numbers) - min(numbers) + 1 - len(numbers)
