"""What live playing reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from frame2sound.api.records import Record

REPORT_VERSION = 1


@dataclass(frozen=True)
class LiveResult(Record):
    """What was counted while it played.

    Attributes
    ----------
    source, brain : str
    audio : {"jack", "portaudio", "offline"}
    seconds : float
        How much sound was played.
    sample_rate, block_samples : int
    delay_ms : float
        The delay that is stated: from a frame's arrival to the sound of its event, before that of
        the sound card.
    frames, skipped_frames : int
        Frames that were seen, and those that were left out since they were too late.
    events, late_events : int
        Events, and those that sounded later than stated.
    dropouts : int
        How often the sound card was served too late.
    clipped_blocks : int
        Blocks with samples beyond full scale.
    event_latency, frame_time, sound_delay : dict
        From a frame's arrival to its event; the time that a frame takes; and from a frame's arrival
        to the onset in the sound that is played: median, 99th percentile, maximum and jitter in ms.
    cpu_percent : float
        Of one core.
    recorded : tuple of Path
        The files that were written.
    notes : tuple of str
        What should be known about how it ended.
    """

    source: str
    brain: str
    audio: str
    seconds: float
    sample_rate: int
    block_samples: int
    delay_ms: float
    frames: int
    skipped_frames: int
    events: int
    late_events: int
    dropouts: int
    clipped_blocks: int
    event_latency: dict[str, float]
    frame_time: dict[str, float]
    sound_delay: dict[str, float]
    cpu_percent: float
    recorded: tuple[Path, ...] = field(default=())
    notes: tuple[str, ...] = field(default=())

    def lines(self) -> list[str]:
        """Return what was played, and how late, in a few lines."""
        latency, delay = self.event_latency, self.sound_delay
        return [
            f"{self.source}  {self.seconds:.3f} s  {self.events} events in {self.frames} frames",
            f"  delay {self.delay_ms:.1f} ms stated, {delay['p99_ms']:.1f} ms at the 99th "
            f"percentile, jitter {delay['jitter_ms']:.2f} ms; events are known after "
            f"{latency['p99_ms']:.1f} ms",
            f"  {_count(self.dropouts, 'dropout')}, {_count(self.late_events, 'late event')}, "
            f"{_count(self.skipped_frames, 'skipped frame')}; {self.cpu_percent:.0f} % of a core",
            *(f"  note: {note}" for note in self.notes),
            *(f"  {path}" for path in self.recorded),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        recorded = [str(path) for path in self.recorded]
        return {
            "version": REPORT_VERSION,
            **values,
            "recorded": recorded,
            "notes": list(self.notes),
        }


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
