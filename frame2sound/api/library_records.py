"""What the operations of a library return: films that were added, changed, verified, listed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from frame2sound.api.records import Record, count_films, plain_values
from frame2sound.errors import BatchError, FilmError
from frame2sound.library.store import PickledFilm

if TYPE_CHECKING:
    from frame2sound.library.coupling_summary import FilmCoupling, LibraryCoupling
    from frame2sound.library.store import Card
    from frame2sound.library.summary import FilmSummary, LibrarySummary


@dataclass(frozen=True)
class AddedFilm(Record):
    """What became of a film that was added to a library.

    Attributes
    ----------
    source : str
        Path or address of the film.
    film : PickledFilm, optional
        None if it could not be added.
    new : bool
        False if it was in the library already.
    error : str, optional
        Why it could not be added.
    """

    source: str
    film: PickledFilm | None = None
    new: bool = False
    error: str | None = None

    @property
    def seconds(self) -> float:
        """Duration of the film; 0 if it could not be added."""
        return 0.0 if self.film is None else self.film.seconds

    @property
    def frames(self) -> int:
        """Number of frames; 0 if it could not be added."""
        return 0 if self.film is None else self.film.card.frames

    @property
    def notes(self) -> tuple[str, ...]:
        """What should be known of the film, such as that its sound is silent."""
        return () if self.film is None else self.film.card.notes

    def lines(self) -> list[str]:
        """Return one line, and one for each note."""
        if self.film is None:
            return [f"{self.source}  {self.error}"]
        name = self.source.rstrip("/").rpartition("/")[2]
        state = "pickled" if self.new else "already there"
        state += ", excluded" * self.film.excluded
        return [
            f"{name}  {state}  {self.seconds:.2f} s  {self.frames} frames",
            *(f"  note: {note}" for note in self.notes),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        if self.film is None:
            return {"film": self.source, "error": self.error}
        return {
            "film": self.source,
            "folder": str(self.film.path),
            "new": self.new,
            "excluded": self.film.excluded,
            "frames": self.frames,
            "seconds": self.seconds,
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class ChangedFilm(Record):
    """A film that was excluded, included or deleted."""

    film: str
    state: Literal["excluded", "included", "dropped"]

    def lines(self) -> list[str]:
        """Return the film's name and what was done."""
        return [f"{self.film}  {'deleted' if self.state == 'dropped' else self.state}"]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return {"film": self.film, "state": self.state}


@dataclass(frozen=True)
class VerifiedFilm(Record):
    """Whether every byte of a film is still as it was pickled.

    Attributes
    ----------
    film : str
    faults : tuple of str
        What is wrong with it, a line each.
    checked : bool
        Whether there are checksums to compare with.
    """

    film: str
    faults: tuple[str, ...]
    checked: bool

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.faults

    def lines(self) -> list[str]:
        """Return whether it is whole, and its faults."""
        state = "whole" if self.whole else "not whole"
        if self.whole and not self.checked:
            state += ", as far as can be told without checksums"
        return [f"{self.film}  {state}", *(f"  {fault}" for fault in self.faults)]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return {
            "film": self.film,
            "whole": self.whole,
            "checked": self.checked,
            "faults": list(self.faults),
        }


@dataclass(frozen=True)
class ExportedFilm(Record):
    """A film written as plain arrays; ``shape`` is that of its sound."""

    path: Path
    shape: tuple[int, int]

    def lines(self) -> list[str]:
        """Return the path and the shape."""
        return [f"{self.path}  sound {self.shape[0]} x {self.shape[1]}"]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return {"path": str(self.path), "shape": list(self.shape)}


@dataclass(frozen=True)
class LibraryListing(Record):
    """What is in a library, and what is wrong with it.

    Attributes
    ----------
    library : str
        Its folder.
    summary : LibrarySummary
        Films, duplicates, incomplete folders and links.
    """

    library: str
    summary: LibrarySummary

    def lines(self) -> list[str]:
        """Return a line for each film, its notes and faults, the totals, and the coupling."""
        lines, coupling = [], self.summary.coupling
        for film in self.summary.films:
            columns = [*_film_columns(film), *_coupling_columns(coupling, film.name)]
            lines.append("  ".join([film.name, *columns]))
            lines += [f"  {line}" for line in self._remarks(film)]
        lines += [f"half-written: {line}" for line in self.summary.partial_folders]
        lines += [
            f"link: {name} is not followed; copy the film's folder here, or list its own library"
            for name in self.summary.symlinks
        ]
        sentence = [] if coupling is None else [coupling.describe()]
        return [*lines, self._totals(), *sentence]

    def to_dict(self) -> dict[str, Any]:
        """Return the listing as plain values."""
        films, seconds = self.summary.films, sum(film.seconds for film in self.summary.films)
        values: dict[str, Any] = plain_values(
            {
                "library": self.library,
                "films": self.rows(),
                "twins": [
                    {
                        "films": [each.first_name, each.second_name],
                        "same": "file" if each.same_file else "picture",
                    }
                    for each in self.summary.duplicates
                ],
                "half_written": list(self.summary.partial_folders),
                "links": list(self.summary.symlinks),
                "seconds": seconds,
                "bytes": sum(film.size_bytes for film in films),
                "coupling": self._coupling_table(),
            }
        )
        return values

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each film."""
        coupling = self.summary.coupling
        couplings = {} if coupling is None else coupling.films
        return [
            {**_film_row(film), "coupling": _scores_table(couplings.get(film.name))}
            for film in self.summary.films
        ]

    def _coupling_table(self) -> dict[str, Any] | None:
        coupling = self.summary.coupling
        if coupling is None:
            return None
        scores = _scores_table(coupling.whole) or {}
        return {"sentence": coupling.describe(), **scores, "seconds": coupling.seconds}

    def _remarks(self, film: FilmSummary) -> list[str]:
        notes = [] if film.card is None else [f"note: {note}" for note in film.card.notes]
        same = [
            f"the same {'file' if each.same_file else 'picture'} as {each.first_name}"
            for each in self.summary.duplicates
            if each.second_name == film.name
        ]
        return [*notes, *same[:1], *(f"damaged: {fault}" for fault in film.faults)]

    def _totals(self) -> str:
        films = self.summary.films
        excluded = sum(film.excluded for film in films)
        damaged = sum(bool(film.faults) for film in films)
        parts = [
            count_films(len(films)),
            f"{sum(film.seconds for film in films) / 3600:.2f} hours",
            f"{sum(film.size_bytes for film in films) / 1e6:.1f} MB",
        ]
        parts += [f"{excluded} excluded"] * bool(excluded) + [f"{damaged} damaged"] * bool(damaged)
        return "  ".join(parts)


def raise_failures(results: list[AddedFilm]) -> None:
    """Raise what went wrong where films could not be added.

    Raises
    ------
    FilmError
        The only film failed.
    BatchError
        Some of several films failed; a line for each says why.
    """
    failures = [result for result in results if result.film is None]
    if not failures:
        return
    if len(results) == 1:
        raise FilmError(str(failures[0].error))
    raise BatchError(
        f"{len(failures)} of {len(results)} films not pickled"
        + ("" if len(failures) == len(results) else ", the others are kept")
        + ":",
        *(f"  {result.error}" for result in failures),
    )


def _film_columns(film: FilmSummary) -> list[str]:
    parts = [_duration(film.seconds)] if film.card is not None else []
    parts.append(f"{film.size_bytes / 1e6:.1f} MB")
    if film.card is not None and film.card.full_sound is not None:
        full_sound = film.card.full_sound
        layout = "mono" if full_sound.channels == 1 else "stereo"
        parts.append(f"{full_sound.sample_rate / 1000:g} kHz {layout}")
    if film.analysis is not None:
        loudness = film.analysis.loudness
        parts.append("-" if loudness is None else f"{loudness:.1f} LUFS")
        parts.append(f"{film.analysis.silent_share:.0%} silent")
    return [*parts, "excluded"] if film.excluded else parts


def _coupling_columns(coupling: LibraryCoupling | None, name: str) -> list[str]:
    """Return how far a film's sound follows its picture, in a few words, if that was measured."""
    film = None if coupling is None else coupling.films.get(name)
    if film is None:
        return []
    if film.coupling is None:
        return [str(film.reason)]
    verdict = {"well": "follows well", "hardly": "hardly follows", "not at all": "does not follow"}
    return [f"{verdict[film.coupling.verdict]}: {film.coupling.figures}"]


def _scores_table(scores: FilmCoupling | None) -> dict[str, Any] | None:
    if scores is None:
        return None
    coupling = scores.coupling
    if coupling is None:
        return {"verdict": None, "reason": scores.reason}
    return {
        "verdict": coupling.verdict,
        "onset_f": coupling.onset_f,
        "onset_chance": coupling.onset_chance,
        "level_correlation": coupling.level_correlation,
        "onsets": coupling.onset_count,
        "seconds": coupling.seconds,
    }


def _film_row(film: FilmSummary) -> dict[str, Any]:
    card, analysis = film.card, film.analysis
    return {
        "film": film.name,
        "source": None if card is None else card.source,
        "seconds": None if card is None else film.seconds,
        "frames": None if card is None else card.frames,
        "fps": None if card is None else str(card.fps),
        "bytes": film.size_bytes,
        "full_sound": None if card is None else _full_sound_table(card),
        "loudness_lufs": None if analysis is None else analysis.loudness,
        "silent": None if analysis is None else analysis.silent_share,
        "excluded": film.excluded,
        "notes": [] if card is None else list(card.notes),
        "faults": list(film.faults),
    }


def _full_sound_table(card: Card) -> dict[str, int] | None:
    kept = card.full_sound
    if kept is None:
        return None
    return {"sample_rate": kept.sample_rate, "channels": kept.channels}


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
