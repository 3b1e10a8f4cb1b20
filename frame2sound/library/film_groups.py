"""Groups of films that are copies of each other, which a split of a library must not part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from frame2sound.library.analysis import analyse_whole_film
from frame2sound.library.fingerprint import (
    MAX_DUPLICATE_DISTANCE,
    MAX_DURATION_DIFFERENCE,
    fingerprint_distance,
)
from frame2sound.library.sound_fingerprint import (
    MIN_AGREEMENT,
    SoundFingerprint,
    compute_sound_fingerprint,
    sound_agreement,
)
from frame2sound.library.store import PickledFilm


def group_films(films: Sequence[PickledFilm]) -> list[list[PickledFilm]]:
    """Return groups of films: copies of each other, or single films.

    Films are copies if they have the same file, the same picture at about the same length, or the
    same sound for at least half of the shorter one: encoded again, under another name, or an
    excerpt. What is a copy of a copy is in the same group.

    Groups are in the order of their first films, and films of a group in the order given.

    Raises
    ------
    LibraryError
        A film's arrays are damaged, or its sound is far over full scale.
    """
    if len(films) < 2:
        return [[film] for film in films]
    fingerprints = [_Fingerprints.of(film) for film in films]
    leaders = list(range(len(films)))
    for first, second in combinations(range(len(films)), 2):
        if leaders[first] != leaders[second] and fingerprints[first].is_copy(fingerprints[second]):
            kept, joined = sorted((leaders[first], leaders[second]))
            leaders = [kept if leader == joined else leader for leader in leaders]
    groups: dict[int, list[PickledFilm]] = {}
    for leader, film in zip(leaders, films, strict=True):
        groups.setdefault(leader, []).append(film)
    return list(groups.values())


@dataclass(frozen=True, eq=False)
class _Fingerprints:
    digest: str
    seconds: float
    picture: bytes
    sound: SoundFingerprint

    @classmethod
    def of(cls, film: PickledFilm) -> _Fingerprints:
        picture = analyse_whole_film(film).picture_fingerprint
        begin, end = film.card.audio_range
        sound = compute_sound_fingerprint(film.sound[begin:end], film.card.sample_rate)
        found = cls(film.card.digest, film.seconds, picture, sound)
        film.release_memory()
        return found

    def is_copy(self, other: _Fingerprints) -> bool:
        return (
            self.digest == other.digest
            or self._has_same_picture(other)
            or sound_agreement(self.sound, other.sound) >= MIN_AGREEMENT
        )

    def _has_same_picture(self, other: _Fingerprints) -> bool:
        max_difference = MAX_DURATION_DIFFERENCE * max(self.seconds, other.seconds)
        if abs(self.seconds - other.seconds) > max_difference:
            return False
        return fingerprint_distance(self.picture, other.picture) <= MAX_DUPLICATE_DISTANCE


def other_films(
    groups: Sequence[Sequence[PickledFilm]], chosen: Sequence[PickledFilm]
) -> dict[str, str]:
    """Return the names of the films of groups that are not chosen, to that of the chosen one."""
    return {
        film.name: one.name
        for group, one in zip(groups, chosen, strict=True)
        for film in group
        if film is not one
    }


def longest(group: Sequence[PickledFilm]) -> PickledFilm:
    """Return the film of a group that has most sound; the first of equals."""
    return group[int(np.argmax([np.diff(film.card.audio_range)[0] for film in group]))]
