"""The corpus of a brain: sound of its training films, from which a mosaic is built.

In a brain's file a corpus is either stored as FLAC or is a pointer to a library.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from io import BytesIO
from typing import Any, Literal

import numpy as np
import soundfile
from numpy.typing import NDArray

from frame2sound.brain.event_curves import APPEARANCE_SIDE
from frame2sound.brain.pieces import Piece, mono_piece
from frame2sound.clock import Clock
from frame2sound.errors import BrainError
from frame2sound.name_matching import match_film_name

__all__ = [
    "MAX_CORPUS_BYTES",
    "MAX_SAMPLE_RATE",
    "Corpus",
    "CorpusMode",
    "CorpusPointer",
    "FilmPictures",
    "Piece",
    "corpus_from_file",
    "corpus_tensor_names",
    "corpus_to_file",
    "stored_bytes",
]

CorpusMode = Literal["carry", "point", "none"]
"""Whether a brain's file stores sound of its films, points to their library, or does neither."""

CORPUS_PREFIX = "corpus."
"""The name of a tensor that holds sound is this prefix and the film's name."""

PICTURES_PREFIX = "pictures."
"""The name of a tensor that holds thumbnails is this prefix and the film's name."""

MAX_PIECES = 10_000
"""A file whose corpus claims more pieces is refused."""

MAX_PICTURES = 100_000
"""A file whose corpus claims more thumbnails of a film is refused."""

MAX_SECONDS = 3600.0
"""A file whose corpus claims to be longer is refused."""

MAX_CORPUS_BYTES = 64_000_000
"""The most that the sound of a corpus takes in a brain that training writes."""

MAX_SAMPLE_RATE = 48_000
"""The highest sample rate of a corpus in Hz, unless the brain's own is higher."""

MAX_AMPLITUDE = 100.0
"""A file whose corpus claims a higher peak is refused."""

MAX_GAIN_DB = 100.0
"""A file whose corpus claims a gain beyond this, up or down, is refused."""

_REMEDY = "copy it again or train it again"

_FLAC_RATE = 48_000
"""The sample rate in the FLAC header, which cannot hold every rate that a brain may have."""

Table = dict[str, Any]
Tensors = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class FilmPictures:
    """Thumbnails of a film, by which scenes that look alike are found.

    Attributes
    ----------
    times : float64 array (n,)
        When each is on screen, in seconds of the film, ascending.
    thumbnails : uint8 array (n, 8, 8)
        Grey, 0 black to 255 white.
    """

    times: NDArray[np.float64]
    thumbnails: NDArray[np.uint8]


@dataclass(frozen=True)
class Corpus:
    """Pieces of films, and the clock of the brain whose frames cut them into units.

    Attributes
    ----------
    clock : Clock
        The brain's.
    pieces : tuple of Piece
        All at one sample rate, with as many channels each.
    pictures : mapping of str to FilmPictures
        By the names of films; films may lack.
    sample_rate : int
        Of the pieces, in Hz; 0, the default, stands for the clock's.
    """

    clock: Clock
    pieces: tuple[Piece, ...]
    pictures: Mapping[str, FilmPictures] = field(default_factory=dict)
    sample_rate: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "sample_rate", self.sample_rate or self.clock.sample_rate)

    @property
    def films(self) -> tuple[str, ...]:
        """The names of its films, sorted."""
        return tuple(sorted({piece.film for piece in self.pieces}))

    @property
    def seconds(self) -> float:
        """The duration of all pieces together."""
        return sum(map(len, self.pieces)) / self.sample_rate

    @property
    def channels(self) -> int:
        """One, or two: left and right."""
        return max((piece.channels for piece in self.pieces), default=1)

    @property
    def is_plain(self) -> bool:
        """Whether its sound is what brains learn from: mono, at the clock's rate."""
        return (self.sample_rate, self.channels) == (self.clock.sample_rate, 1)

    @property
    def sound_clock(self) -> Clock:
        """The brain's frames at the sample rate of the pieces."""
        return Clock(self.clock.fps, self.sample_rate)

    @cached_property
    def analysis(self) -> Corpus:
        """The corpus as brains learn from it: mono, at the clock's rate; itself if it is so."""
        rate, new_rate = self.sample_rate, self.clock.sample_rate
        if self.is_plain:
            return self
        pieces = tuple(mono_piece(piece, rate, new_rate) for piece in self.pieces)
        return Corpus(self.clock, pieces, self.pictures)

    def select_films(self, films: Iterable[str]) -> Corpus:
        """Return the corpus reduced to some of its films.

        Parameters
        ----------
        films : iterable of str
            Names of films, or beginnings that only one name has.

        Raises
        ------
        BrainError
            A name matches no film of the corpus, or several.
        """
        names = {
            match_film_name(name, self.films, "of the brain's corpus", BrainError) for name in films
        }
        if names == set(self.films):
            return self  # with its analysis, if that was made
        pieces = tuple(piece for piece in self.pieces if piece.film in names)
        pictures = {film: each for film, each in self.pictures.items() if film in names}
        return replace(self, pieces=pieces, pictures=pictures)


@dataclass(frozen=True)
class CorpusPointer:
    """A reference to a corpus: a library, and the digests of its films that belong to the corpus.

    Attributes
    ----------
    library : str
        Absolute path of the library; brains of earlier versions have it as the user gave it.
    films : dict
        Names of films to the digests of the files they were pickled from.
    gains_db : dict
        Names of films to the gain of their sound; others have none.
    """

    library: str
    films: dict[str, str]
    gains_db: dict[str, float] = field(default_factory=dict)


def corpus_to_file(corpus: Corpus | CorpusPointer | None) -> tuple[Table | None, Tensors]:
    """Return a description of a corpus in plain values, and the tensors that it is stored in.

    Sound is stored with 16 bits; full scale is 1, or the film's peak if that is higher.
    """
    if corpus is None:
        return None, {}
    if isinstance(corpus, CorpusPointer):
        pointer = {"kind": "pointed", "library": corpus.library, "films": corpus.films}
        return pointer | ({"gains_db": corpus.gains_db} if corpus.gains_db else {}), {}
    films: Table = {}
    tensors: Tensors = {}
    for name in corpus.films:
        pieces = corpus.select_films([name]).pieces
        peak, tensors[CORPUS_PREFIX + name] = _encode(pieces)
        films[name] = {"peak": peak, "pieces": [[p.start_sample, len(p)] for p in pieces]}
        if (pictures := corpus.pictures.get(name)) is not None:
            films[name]["picture_times"] = pictures.times.tolist()
            tensors[PICTURES_PREFIX + name] = pictures.thumbnails.copy()
    table: Table = {"kind": "carried", "films": films}
    if not corpus.is_plain:
        table |= {"sample_rate": corpus.sample_rate, "channels": corpus.channels}
    return table, tensors


def stored_bytes(corpus: Corpus) -> int:
    """Return how many bytes the sound of a corpus takes in a brain's file."""
    tensors = corpus_to_file(replace(corpus, pictures={}))[1]
    return sum(tensor.size for tensor in tensors.values())


def corpus_tensor_names(description: Table | None, clock: Clock) -> list[str]:
    """Return the names of the tensors that hold the sound and the pictures of a stored corpus.

    Raises
    ------
    LookupError, TypeError, AttributeError, ValueError
        The description is malformed, or the corpus is longer than `MAX_SECONDS` or in more than
        `MAX_PIECES`.
    """
    if description is None or description["kind"] != "carried":
        return []
    ranges = [_parse_ranges(film["pieces"]) for film in description["films"].values()]
    count = sum(map(len, ranges))
    if count > MAX_PIECES:
        raise ValueError(f"a corpus of {count} pieces, expected at most {MAX_PIECES}")
    rate, _ = _parse_format(description, clock)
    seconds = sum(length for film in ranges for _, length in film) / rate
    if not 0 < seconds <= MAX_SECONDS:
        raise ValueError(f"a corpus of {seconds:.0f} s, expected at most {MAX_SECONDS:.0f} s")
    films = {_require_text(name): film for name, film in description["films"].items()}
    pictured = [name for name, film in films.items() if "picture_times" in film]
    return [*(CORPUS_PREFIX + name for name in films), *(PICTURES_PREFIX + n for n in pictured)]


def corpus_from_file(
    description: Table | None, tensors: Tensors, clock: Clock
) -> Corpus | CorpusPointer | None:
    """Return the corpus of a brain's file, and remove what it is made of from ``tensors``.

    Raises
    ------
    BrainError
        Sound or pictures are missing, damaged, or not as many as the description says.
    LookupError, TypeError, ValueError
        The description is malformed.
    """
    if description is None:
        return None
    if description["kind"] == "pointed":
        digests = description["films"].items()
        films = {_require_text(name): _require_text(digest) for name, digest in digests}
        gains_db = {name: float(gain) for name, gain in description.get("gains_db", {}).items()}
        if not all(abs(gain) <= MAX_GAIN_DB for gain in gains_db.values()):
            raise ValueError(f"a corpus with a gain beyond {MAX_GAIN_DB:g} dB")
        return CorpusPointer(_require_text(description["library"]), films, gains_db)
    if description["kind"] != "carried":
        raise ValueError(f"a corpus of kind {description['kind']!r}")
    ranges = {name: _parse_ranges(film["pieces"]) for name, film in description["films"].items()}
    rate, channels = _parse_format(description, clock)
    pieces = []
    pictures = {}
    for name, film in ranges.items():
        peak = float(description["films"][name]["peak"])
        if not 1 <= peak <= MAX_AMPLITUDE:
            raise ValueError(f"a corpus with a peak of {peak}, expected 1 to {MAX_AMPLITUDE}")
        lengths = [length for _, length in film]
        flac = tensors.pop(CORPUS_PREFIX + name, None)
        sound = _decode(name, flac, sum(lengths), channels)
        parts = np.split(sound, np.cumsum(lengths)[:-1])
        starts = [start for start, _ in film]
        pieces += [Piece(name, *each, peak) for each in zip(starts, parts, strict=True)]
        if (times := description["films"][name].get("picture_times")) is not None:
            thumbnails = tensors.pop(PICTURES_PREFIX + name, None)
            pictures[name] = _read_pictures(name, times, thumbnails)
    return Corpus(clock, tuple(pieces), pictures, rate)


def _parse_format(description: Table, clock: Clock) -> tuple[int, int]:
    """Return the sample rate and the channels of a corpus; older ones are as brains learn."""
    rate = description.get("sample_rate", clock.sample_rate)
    channels = description.get("channels", 1)
    highest = max(MAX_SAMPLE_RATE, clock.sample_rate)
    if type(rate) is not int or not clock.sample_rate <= rate <= highest:
        raise ValueError(f"a corpus at {rate!r} Hz, expected {clock.sample_rate} to {highest}")
    if type(channels) is not int or channels not in (1, 2):
        raise ValueError(f"a corpus in {channels!r} channels, expected 1 or 2")
    return rate, channels


def _read_pictures(film: str, times: list[float], data: NDArray[Any] | None) -> FilmPictures:
    if not isinstance(times, list) or not 0 < len(times) <= MAX_PICTURES:
        raise ValueError(f"got pictures of {film} without times, expected 1 to {MAX_PICTURES}")
    if not all(type(time) in (int, float) and 0 <= time < 2**31 for time in times):
        raise ValueError(f"got times of the pictures of {film} that are no seconds")
    shape = (len(times), APPEARANCE_SIDE, APPEARANCE_SIDE)
    if data is None or data.dtype != np.uint8 or data.shape != shape:
        raise BrainError(f"its corpus lacks the pictures of {film}, uint8 {shape}; {_REMEDY}")
    at = np.array(times, np.float64)
    if not (np.diff(at) > 0).all():
        raise ValueError(f"got times of the pictures of {film} that do not ascend")
    return FilmPictures(at, data.copy())


def _encode(pieces: tuple[Piece, ...]) -> tuple[float, NDArray[np.uint8]]:
    """Return what full scale stands for in the pieces of a film, and their sound as FLAC."""
    peak, sound = pieces[0].full_scale, np.concatenate([piece.data for piece in pieces])
    if not all(p.data.dtype == np.int16 and p.full_scale == peak for p in pieces):
        sound = np.concatenate([piece.samples for piece in pieces])
        peak = max(1.0, float(np.abs(sound).max(initial=0)))
        sound /= np.float32(peak)
    file = BytesIO()
    soundfile.write(file, sound, _FLAC_RATE, format="FLAC", subtype="PCM_16")
    return peak, np.frombuffer(file.getvalue(), np.uint8)


def _decode(film: str, data: NDArray[Any] | None, length: int, channels: int) -> NDArray[np.int16]:
    """Return ``length`` samples; sound of another length is refused before it is decoded."""
    if data is None or data.dtype != np.uint8 or data.ndim != 1:
        raise BrainError(f"its corpus lacks the sound of {film}; {_REMEDY}")
    try:
        with soundfile.SoundFile(BytesIO(data.tobytes())) as file:
            if (file.format, file.channels, file.frames) != ("FLAC", channels, length):
                raise BrainError(
                    f"its corpus holds {file.frames} samples of {film} in {file.channels} "
                    f"channels ({file.format}), expected {length} in {channels} (FLAC); {_REMEDY}"
                )
            sound: NDArray[np.int16] = file.read(dtype="int16")
    except (soundfile.SoundFileError, RuntimeError) as error:
        raise BrainError(f"the sound of {film} in its corpus is damaged; {_REMEDY}") from error
    if len(sound) != length:
        raise BrainError(f"the sound of {film} in its corpus is cut short; {_REMEDY}")
    return sound


def _parse_ranges(pieces: list[list[int]]) -> list[tuple[int, int]]:
    """Return the first sample and the length of each piece of a film."""
    ranges = [(start, length) for start, length in pieces]
    if not ranges or not all(type(n) is int and 0 <= n < 2**53 for pair in ranges for n in pair):
        raise ValueError("a corpus whose pieces have no valid start and length")
    return ranges


def _require_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"got {value!r}, expected text")
    return value
