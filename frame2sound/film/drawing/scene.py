"""Scenes: films drawn and sounded by program, whose truth is known exactly.

A scene is two pure functions, one that draws a frame and one that sounds a range of samples,
over a score that is made once. Nothing in it grows with what was drawn or sounded before, so a
film of any length streams in bounded memory, from any place, in any order.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from frame2sound.clock import Clock, parse_frame_rate
from frame2sound.untrusted import parse_json

SILENCE_DB = -120.0
"""The loudness that stands for digital silence, and for anything quieter, in dBFS."""

DrawFrame = Callable[[int], NDArray[np.uint8]]
SynthesiseSamples = Callable[[int, int], NDArray[np.float32]]


class _FrameTruth(msgspec.Struct, frozen=True):
    time: float
    pitch_hz: Annotated[float, Meta(ge=0, le=1e6)] | None
    loudness_db: Annotated[float, Meta(ge=-1000, le=1000)]


class _TruthFile(msgspec.Struct, frozen=True):
    """The JSON beside a demo film; see `Truth`."""

    film: str
    seed: Annotated[int, Meta(ge=0)]
    fps: str | int
    sample_rate: Annotated[int, Meta(ge=1, le=768_000)]
    onsets: tuple[Annotated[float, Meta(ge=0, le=1e7)], ...]
    frames: list[_FrameTruth]


@dataclass(frozen=True)
class SceneTruth:
    """What happens in a demo film, and when.

    Parameters
    ----------
    film, seed, clock
        Which film it is.
    onsets : tuple of float
        Starts of the events in seconds, ascending; each is the start of the first frame that
        shows the event, and its sound begins at that frame's first sample.
    pitch_hz : tuple of float or None, one a frame
        The fundamental of the frame's sound. None where it is silent, is noise, or has several
        tones at once.
    loudness_db : tuple of float, one a frame
        RMS of the frame's own slice, in dB relative to an RMS of 1; `SILENCE_DB` for silence.
    """

    film: str
    seed: int
    clock: Clock
    onsets: tuple[float, ...]
    pitch_hz: tuple[float | None, ...]
    loudness_db: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.pitch_hz) != len(self.loudness_db):
            raise ValueError(
                f"got {len(self.pitch_hz)} pitches and {len(self.loudness_db)} loudnesses, "
                "expected one of each a frame"
            )

    @property
    def frame_count(self) -> int:
        """How many frames the film has."""
        return len(self.pitch_hz)

    def to_json(self) -> str:
        """Return the truth as JSON, for a file beside the film."""
        rows = zip(
            self.clock.frame_times(self.frame_count), self.pitch_hz, self.loudness_db, strict=True
        )
        page = {
            "film": self.film,
            "seed": self.seed,
            "fps": str(self.clock.fps),
            "sample_rate": self.clock.sample_rate,
            "seconds": float(self.frame_count / self.clock.fps),
            "onsets": list(self.onsets),
            "frames": [
                {"time": float(time), "pitch_hz": pitch, "loudness_db": loudness}
                for time, pitch, loudness in rows
            ],
        }
        return json.dumps(page, indent=1)

    @classmethod
    def from_json(cls, text: str) -> SceneTruth:
        """Read what `to_json` wrote.

        Raises
        ------
        ValueError
            The text is not the truth of a film.
        """
        try:
            page = msgspec.convert(parse_json(text), _TruthFile)
            return cls(
                film=page.film,
                seed=page.seed,
                clock=Clock(parse_frame_rate(page.fps), page.sample_rate),
                onsets=page.onsets,
                pitch_hz=tuple(frame.pitch_hz for frame in page.frames),
                loudness_db=tuple(frame.loudness_db for frame in page.frames),
            )
        except ValueError as problem:
            raise ValueError(f"got {problem}, expected the truth of a demo film") from problem


@dataclass(frozen=True)
class Scene:
    """A film as functions.

    Parameters
    ----------
    name : str
        The film's name.
    seed : int
        Which film of that name.
    clock : Clock
        Its frame rate and the sample rate of its sound.
    size : (int, int)
        Width and height in pixels.
    frames : int
        How many frames it has.
    draw : function
        Frame index to picture: uint8 of shape (height, width, 3), red, green, blue.
    sound : function
        ``(start, stop)`` to the samples ``[start, stop)``: mono float32 of that many values in
        [-1, 1]. Sample 0 is the first of frame 0.
    onsets : tuple of int
        The frames at which events begin, ascending.
    pitch_hz : tuple of float or None, one a frame
        The fundamental of the only thing that the frame shows, in hertz; None for noise, for
        nothing and for several. `Truth` has it where it can be heard.
    """

    name: str
    seed: int
    clock: Clock
    size: tuple[int, int]
    frame_count: int
    draw: DrawFrame
    synthesise: SynthesiseSamples
    onsets: tuple[int, ...]
    pitch_hz: tuple[float | None, ...]

    def __post_init__(self) -> None:
        if len(self.pitch_hz) != self.frame_count:
            raise ValueError(f"got {len(self.pitch_hz)} pitches, expected {self.frame_count}")

    @property
    def sample_count(self) -> int:
        """How many samples the whole film has."""
        return self.clock.start_sample(self.frame_count)

    def slices(self, first: int = 0, stop: int | None = None) -> Iterator[NDArray[np.float32]]:
        """Yield the slice of each frame from ``first`` up to ``stop``, a second at a time."""
        last = self.frame_count if stop is None else stop
        batch = max(1, math.floor(self.clock.fps))
        for begin in range(first, last, batch):
            bounds = self.clock.sample_bounds(min(batch, last - begin), begin)
            sound = self.synthesise(int(bounds[0]), int(bounds[-1]))
            yield from np.split(sound, bounds[1:-1] - bounds[0])

    @cached_property
    def truth(self) -> SceneTruth:
        """What happens and when; the loudness is measured on the sound itself."""
        times = self.clock.frame_times(self.frame_count)
        loudness = tuple(rms_db(piece) for piece in self.slices())
        heard = zip(self.pitch_hz, loudness, strict=True)
        return SceneTruth(
            film=self.name,
            seed=self.seed,
            clock=self.clock,
            onsets=tuple(float(times[frame]) for frame in self.onsets),
            pitch_hz=tuple(hz if db > SILENCE_DB else None for hz, db in heard),
            loudness_db=loudness,
        )


def rms_db(samples: NDArray[np.floating]) -> float:
    """Return the RMS of some samples in dB relative to an RMS of 1, not below `SILENCE_DB`.

    >>> rms_db(np.full(10, 0.1)), rms_db(np.zeros(10))
    (-20.0, -120.0)
    """
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return max(SILENCE_DB, round(10 * math.log10(power), 6)) if power > 0 else SILENCE_DB


def clock_and_frame_count(seconds: float, fps: Fraction, sample_rate: int) -> tuple[Clock, int]:
    """Return a film's clock, and how many frames it needs to be so long (at least one).

    Raises
    ------
    ValueError
        A rate or the length is not above 0.

    Examples
    --------
    >>> clock_and_frame_count(0.1, Fraction(30), 48000)[1]
    3
    """
    if not (math.isfinite(seconds) and seconds > 0):
        raise ValueError(f"got {seconds} seconds, expected a finite number above 0")
    clock = Clock(Fraction(fps), sample_rate)
    return clock, clock.count_frames_within(Fraction(str(float(seconds))))
