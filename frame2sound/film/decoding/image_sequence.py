"""Numbered pictures read as a film."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import av
from av.container import InputContainer

from frame2sound.errors import FilmError
from frame2sound.film.decoding.ffmpeg_input import open_film, open_regular_file

_IMAGE_FORMATS = "bmp dpx exr hdr jp2 jpeg jpg jxl pbm pcx pgm png ppm psd qoi tif tiff webp"
IMAGE_SUFFIXES = frozenset(f".{kind}" for kind in _IMAGE_FORMATS.split())
"""Endings of pictures that can be read one by one."""

_AUDIO_FORMATS = "aac aif aiff caf flac m4a mp3 oga ogg opus w64 wav"
AUDIO_SUFFIXES = frozenset(f".{kind}" for kind in _AUDIO_FORMATS.split())
"""Endings of sounds that may lie beside pictures."""

MAX_IMAGE_BYTES = 1 << 30
"""Of one picture's file."""

_NUMBER = re.compile(r"%(?:0(\d{1,2}))?d")

Packet: TypeAlias = "av.Packet[Any]"


@dataclass(frozen=True)
class TimedImage:
    """A picture's file, as its content, and how many ticks it is shown."""

    content: bytes
    duration_ticks: int = 1


@dataclass(frozen=True)
class _Format:
    name: str


class _StreamList(list[Any]):
    """What `PictureSequence` holds: its picture, then its sound."""

    @property
    def video(self) -> list[av.VideoStream]:
        return [each for each in self if each.type == "video"]

    @property
    def audio(self) -> list[av.AudioStream]:
        return [each for each in self if each.type == "audio"]


class ImageSequence:
    """Pictures, and a sound if there is one, with the face of an `av.container.InputContainer`.

    Parameters
    ----------
    first : InputContainer
        The first picture, opened: its stream decodes all.
    pictures : iterable of Shown
    tick : Fraction
        Seconds; the first picture's time base.
    seconds : float, optional
        How long all are shown, if it is known.
    sound : InputContainer, optional
    """

    def __init__(
        self,
        first_image: InputContainer,
        images: Iterable[TimedImage],
        time_base: Fraction,
        duration_seconds: float | None,
        audio: InputContainer | None = None,
    ) -> None:
        self._first_image, self._images, self._time_base, self._audio = (
            first_image,
            images,
            time_base,
            audio,
        )
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
        """Yield packets, the sound beside the picture; of the streams named, or of all."""
        wanted = streams or tuple(self.streams)
        sound = self._audio_packets([each for each in wanted if each.type == "audio"])
        waiting = next(sound, None)
        stream, time = self.streams[0], 0
        for shown in self._images:
            while waiting is not None and _pts_seconds(waiting) <= time * self._time_base:
                yield waiting
                waiting = next(sound, None)
            packet: Packet = av.Packet(shown.content)
            packet.stream, packet.time_base = stream, self._time_base
            packet.pts = packet.dts = time
            packet.duration, packet.is_keyframe = shown.duration_ticks, True
            time += shown.duration_ticks
            if stream in wanted:
                yield packet
        if stream in wanted:
            flush: Packet = av.Packet(0)
            flush.stream = stream
            yield flush
        if waiting is not None:
            yield waiting
        yield from sound

    def _audio_packets(self, streams: list[av.AudioStream]) -> Iterator[Packet]:
        if self._audio is not None and streams:
            yield from self._audio.demux(*streams)


def _pts_seconds(packet: Packet) -> Fraction:
    return (packet.pts or 0) * Fraction(packet.time_base or 0)


def is_image_sequence(path: Path) -> bool:
    """Whether a path means numbered pictures: a folder, or a name with %d or %04d in it."""
    return path.is_dir() or (bool(_NUMBER.search(path.name)) and not path.exists())


def image_files(path: Path) -> tuple[list[Path], tuple[str, ...]]:
    """Return the pictures of a folder or a pattern in the order of their numbers, and notes.

    Of a folder with several kinds of pictures, the kind that most have is taken.

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
        most = max(kinds, key=lambda kind: (kinds[kind], kind), default=None)
        found = [name for name in names if _suffix(name) == most] if most else []
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
    """Return the sound of a folder of pictures: the only one in it."""
    folder = path if path.is_dir() else path.parent
    sounds = [each for each in folder.iterdir() if _suffix(each.name) in AUDIO_SUFFIXES]
    return sounds[0] if len(sounds) == 1 and sounds[0].is_file() else None


def open_image_sequence(path: Path, fps: Fraction, max_pixels: int | None = None) -> ImageSequence:
    """Open numbered pictures; a sound in their folder is theirs if it is the only one.

    Raises
    ------
    FilmError
        There are none, or the first cannot be read.
    """
    files, _ = image_files(path)
    first = open_film(files[0], max_pixels=max_pixels, fps=fps)
    sound = audio_file(path)
    pictures = (TimedImage(_read_image(file)) for file in files)
    return ImageSequence(
        first,
        pictures,
        1 / fps,
        float(len(files) / fps),
        None if sound is None else open_film(sound),
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
    """Turn "shot-%04d.png" into a regular expression; 4 digits, or more where they run out."""
    digits = iter(_NUMBER.finditer(pattern))
    pieces = [re.escape(piece) for piece in _NUMBER.sub("\0", pattern).split("\0")]
    expression = pieces[0]
    for piece, number in zip(pieces[1:], digits, strict=True):
        expression += rf"\d{{{number[1] or 1},}}" + piece
    return re.compile(expression)


def _natural_sort_key(name: str) -> list[tuple[int, int | str]]:
    """Return a key by which shot2 comes before shot10."""
    pieces = re.split(r"(\d+)", name)
    return [(0, int(piece)) if piece.isdigit() else (1, piece) for piece in pieces]


def _count_missing_numbers(names: list[str]) -> int:
    """Return how many numbers are missing, by the last number in each name."""
    numbers = [int(found[-1]) for name in names if (found := re.findall(r"\d{1,9}", name))]
    if len(numbers) != len(names) or len(set(numbers)) < len(names):
        return 0
    return max(numbers) - min(numbers) + 1 - len(numbers)
