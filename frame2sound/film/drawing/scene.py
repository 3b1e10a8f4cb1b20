"""Scenes: films that are drawn and synthesised by a program, with exact ground truth.

A scene has two pure functions: one draws a frame, the other synthesises a range of samples. So
frames and samples can be made in any order, in constant memory.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
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
"""Loudness of digital silence, and of anything quieter, in dBFS."""

DrawFrame = Callable[[int], NDArray[np.uint8]]
SynthesiseSamples = Callable[[int, int], NDArray[np.float32]]


class _FrameTruth(msgspec.Struct, frozen=True):
    time: float
    pitch_hz: Annotated[float, Meta(ge=0, le=1e6)] | None
    loudness_db: Annotated[float, Meta(ge=-1000, le=1000)]


class _TruthFile(msgspec.Struct, frozen=True):
    """The JSON file of a demo film's truth; see `SceneTruth`."""

    film: str
    seed: Annotated[int, Meta(ge=0)]
    fps: str | int
    sample_rate: Annotated[int, Meta(ge=1, le=768_000)]
    onsets: tuple[Annotated[float, Meta(ge=0, le=1e7)], ...]
    frames: list[_FrameTruth]


@dataclass(frozen=True)
class SceneTruth:
    """The ground truth of a demo film: its onsets, and pitch and loudness of each frame.

    Parameters
    ----------
    film, seed, clock
        The film, its seed, and its clock.
    onsets : tuple of float
        Start times of the events in seconds, ascending. Each is the start of the first frame
        that shows the event, whose sound begins at that frame's first sample; or, in films with
        contacts between frames, the exact time at which the sound begins.
    pitch_hz : tuple of float or None, one per frame
        Fundamental frequency of the frame's sound; None for silence, noise, or several tones.
    loudness_db : tuple of float, one per frame
        RMS of the frame's samples in mono, in dB relative to an RMS of 1; `SILENCE_DB` for silence.
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
                "expected one of each per frame"
            )

    @property
    def frame_count(self) -> int:
        """Number of frames."""
        return len(self.pitch_hz)

    def with_gain(self, gain_db: float) -> SceneTruth:
        """Return the truth of the same film with a gain of its sound."""
        levels_db = tuple(level_db + gain_db for level_db in self.loudness_db)
        return replace(self, loudness_db=levels_db)

    def to_json(self) -> str:
        """Return the truth as JSON."""
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
        """Return the truth that `to_json` wrote.

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
    """A film as two functions.

    Parameters
    ----------
    name : str
        The film's name.
    seed : int
        Random seed of the film.
    clock : Clock
        Its frame rate and sample rate.
    size : (int, int)
        Width and height in pixels.
    frame_count : int
    draw : function
        Takes a frame's index; returns its picture, uint8 RGB of shape ``(height, width, 3)``.
    synthesise : function
        Takes ``start`` and ``stop``; returns the samples ``[start, stop)``, mono float32 in
        [-1, 1]. Sample 0 is the first of frame 0.
    onsets : tuple of int
        Frames in which the events begin, ascending.
    pitch_hz : tuple of float or None, one per frame
        Fundamental frequency of the only event that the frame shows, in Hz; None for noise, no
        event, or several. In `SceneTruth` it is None for silent frames, too.
    onset_seconds : tuple of float, optional
        Exact times of the events, ascending, where they lie between frames; by default the start
        of each frame of ``onsets``.
    synthesise_stereo : function, optional
        As ``synthesise``, with each event at its place between left and right: ``(n, 2)``. None for
        films in which nothing is at left or right, whose sound is mono.
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
    onset_seconds: tuple[float, ...] | None = None
    synthesise_stereo: SynthesiseSamples | None = None

    def __post_init__(self) -> None:
        if len(self.pitch_hz) != self.frame_count:
            raise ValueError(f"got {len(self.pitch_hz)} pitches, expected {self.frame_count}")

    @property
    def sample_count(self) -> int:
        """Number of samples of the whole film."""
        return self.clock.start_sample(self.frame_count)

    def slices(self, first: int = 0, stop: int | None = None) -> Iterator[NDArray[np.float32]]:
        """Yield the samples of each frame from ``first`` up to ``stop``."""
        last = self.frame_count if stop is None else stop
        batch = max(1, math.floor(self.clock.fps))
        for begin in range(first, last, batch):
            bounds = self.clock.sample_bounds(min(batch, last - begin), begin)
            sound = self.synthesise(int(bounds[0]), int(bounds[-1]))
            yield from np.split(sound, bounds[1:-1] - bounds[0])

    @cached_property
    def truth(self) -> SceneTruth:
        """The ground truth; the loudness is measured on the samples."""
        times = self.clock.frame_times(self.frame_count)
        onsets = self.onset_seconds
        if onsets is None:
            onsets = tuple(float(times[frame]) for frame in self.onsets)
        loudness = tuple(rms_db(piece) for piece in self.slices())
        pitches = zip(self.pitch_hz, loudness, strict=True)
        return SceneTruth(
            film=self.name,
            seed=self.seed,
            clock=self.clock,
            onsets=onsets,
            pitch_hz=tuple(hz if db > SILENCE_DB else None for hz, db in pitches),
            loudness_db=loudness,
        )


def rms_db(samples: NDArray[np.floating]) -> float:
    """Return the RMS of samples in dB relative to an RMS of 1, at least `SILENCE_DB`.

    >>> rms_db(np.full(10, 0.1)), rms_db(np.zeros(10))
    (-20.0, -120.0)
    """
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return max(SILENCE_DB, round(10 * math.log10(power), 6)) if power > 0 else SILENCE_DB


def clock_and_frame_count(seconds: float, fps: Fraction, sample_rate: int) -> tuple[Clock, int]:
    """Return the clock of a film, and the number of frames of a duration, at least one.

    Raises
    ------
    ValueError
        A rate or the duration is not above 0.

    Examples
    --------
    >>> clock_and_frame_count(0.1, Fraction(30), 48000)[1]
    3
    """
    if not (math.isfinite(seconds) and seconds > 0):
        raise ValueError(f"got {seconds} seconds, expected a finite number above 0")
    clock = Clock(Fraction(fps), sample_rate)
    return clock, clock.count_frames_within(Fraction(str(float(seconds))))
