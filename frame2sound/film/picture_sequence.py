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
from frame2sound.film.opening import open_file, open_film

_PICTURES = "bmp dpx exr hdr jp2 jpeg jpg jxl pbm pcx pgm png ppm psd qoi tif tiff webp"
PICTURES = frozenset(f".{kind}" for kind in _PICTURES.split())
"""Endings of pictures that can be read one by one."""

_SOUNDS = "aac aif aiff caf flac m4a mp3 oga ogg opus w64 wav"
SOUNDS = frozenset(f".{kind}" for kind in _SOUNDS.split())
"""Endings of sounds that may lie beside pictures."""

MOST_BYTES = 1 << 30
"""Of one picture's file."""

_NUMBER = re.compile(r"%(?:0(\d{1,2}))?d")

Packet: TypeAlias = "av.Packet[Any]"


@dataclass(frozen=True)
class Shown:
    """A picture's file, as its content, and how many ticks it is shown."""

    content: bytes
    ticks: int = 1


@dataclass(frozen=True)
class _Format:
    name: str


class _Streams(list[Any]):
    """What `PictureSequence` holds: its picture, then its sound."""

    @property
    def video(self) -> list[av.VideoStream]:
        return [each for each in self if each.type == "video"]

    @property
    def audio(self) -> list[av.AudioStream]:
        return [each for each in self if each.type == "audio"]


class PictureSequence:
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
        first: InputContainer,
        pictures: Iterable[Shown],
        tick: Fraction,
        seconds: float | None,
        sound: InputContainer | None = None,
    ) -> None:
        self._first, self._pictures, self._tick, self._sound = first, pictures, tick, sound
        self.streams = _Streams(first.streams.video[:1])
        if sound is not None:
            self.streams += sound.streams.audio
        self.format = _Format("pictures")
        self.duration = None if seconds is None else round(seconds * av.time_base)

    def __enter__(self) -> PictureSequence:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files."""
        for container in (self._first, self._sound):
            if container is not None:
                container.close()

    def demux(self, *streams: Any) -> Iterator[Packet]:
        """Yield packets, the sound beside the picture; of the streams named, or of all."""
        wanted = streams or tuple(self.streams)
        sound = self._sounds([each for each in wanted if each.type == "audio"])
        waiting = next(sound, None)
        stream, time = self.streams[0], 0
        for shown in self._pictures:
            while waiting is not None and _seconds(waiting) <= time * self._tick:
                yield waiting
                waiting = next(sound, None)
            packet: Packet = av.Packet(shown.content)
            packet.stream, packet.time_base = stream, self._tick
            packet.pts = packet.dts = time
            packet.duration, packet.is_keyframe = shown.ticks, True
            time += shown.ticks
            if stream in wanted:
                yield packet
        if stream in wanted:
            flush: Packet = av.Packet(0)
            flush.stream = stream
            yield flush
        if waiting is not None:
            yield waiting
        yield from sound

    def _sounds(self, streams: list[av.AudioStream]) -> Iterator[Packet]:
        if self._sound is not None and streams:
            yield from self._sound.demux(*streams)


def _seconds(packet: Packet) -> Fraction:
    return (packet.pts or 0) * Fraction(packet.time_base or 0)


def is_sequence(path: Path) -> bool:
    """Whether a path means numbered pictures: a folder, or a name with %d or %04d in it."""
    return path.is_dir() or (bool(_NUMBER.search(path.name)) and not path.exists())


def picture_files(path: Path) -> tuple[list[Path], tuple[str, ...]]:
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
        kinds.update(kind for name in names if (kind := _kind(name)) in PICTURES)
        most = max(kinds, key=lambda kind: (kinds[kind], kind), default=None)
        found = [name for name in names if _kind(name) == most] if most else []
    else:
        pattern = _as_expression(path.name)
        found = [name for name in names if pattern.fullmatch(name)]
    if not found:
        raise FilmError(
            f"{path} holds no pictures; expected a film, or numbered pictures, as .png or .tif"
        )
    found.sort(key=_by_number)
    notes = [f"{len(found)} pictures, {found[0]} to {found[-1]}"]
    if len(kinds) > 1:
        notes.append(f"left out {kinds.total() - len(found)} pictures of other kinds")
    if missing := _missing(found):
        notes.append(f"{missing} numbers are missing between them; the next picture follows")
    return [folder / name for name in found], tuple(notes)


def sound_file(path: Path) -> Path | None:
    """Return the sound of a folder of pictures: the only one in it."""
    folder = path if path.is_dir() else path.parent
    sounds = [each for each in folder.iterdir() if _kind(each.name) in SOUNDS]
    return sounds[0] if len(sounds) == 1 and sounds[0].is_file() else None


def open_sequence(path: Path, fps: Fraction, most_pixels: int | None = None) -> PictureSequence:
    """Open numbered pictures; a sound in their folder is theirs if it is the only one.

    Raises
    ------
    FilmError
        There are none, or the first cannot be read.
    """
    files, _ = picture_files(path)
    first = open_film(files[0], most_pixels=most_pixels, framerate=fps)
    sound = sound_file(path)
    pictures = (Shown(_content(file)) for file in files)
    return PictureSequence(
        first,
        pictures,
        1 / fps,
        float(len(files) / fps),
        None if sound is None else open_film(sound),
    )


def _content(path: Path) -> bytes:
    with os.fdopen(open_file(path), "rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise FilmError(f"{path} is larger than {MOST_BYTES >> 30} GiB; expected a picture")
    return content


def _kind(name: str) -> str:
    return Path(name).suffix.lower()


def _as_expression(pattern: str) -> re.Pattern[str]:
    """Turn "shot-%04d.png" into a regular expression; 4 digits, or more where they run out."""
    digits = iter(_NUMBER.finditer(pattern))
    pieces = [re.escape(piece) for piece in _NUMBER.sub("\0", pattern).split("\0")]
    expression = pieces[0]
    for piece, number in zip(pieces[1:], digits, strict=True):
        expression += rf"\d{{{number[1] or 1},}}" + piece
    return re.compile(expression)


def _by_number(name: str) -> list[tuple[int, int | str]]:
    """Return a key by which shot2 comes before shot10."""
    pieces = re.split(r"(\d+)", name)
    return [(0, int(piece)) if piece.isdigit() else (1, piece) for piece in pieces]


def _missing(names: list[str]) -> int:
    """Return how many numbers are missing, by the last number in each name."""
    numbers = [int(found[-1]) for name in names if (found := re.findall(r"\d{1,9}", name))]
    if len(numbers) != len(names) or len(set(numbers)) < len(names):
        return 0
    return max(numbers) - min(numbers) + 1 - len(numbers)
