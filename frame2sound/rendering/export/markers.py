"""Markers: where the events of a soundtrack are in the file that was delivered."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from frame2sound.atomic import atomic_write
from frame2sound.clock import sample_at
from frame2sound.errors import SoundtrackError
from frame2sound.rendering.events.event_list import Event
from frame2sound.untrusted import escape_formula

COLUMNS = "name", "time_seconds", "sample", "level_db", "film", "film_seconds"
"""The columns of a table of markers."""


@dataclass(frozen=True)
class DeliveredSound:
    """The sound of a file that was written.

    Attributes
    ----------
    path : Path
    sample_rate : int
        In Hz.
    channels : int
    start_seconds, stop_seconds : Fraction
        The part of the animation that it is the sound of.
    raw_sample_rate : int
        The rate at which the sound was made, in Hz; events begin at samples of it.
    animation : Path
    fps : Fraction
        The nominal frame rate of the animation.
    """

    path: Path
    sample_rate: int
    channels: int
    start_seconds: Fraction
    stop_seconds: Fraction
    raw_sample_rate: int
    animation: Path
    fps: Fraction

    @property
    def first_sample(self) -> int:
        """The number of its first sample, from the start of the animation."""
        return sample_at(self.start_seconds, self.sample_rate)

    @property
    def sample_count(self) -> int:
        """Its length in samples."""
        return sample_at(self.stop_seconds, self.sample_rate) - self.first_sample

    @property
    def seconds(self) -> Fraction:
        """Its length."""
        return self.stop_seconds - self.start_seconds


@dataclass(frozen=True)
class Marker:
    """An event in a delivered sound.

    Attributes
    ----------
    name : str
        Its number, and the film whose sound it plays.
    sample : int
        Where its attack is, from the start of the delivered sound.
    sample_rate : int
        In Hz.
    event : Event
    """

    name: str
    sample: int
    sample_rate: int
    event: Event

    @property
    def seconds(self) -> Fraction:
        """When its attack is, from the start of the delivered sound."""
        return Fraction(self.sample, self.sample_rate)


def place_markers(events: Iterable[Event], sound: DeliveredSound) -> list[Marker]:
    """Return the markers of events whose times are those of the animation, in their order.

    Sound at another rate than it was made at has an attack at the sample nearest to its time.
    """
    markers = []
    for number, event in enumerate(events, 1):
        attack = Fraction(round(event.time_seconds * sound.raw_sample_rate), sound.raw_sample_rate)
        sample = sample_at(attack, sound.sample_rate) - sound.first_sample
        inside = min(max(sample, 0), max(sound.sample_count - 1, 0))
        name = f"{number} {event.film or 'event'}"
        markers.append(Marker(name, inside, sound.sample_rate, event))
    return markers


def write_marker_table(path: Path, markers: Iterable[Marker], *, overwrite: bool = False) -> None:
    """Write a table with one row per marker, as CSV with a header.

    Raises
    ------
    SoundtrackError
        The file exists and ``overwrite`` is false, or it cannot be written.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for marker in markers:
        event = marker.event
        level_db = None if event.level_db is None else round(event.level_db, 2)
        film_seconds = None if event.film_seconds is None else round(event.film_seconds, 6)
        time = round(float(marker.seconds), 6)
        row = [marker.name, time, marker.sample, level_db, event.film or "", film_seconds]
        rows.writerow(map(escape_formula, row))
    with atomic_write(path, SoundtrackError, overwrite=overwrite) as partial:
        partial.write_bytes(text.getvalue().encode("utf-8", "replace"))
