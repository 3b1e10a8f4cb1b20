"""Lists of events as JSON files, which a person can edit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from frame2sound.atomic import atomic_write
from frame2sound.errors import SoundtrackError
from frame2sound.untrusted import one_line_reason, read_json, refuse_newer_version

EVENTS_VERSION = 1

MAX_EVENTS = 1_000_000
"""A file with more events is refused."""

MIN_LEVEL_DB, MAX_LEVEL_DB = -120.0, 24.0
"""The range of the levels of events, in dBFS."""

_Seconds = Annotated[float, Meta(ge=0, le=1e7)]
_Level = Annotated[float, Meta(ge=MIN_LEVEL_DB, le=MAX_LEVEL_DB)]
_Name = Annotated[str, Meta(min_length=1, max_length=1000)]

_EXPECTED = "expected one that `events_out` wrote"


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A sound that begins at a time; what is not given is chosen.

    Attributes
    ----------
    time_seconds : float
        When it begins, from the start of the animation.
    level_db : float, optional
        The level of its loudest 20 ms, within its first 100 ms, in dBFS, -120 to 24; by default the
        median of the others.
    film : str, optional
        The film of the corpus whose sound it is.
    film_seconds : float, optional
        Where that sound begins in its film; the nearest onset is taken.
    """

    time_seconds: _Seconds
    level_db: _Level | None = None
    film: _Name | None = None
    film_seconds: _Seconds | None = None

    def __post_init__(self) -> None:
        if self.film_seconds is not None and self.film is None:
            raise ValueError("film_seconds without a film, expected both")


class BedSpan(msgspec.Struct, frozen=True):
    """A part of a mosaic's sound between events that comes from one film.

    Attributes
    ----------
    time_seconds, end_seconds : float
        From the start of the animation.
    film : str
        The film of the corpus.
    """

    time_seconds: _Seconds
    end_seconds: _Seconds
    film: _Name


class _EventFile(msgspec.Struct, frozen=True):
    version: int
    events: Annotated[list[Event], Meta(max_length=MAX_EVENTS)]
    bed: Annotated[list[BedSpan], Meta(max_length=MAX_EVENTS)] = []


def write_events(
    path: Path, events: Iterable[Event], bed: Sequence[BedSpan] = (), *, overwrite: bool = True
) -> None:
    """Write events in the order of time; the file appears complete or not at all.

    Parameters
    ----------
    path : Path
    events : iterable of Event
    bed : sequence of BedSpan
        What is between the events, for those who want to know; it is not played from the file.
    overwrite : bool

    Raises
    ------
    SoundtrackError
        The file exists and ``overwrite`` is false, or it cannot be written.
    """
    ordered = sorted(events, key=lambda event: event.time_seconds)
    parts = [f'"version": {EVENTS_VERSION}', f'"events": {_lines(ordered)}']
    parts += [f'"bed": {_lines(bed)}'] * bool(bed)
    with atomic_write(path, SoundtrackError, overwrite=overwrite) as partial:
        partial.write_text("{\n  " + ",\n  ".join(parts) + "\n}\n", encoding="utf-8")


def _lines(rows: Sequence[msgspec.Struct]) -> str:
    """Return a list in JSON with one line a row."""
    body = ",\n".join(f"    {json.dumps(msgspec.to_builtins(row))}" for row in rows)
    return f"[\n{body}\n  ]" if rows else "[]"


def read_events(path: Path) -> tuple[Event, ...]:
    """Return the events in a file, in the order of time; numbers are those written, to the bit.

    Raises
    ------
    SoundtrackError
        The file cannot be read, is not a list of events, or is from a newer version.
    """
    return tuple(sorted(_read_file(path).events, key=lambda event: event.time_seconds))


def read_bed(path: Path) -> tuple[BedSpan, ...]:
    """Return from which films the bed is, as a list of events says; raises as `read_events`."""
    return tuple(_read_file(path).bed)


def _read_file(path: Path) -> _EventFile:
    try:
        table = read_json(path, follow_links=True)
    except OSError as error:
        raise SoundtrackError(
            f"{path} cannot be read ({one_line_reason(error)}); {_EXPECTED}"
        ) from error
    except ValueError as error:
        raise _unreadable(path, error) from error
    version = table.get("version") if isinstance(table, dict) else None
    refuse_newer_version(version, EVENTS_VERSION, path, SoundtrackError)
    try:
        return msgspec.convert(table, _EventFile)
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> SoundtrackError:
    return SoundtrackError(f"{path} is no list of events ({one_line_reason(error)}); {_EXPECTED}")
