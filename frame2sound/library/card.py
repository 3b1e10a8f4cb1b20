"""The card of a pickled film: its metadata in ``film.json``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from frame2sound.clock import parse_frame_rate
from frame2sound.errors import LibraryError
from frame2sound.library.checksums import Checksums
from frame2sound.library.folders import ARRAY_FILES, FULL_SOUND_FILE
from frame2sound.untrusted import parse_json, refuse_newer_version

CARD_VERSION = 4
"""Cards of version 1 have no checksums, those of version 2 no stamp, those of 3 no full sound."""

MIN_CARD_FRAME_RATE, MAX_CARD_FRAME_RATE = Fraction(1, 10**5), Fraction(10**6)
"""The range of frame rates that a card can hold, in frames per second."""

SampleRate = Annotated[int, Meta(ge=100, le=768_000)]
"""A sample rate in Hz."""

_Count = Annotated[int, Meta(ge=0, le=2**48)]
_Stream = Annotated[int, Meta(ge=0, le=10**6)]
_Text = Annotated[str, Meta(max_length=20_000)]
_ShortText = Annotated[str, Meta(max_length=200)]


@dataclass(frozen=True)
class FullSoundFormat:
    """Rate in Hz, number of channels, and samples per channel of a film's sound as it is heard."""

    sample_rate: SampleRate
    channels: Annotated[int, Meta(ge=1, le=2)]
    samples: Annotated[int, Meta(ge=1, le=2**48)]


class LibraryInfo(msgspec.Struct, frozen=True):
    """The table of a ``library.json``: the properties that all of its films share."""

    version: Annotated[int, Meta(ge=1)]
    sample_rate: SampleRate
    colour: bool = False


class _CardTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table of a ``film.json``; see `Card`."""

    source: _Text
    digest: _ShortText
    fps: str | int
    frames: Annotated[int, Meta(ge=1, le=2**40)]
    samples: _Count
    sample_rate: SampleRate
    audio_range: tuple[_Count, _Count] = msgspec.field(name="sounding")
    notes: Annotated[tuple[_Text, ...], Meta(max_length=10_000)]
    version: Annotated[int, Meta(ge=1)]
    video_stream: _Stream | None = None
    audio_stream: _Stream | None = None
    checksums: Checksums | None = None
    stamp: _ShortText | None = None
    background: Annotated[int, Meta(ge=0, le=255)] = msgspec.field(name="ground", default=0)
    full_sound: FullSoundFormat | None = None


@dataclass(frozen=True)
class Card:
    """The metadata of a pickled film.

    Attributes
    ----------
    source : str
        The path or address of the film.
    digest : str
        The SHA-256 of the film's file.
    audio_range : (int, int)
        The samples that the film's audio stream covers. Outside it the sound is padded with
        silence, which is not used for training.
    video_stream, audio_stream : int or None
        The streams that were chosen; None for the default.
    notes : tuple of str
        Remarks for the user, such as a repaired damage.
    checksums : Checksums or None
        Those of the arrays.
    stamp : str or None
        A hash of the remote system's metadata of the file, if the film came from an address.
    background : int
        The grey, 0 to 255, behind transparent pictures.
    full_sound : FullSoundFormat or None
        What ``full_sound.flac`` holds; None if the film has none.
    """

    source: str
    digest: str
    fps: Fraction
    frames: int
    samples: int
    sample_rate: int
    audio_range: tuple[int, int]
    video_stream: int | None = None
    audio_stream: int | None = None
    notes: tuple[str, ...] = ()
    checksums: Checksums | None = None
    stamp: str | None = None
    background: int = 0
    full_sound: FullSoundFormat | None = None
    version: int = CARD_VERSION

    def __post_init__(self) -> None:
        begin, end = self.audio_range
        if not 0 <= begin <= end <= self.samples or self.frames < 1 or self.fps <= 0:
            raise ValueError("the card has an impossible value")

    def to_json(self) -> str:
        """Return the card as JSON text, which also preserves names that are not UTF-8."""
        keys = _CardTable.__struct_encode_fields__
        keys_of_fields = dict(zip(_CardTable.__struct_fields__, keys, strict=True))
        table = {keys_of_fields[name]: value for name, value in asdict(self).items()}
        table["fps"] = str(self.fps)
        if not self.background:
            del table["ground"]  # version 0.1 refuses unknown keys
        if self.full_sound is None:
            del table["full_sound"]
        if self.checksums is not None and self.checksums.full_sound is None:
            del table["checksums"]["full_sound"]
        text = json.dumps(table, indent=1, ensure_ascii=False)
        return text if _is_utf8(text) else json.dumps(table, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Card:
        """Return the card in a JSON text.

        Raises
        ------
        ValueError
            The text is not a card, or has an impossible value.
        LibraryError
            A newer version of the program made it.
        """
        table = parse_json(text)
        if not isinstance(table, dict):
            raise ValueError("the text is not a card")
        refuse_newer_version(table.get("version"), CARD_VERSION, "the card", LibraryError)
        try:
            stored = msgspec.convert(table, _CardTable)
        except msgspec.ValidationError as error:
            raise ValueError(f"the text is not a card: {error}") from error
        fields: dict[str, Any] = {name: getattr(stored, name) for name in stored.__struct_fields__}
        return cls(
            **fields
            | {"fps": parse_frame_rate(stored.fps, MIN_CARD_FRAME_RATE, MAX_CARD_FRAME_RATE)}
        )


def media_files(card: Card) -> tuple[str, ...]:
    """Return the names of the files that a film's folder holds beside its card."""
    return ARRAY_FILES if card.full_sound is None else (*ARRAY_FILES, FULL_SOUND_FILE)


def clamp_frame_rate(fps: Fraction) -> Fraction:
    """Return a frame rate limited to the range that a card can hold."""
    return min(max(fps, MIN_CARD_FRAME_RATE), MAX_CARD_FRAME_RATE)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
