"""Which tokens of each film are learned, and which are held out to judge what was learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.dreaming.tokens import Tokens, token_count

HELD_OUT_SHARE = 0.2

GUARD_SECONDS = 1.0
"""What is neither learned nor judged, before the held-out part."""

MIN_HELD_OUT_SECONDS, MIN_LEARNED_SECONDS = 1.0, 2.0


@dataclass(frozen=True)
class FilmSplit:
    """The ranges of a film's frames: learned from 0 to ``learned``, held out from ``held_out`` on.

    Of a film that is too short, all is learned, and ``held_out`` is ``count``.
    """

    learned: int
    held_out: int
    count: int


@dataclass(frozen=True)
class HeldOut:
    """Tokens of the end of a film, after the tokens of the guard.

    Attributes
    ----------
    film : int
        Number of the film.
    tokens : int array (n,)
        The guard, which models may know but are not judged on, and the held-out tokens.
    first : int
        Number of the first held-out token.
    """

    film: int
    tokens: Tokens
    first: int

    def halves(self) -> NDArray[np.int64]:
        """Return 0 for held-out tokens of the first half, 1 for those of the second.

        Between them a second, or a fifth of what is short, has -1.
        """
        count = len(self.tokens) - self.first
        guard = min(token_count(GUARD_SECONDS), count // 5)
        halves = np.full(count, -1)
        halves[: (count - guard) // 2] = 0
        halves[(count - guard) // 2 + guard :] = 1
        return halves


def split_film(count: int) -> FilmSplit:
    """Return the split of a film of so many frames: the last fifth is held out, after a second."""
    guard = token_count(GUARD_SECONDS)
    length = max(round(HELD_OUT_SHARE * count), token_count(MIN_HELD_OUT_SECONDS))
    learned = count - length - guard
    if learned < token_count(MIN_LEARNED_SECONDS):
        return FilmSplit(count, count, count)
    return FilmSplit(learned, count - length, count)


def held_out_parts(films: Sequence[Tokens], splits: Sequence[FilmSplit]) -> list[HeldOut]:
    """Return the held-out ends of all films that have one."""
    return [
        HeldOut(number, tokens[split.learned :], split.held_out - split.learned)
        for number, (tokens, split) in enumerate(zip(films, splits, strict=True))
        if split.held_out < split.count
    ]
