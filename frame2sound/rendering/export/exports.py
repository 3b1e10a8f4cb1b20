"""Which files are written beside a soundtrack, and writing them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from frame2sound.atomic import atomic_write, check_writable
from frame2sound.errors import SoundtrackError
from frame2sound.extras import require_extra
from frame2sound.rendering.events.event_list import Event, write_events
from frame2sound.rendering.export.event_log import EventLog
from frame2sound.rendering.export.markers import (
    DeliveredSound,
    Marker,
    place_markers,
    write_marker_table,
)
from frame2sound.sound.waveform import Waveform, WaveformRecorder

if TYPE_CHECKING:
    from frame2sound.rendering.export.stem_recorder import StemRecorder
    from frame2sound.rendering.export.stems import Stem
    from frame2sound.rendering.output.delivery import OutputWriter
    from frame2sound.rendering.soundtrack import Soundtrack

EXTRA = "exports"
"""The extra of frame2sound that installs what exports need."""

_PACKAGES = {"midi": "mido", "otio": "opentimelineio", "reaper": "reathon"}
_FOLDER = "stems"
_OF_EVENTS = "markers", "midi"


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
    stems : Path, optional
        A folder for one WAV a film; they add up to the soundtrack.
    otio : Path, optional
        An OpenTimelineIO timeline of the picture, the sound or stems, and the events.
    reaper : Path, optional
        A Reaper project of the sound or stems, and the events.
    waveform : Path, optional
        The peaks of the sound, for players, in audiowaveform's binary format.
    """

    events_out: Path | None = None
    markers: Path | None = None
    midi: Path | None = None
    stems: Path | None = None
    otio: Path | None = None
    reaper: Path | None = None
    waveform: Path | None = None

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

    def check(self, out: Path, *, overwrite: bool) -> None:
        """Refuse files that exist, and those whose package is not installed.

        Parameters
        ----------
        out : Path
            The soundtrack.
        overwrite : bool

        Raises
        ------
        SoundtrackError, MissingPackageError
        """
        for name, path in (("out", out), *self.files()):
            if self.stems is not None and self.stems.absolute() in path.absolute().parents:
                raise SoundtrackError(
                    f"got `{name}` {path} in the folder for `stems`, expected it elsewhere: that "
                    "folder is replaced as a whole"
                )
        for name, path in self.files():
            if name in _PACKAGES:
                require_extra(_PACKAGES[name], EXTRA, f"`{name}`")
            if name == _FOLDER:
                from frame2sound.rendering.export.stems import check_folder

                check_folder(path, overwrite=overwrite)
            else:
                check_writable(path, SoundtrackError, overwrite=overwrite)

    @contextmanager
    def open_recorder(self, folder: Path) -> Iterator[StemRecorder | None]:
        """Yield what records stems beside a file in a folder, or None if none are asked for."""
        if self.stems is None:
            yield None
            return
        from frame2sound.rendering.export.stem_recorder import StemRecorder

        with StemRecorder(folder) as recorder:
            yield recorder

    def write_stems(
        self, recorder: StemRecorder | None, writer: OutputWriter, soundtrack: Soundtrack,
        markers: list[Marker],
    ) -> list[Stem]:  # fmt: skip
        """Write the stems of a soundtrack that was written, if they were recorded.

        Raises
        ------
        SoundtrackError
            They cannot be written.
        """
        if self.stems is None or recorder is None:
            return []
        from frame2sound.rendering.export.stems import finished_stems, stem_names, write_stems

        names, sound = stem_names(writer, recorder), finished_stems(writer, soundtrack, recorder)
        return write_stems(self.stems, sound, names, writer.output_sample_rate, markers)

    def new_waveform(self) -> WaveformRecorder | None:
        """Return what finds the peaks of the sound, or None if they are not asked for."""
        return None if self.waveform is None else WaveformRecorder()

    def new_log(self) -> EventLog:
        """Return a log that keeps what these files need of events."""
        return EventLog(with_pitches=self.midi is not None)

    def write(
        self,
        log: EventLog,
        sound: DeliveredSound,
        stems: list[Stem],
        waveform: WaveformRecorder | None,
        *,
        overwrite: bool,
    ) -> None:
        """Write the files, each whole or not at all.

        Raises
        ------
        SoundtrackError
            One cannot be written.
        """
        events: list[Event] = log.events
        markers = place_markers(events, sound)
        if self.events_out is not None:
            bed = log.bed_spans(float(sound.start_seconds), float(sound.stop_seconds))
            write_events(self.events_out, events, bed, overwrite=overwrite)
        if self.markers is not None:
            write_marker_table(self.markers, markers, overwrite=overwrite)
        if self.midi is not None:
            from frame2sound.rendering.export.midi import write_midi

            write_midi(self.midi, markers, log.pitches_hz, overwrite=overwrite)
        if self.otio is not None:
            from frame2sound.rendering.export.timeline import write_timeline

            write_timeline(self.otio, sound, markers, stems, overwrite=overwrite)
        if self.reaper is not None:
            from frame2sound.rendering.export.reaper import write_reaper

            write_reaper(self.reaper, sound, markers, stems, overwrite=overwrite)
        if self.waveform is not None and waveform is not None:
            content = Waveform(sound.sample_rate, waveform.peaks).to_bytes()
            with atomic_write(self.waveform, SoundtrackError, overwrite=overwrite) as partial:
                partial.write_bytes(content)


NO_EXPORTS = Exports()
