"""Stretches of film that no brain has learned from, to be played and judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frame2sound.clock import Clock, sample_at, shutter
from frame2sound.comparison.tallies import Held, heard_onsets
from frame2sound.errors import FilmError
from frame2sound.evaluation.figures import Screen
from frame2sound.evaluation.levels import BLACK
from frame2sound.evaluation.viewing import read_truth
from frame2sound.film.booth import BoothReader
from frame2sound.film.scene import Truth
from frame2sound.film.writer import truth_path
from frame2sound.library.part import HeldOut
from frame2sound.library.pickler import digest_of, title

LONGEST_SECONDS = 30.0
"""Longer footage is cut into stretches no longer than this, all of one length."""

RUN_UP_SECONDS = 20.0
"""What is seen before a stretch, so that what remembers may."""

LEAD_SECONDS = 1.0
"""What is played before a stretch and heard with it: the last of the run-up."""

MOST_SECONDS = 600.0
"""Of an animation no more is looked at."""


@dataclass(frozen=True, eq=False)
class Footage:
    """Film to be judged: samples ``begin`` to ``end`` of it.

    Attributes
    ----------
    name : str
    kind : str
        "held out" or "animation".
    digest : str
        SHA-256 of the film's file.
    frames : uint8 array (N, 64, 64)
    times : float64 array (N + 1,)
    sound : float32 array (M,) or None
        Its own sound, if it has any.
    truth : Truth or None
        What happens in it, if it is a drawn film.
    """

    name: str
    kind: str
    digest: str
    frames: NDArray[np.uint8]
    times: NDArray[np.float64]
    sound: NDArray[np.float32] | None
    truth: Truth | None
    begin: int
    end: int

    @classmethod
    def held_out(cls, held: HeldOut) -> Footage:
        """Take what a library holds out; the truth if the source is still there as it was."""
        film = held.film
        return cls(
            film.name,
            "held out",
            film.card.digest,
            film.frames,
            film.times,
            film.sound,
            _truth_of(Path(film.card.source), film.card.digest),
            held.begin,
            held.end,
        )

    @classmethod
    def animation(cls, path: Path, sample_rate: int) -> Footage:
        """Read an animation, ten minutes of it at most, with its own sound if it has any.

        Raises
        ------
        FilmError
            It cannot be read, or is too short for a frame.
        """
        digest = digest_of(path)
        reader = BoothReader(path)
        frames, times, until = [], [], Fraction(0)
        for frame in reader.frames():
            frames.append(frame.picture)
            times.append(float(frame.time))
            until = frame.until
            if until >= MOST_SECONDS:
                break
        if not frames:
            raise FilmError(f"{path} has no frames to give sound to")
        end = sample_at(until, sample_rate)
        sound = None
        if reader.streams.audio is not None:
            sound = np.zeros(end, np.float32)
            for heard in BoothReader(path, sample_rate).sounds():
                if heard.start >= end:
                    break
                here = sound[heard.start :][: len(heard.samples)]
                here[:] = heard.samples[: len(here)]
        shown = np.array([*times, float(until)])
        truth = _truth_of(path, digest)
        return cls(
            f"{title(path)}-{digest[:8]}",
            "animation",
            digest,
            np.stack(frames),
            shown,
            sound,
            truth,
            0,
            end,
        )


@dataclass(frozen=True, eq=False)
class Stretch:
    """Frames ``first`` to ``first + count`` of footage, by a brain's clock.

    It is a whole number of frames, so that its sound begins and ends with them.
    """

    footage: Footage
    number: int
    clock: Clock
    first: int
    count: int

    @property
    def name(self) -> str:
        """The footage's name, and which of its stretches it is, from 1."""
        return f"{self.footage.name}-{self.number}"

    @property
    def begin(self) -> int:
        """Its first sample in the footage."""
        return self.clock.start(self.first)

    @property
    def samples(self) -> int:
        """How long it is."""
        return self.clock.start(self.first + self.count) - self.begin

    @property
    def seconds(self) -> float:
        """The same in seconds."""
        return self.samples / self.clock.sample_rate

    @property
    def run_up(self) -> int:
        """How many frames before it are seen."""
        return min(self.first, self.clock.frames_within(Fraction(RUN_UP_SECONDS)))

    @property
    def lead(self) -> int:
        """How many of these are played too."""
        return min(self.run_up, self.clock.frames_within(Fraction(LEAD_SECONDS)))

    @property
    def lead_samples(self) -> int:
        """The same in samples."""
        return self.begin - self.clock.start(self.first - self.lead)

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Which frames of the footage are seen, run-up and all."""
        seen = shutter(self.footage.times, self.clock)
        return seen[self.first - self.run_up : self.first + self.count]

    def frames(self) -> NDArray[np.uint8]:
        """Return them, ``(run_up + count, 64, 64)``."""
        return self.footage.frames[self.rows]

    def screen(self) -> Screen:
        """Return what is on screen during the stretch itself."""
        frames = self.frames()[self.run_up :]
        return Screen(self.clock.times(len(frames) + 1), frames.max(axis=(1, 2)) <= BLACK)

    def aligned(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what was played to lead and stretch, exactly so long."""
        made = np.zeros(self.lead_samples + self.samples, np.float32)
        made[: len(sound)] = sound[: len(made)]
        return made

    @cached_property
    def own(self) -> NDArray[np.float32] | None:
        """How lead and stretch truly sound; None where nobody knows."""
        if self.footage.sound is None:
            return None
        first, stop = self.begin - self.lead_samples, self.begin + self.samples
        return np.array(self.footage.sound[first:stop])

    @cached_property
    def held(self) -> Held:
        """What a soundtrack is held against."""
        rate, lead, truth = self.clock.sample_rate, self.lead_samples, self.footage.truth
        known = partial(Held, rate, lead, self.samples, self.own)
        if truth is None:
            if self.own is None:
                return known()
            heard = heard_onsets(self.own, rate, lead)
            return known(heard[heard >= 0])
        begin, end = self.begin / rate, (self.begin + self.samples) / rate
        onsets = np.array(truth.onsets, np.float64)
        onsets = onsets[(onsets >= begin) & (onsets < end)] - begin
        times = truth.clock.times(truth.frames + 1)
        whole = np.flatnonzero((times[:-1] >= begin) & (times[1:] <= end))
        pitched = [truth.pitch_hz[frame] for frame in whole]
        if all(pitch is None for pitch in pitched):
            return known(onsets)
        return known(onsets, tuple(pitched), times[whole[0] : whole[-1] + 2] - begin)

    def identity(self) -> list[object]:
        """Return what tells this stretch from others, in plain values."""
        clock = [str(self.clock.fps), self.clock.sample_rate]
        truth = self.footage.truth is not None
        return [self.footage.digest, clock, self.first, self.count, truth]


def stretches(footage: Iterable[Footage], clock: Clock) -> Iterator[Stretch]:
    """Cut footage into stretches by a brain's clock; what is shorter than a frame has none."""
    for film in footage:
        rate = clock.sample_rate
        first = clock.frames_within(Fraction(film.begin, rate))
        first += clock.start(first) < film.begin
        end = min(clock.frames_within(Fraction(film.end, rate)), len(shutter(film.times, clock)))
        while end > first and clock.start(end) > film.end:
            end -= 1
        longest = max(1, int(LONGEST_SECONDS * clock.fps))
        parts = -(-(end - first) // longest)
        edges = [first + (end - first) * part // max(parts, 1) for part in range(parts + 1)]
        for part in range(parts):
            count = edges[part + 1] - edges[part]
            yield Stretch(film, part + 1, clock, edges[part], count)


def _truth_of(source: Path, digest: str) -> Truth | None:
    """Return the truth beside a drawn film, if it and the film are there as they were."""
    path = truth_path(source)
    try:
        if not path.is_file() or not source.is_file() or digest_of(source) != digest:
            return None
        return read_truth(path)
    except (FilmError, OSError):
        return None
