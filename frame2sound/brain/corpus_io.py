"""A corpus as it stands in a brain's file: carried along as FLAC, or pointed to."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray

from frame2sound.brain.corpus import Corpus, CorpusPointer, Piece
from frame2sound.clock import Clock
from frame2sound.errors import BrainError

CORPUS_PREFIX = "corpus."
"""Tensors of sound are named so, and then as their film."""

MAX_SECONDS = 3600.0
"""A file that says that it carries more is not believed."""

MAX_AMPLITUDE = 100.0
"""A peak beyond this is no sound's."""

_REMEDY = "copy it again or train it again"

_FLAC_RATE = 48_000
"""What FLAC is told; not every rate that a brain may have can be said in it."""

Table = dict[str, Any]
Tensors = dict[str, torch.Tensor]


def corpus_to_file(corpus: Corpus | CorpusPointer | None) -> tuple[Table | None, Tensors]:
    """Return what describes a corpus in plain values, and the tensors that hold its sound.

    The sound of each film is 16 bits deep, full scale at 1 or at the film's peak where that is
    higher.
    """
    if corpus is None:
        return None, {}
    if isinstance(corpus, CorpusPointer):
        return {"kind": "pointed", "library": corpus.library, "films": corpus.films}, {}
    films: Table = {}
    tensors: Tensors = {}
    for name in corpus.films:
        pieces = corpus.select_films([name]).pieces
        sound = np.concatenate([piece.samples for piece in pieces])
        peak = max(1.0, float(np.abs(sound).max(initial=0)))
        places = [[piece.start_seconds, len(piece.samples)] for piece in pieces]
        films[name] = {"peak": peak, "pieces": places}
        tensors[CORPUS_PREFIX + name] = _encode(sound / np.float32(peak))
    return {"kind": "carried", "films": films}, tensors


def audio_tensor_names(description: Table | None, clock: Clock) -> list[str]:
    """Return what the tensors of a carried corpus are called, where they may be as long as said.

    Raises
    ------
    LookupError, TypeError, AttributeError, ValueError
        The description is none.
    """
    if description is None or description["kind"] != "carried":
        return []
    places = [_places(film["pieces"]) for film in description["films"].values()]
    seconds = sum(length for film in places for _, length in film) / clock.sample_rate
    if not 0 < seconds <= MAX_SECONDS:
        raise ValueError(f"a corpus of {seconds:.0f} s, expected at most {MAX_SECONDS:.0f} s")
    return [CORPUS_PREFIX + _text(name) for name in description["films"]]


def corpus_from_file(
    description: Table | None, tensors: Tensors, clock: Clock
) -> Corpus | CorpusPointer | None:
    """Return a corpus, and take its sound out of ``tensors``.

    Raises
    ------
    BrainError
        The sound is missing, damaged, or not as long as the description says.
    LookupError, TypeError, ValueError
        The description is none.
    """
    if description is None:
        return None
    if description["kind"] == "pointed":
        films = {_text(name): _text(digest) for name, digest in description["films"].items()}
        return CorpusPointer(_text(description["library"]), films)
    if description["kind"] != "carried":
        raise ValueError(f"a corpus that is {description['kind']!r}")
    places = {name: _places(film["pieces"]) for name, film in description["films"].items()}
    pieces = []
    for name, film in places.items():
        peak = float(description["films"][name]["peak"])
        if not 1 <= peak <= MAX_AMPLITUDE:
            raise ValueError(f"a corpus with a peak of {peak}, expected 1 to {MAX_AMPLITUDE}")
        lengths = [length for _, length in film]
        sound = _decode(name, tensors.pop(CORPUS_PREFIX + name, None), sum(lengths)) * np.float32(
            peak
        )
        cut = np.split(sound, np.cumsum(lengths)[:-1])
        pieces += [Piece(name, start, part) for (start, _), part in zip(film, cut, strict=True)]
    return Corpus(clock, tuple(pieces))


def _encode(sound: NDArray[np.floating]) -> torch.Tensor:
    file = BytesIO()
    soundfile.write(file, sound, _FLAC_RATE, format="FLAC", subtype="PCM_16")
    return torch.from_numpy(np.frombuffer(file.getvalue(), np.uint8).copy())


def _decode(film: str, data: torch.Tensor | None, length: int) -> NDArray[np.float32]:
    """Return so many samples; nothing is decoded that is longer."""
    if data is None or data.dtype != torch.uint8 or data.ndim != 1:
        raise BrainError(f"its corpus lacks the sound of {film}; {_REMEDY}")
    try:
        with soundfile.SoundFile(BytesIO(data.numpy().tobytes())) as file:
            if (file.format, file.channels, file.frames) != ("FLAC", 1, length):
                raise BrainError(
                    f"its corpus holds {file.frames} samples of {film} in {file.channels} "
                    f"channels ({file.format}), expected {length} in one (FLAC); {_REMEDY}"
                )
            sound: NDArray[np.float32] = file.read(dtype="float32")
    except (soundfile.SoundFileError, RuntimeError) as error:
        raise BrainError(f"the sound of {film} in its corpus is damaged; {_REMEDY}") from error
    if len(sound) != length:
        raise BrainError(f"the sound of {film} in its corpus is cut short; {_REMEDY}")
    return sound


def _places(pieces: list[list[int]]) -> list[tuple[int, int]]:
    places = [(start, length) for start, length in pieces]
    if not places or not all(type(n) is int and 0 <= n < 2**53 for pair in places for n in pair):
        raise ValueError("a corpus whose pieces have no places")
    return places


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"got {value!r}, expected text")
    return value
