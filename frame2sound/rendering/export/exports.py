"""Which files are written beside a soundtrack, and writing them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from frame2sound.atomic import refuse_existing
from frame2sound.errors import SoundtrackError
from frame2sound.extras import require_extra
from frame2sound.rendering.events.event_list import Event, write_events
from frame2sound.rendering.export.event_log import EventLog
from frame2sound.rendering.export.markers import DeliveredSound, place_markers, write_marker_table

EXTRA = "exports"
"""The extra of frame2sound that installs what exports need."""

_PACKAGES = {"midi": "mido"}
_OF_EVENTS = "events_out", "markers", "midi"


@dataclass(frozen=True)
class Exports:
    """Files that are written beside a soundtrack; None for those that are not.

    Attributes
    ----------
    events_out : Path, optional
        The events as JSON, with the times of the animation.
    markers : Path, optional
        The events as CSV, with the times of the delivered sound.
    midi : Path, optional
        The events as MIDI.
    """

    events_out: Path | None = None
    markers: Path | None = None
    midi: Path | None = None

    def files(self) -> Iterator[tuple[str, Path]]:
        """Yield the name of each file that is asked for, as a parameter, and its path."""
        for field in fields(self):
            path = getattr(self, field.name)
            if path is not None:
                yield field.name, path

    @property
    def need_events(self) -> tuple[str, ...]:
        """The parameters that do nothing without events, in backticks."""
        return tuple(f"`{name}`" for name, _ in self.files() if name in _OF_EVENTS)

    def check(self, *, overwrite: bool) -> None:
        """Refuse files that exist, and those whose package is not installed.

        Raises
        ------
        SoundtrackError, MissingPackageError
        """
        for name, path in self.files():
            if name in _PACKAGES:
                require_extra(_PACKAGES[name], EXTRA, f"`{name}`")
            refuse_existing(path, SoundtrackError, overwrite=overwrite)

    def new_log(self) -> EventLog:
        """Return a log that keeps what these files need of events."""
        return EventLog(with_pitches=self.midi is not None)

    def write(self, log: EventLog, sound: DeliveredSound, *, overwrite: bool) -> None:
        """Write the files, each whole or not at all.

        Raises
        ------
        SoundtrackError
            One cannot be written.
        """
        events: list[Event] = log.events
        markers = place_markers(events, sound)
        if self.events_out is not None:
            write_events(self.events_out, events, overwrite=overwrite)
        if self.markers is not None:
            write_marker_table(self.markers, markers, overwrite=overwrite)
        if self.midi is not None:
            from frame2sound.rendering.export.midi import write_midi

            write_midi(self.midi, markers, log.pitches_hz, overwrite=overwrite)


NO_EXPORTS = Exports()
