"""Stretches of film that no brain has learned from, to be played and judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frame2sound.clock import Clock, frame_indices_at_ticks, sample_at
from frame2sound.comparison.block_stats import GroundTruth, onsets_after_lead_in
from frame2sound.errors import FilmError
from frame2sound.evaluation.levels import MAX_BLACK_VALUE
from frame2sound.evaluation.measurements import BlackFrames
from frame2sound.evaluation.media_loader import read_truth
from frame2sound.film.decoding.audio_chunks import collect_samples, pad_or_trim
from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
from frame2sound.film.drawing.scene import SceneTruth
from frame2sound.film.drawing.scene_writer import truth_path
from frame2sound.library.pickler import film_digest, folder_title
from frame2sound.library.split import HeldOutRange

MAX_SEGMENT_SECONDS = 30.0
"""Longer footage is cut into stretches no longer than this, all of one length."""

WARMUP_SECONDS = 20.0
"""What is seen before a stretch, so that what remembers may."""

LEAD_IN_SECONDS = 1.0
"""What is played before a stretch and heard with it: the last of the run-up."""

MAX_ANIMATION_SECONDS = 600.0
"""Of an animation no more is looked at."""


@dataclass(frozen=True, eq=False)
class EvaluationFilm:
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
    samples: NDArray[np.float32] | None
    truth: SceneTruth | None
    start_sample: int
    end_sample: int

    @classmethod
    def from_held_out(cls, held_out: HeldOutRange) -> EvaluationFilm:
        """Take what a library holds out; the truth if the source is still there as it was."""
        film = held_out.film
        return cls(
            film.name,
            "held out",
            film.card.digest,
            film.frames,
            film.times,
            film.sound,
            _load_truth(Path(film.card.source), film.card.digest),
            held_out.start_sample,
            held_out.end_sample,
        )

    @classmethod
    def from_animation(cls, path: Path, sample_rate: int) -> EvaluationFilm:
        """Read an animation, ten minutes of it at most, with its own sound if it has any.

        Raises
        ------
        FilmError
            It cannot be read, or is too short for a frame.
        """
        digest = film_digest(path)
        reader = SubprocessFilmReader(path)
        frames, times, until = [], [], Fraction(0)
        for frame in reader.frames():
            frames.append(frame.picture)
            times.append(float(frame.start_seconds))
            until = frame.end_seconds
            if until >= MAX_ANIMATION_SECONDS:
                break
        if not frames:
            raise FilmError(f"{path} has no frames to give sound to")
        end = sample_at(until, sample_rate)
        sound = None
        if reader.streams.audio_index is not None:
            chunks = SubprocessFilmReader(path, sample_rate).audio_chunks()
            sound = pad_or_trim(collect_samples(chunks, end), end)
        shown = np.array([*times, float(until)])
        truth = _load_truth(path, digest)
        return cls(
            f"{folder_title(path)}-{digest[:8]}",
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
class Segment:
    """Frames ``first`` to ``first + count`` of footage, by a brain's clock.

    It is a whole number of frames, so that its sound begins and ends with them.
    """

    film: EvaluationFilm
    number: int
    clock: Clock
    first_frame: int
    frame_count: int

    @property
    def name(self) -> str:
        """The footage's name, and which of its stretches it is, from 1."""
        return f"{self.film.name}-{self.number}"

    @property
    def start_sample(self) -> int:
        """Its first sample in the footage."""
        return self.clock.start_sample(self.first_frame)

    @property
    def sample_count(self) -> int:
        """How long it is."""
        return self.clock.start_sample(self.first_frame + self.frame_count) - self.start_sample

    @property
    def seconds(self) -> float:
        """The same in seconds."""
        return self.sample_count / self.clock.sample_rate

    @property
    def warmup_frames(self) -> int:
        """How many frames before it are seen."""
        return min(self.first_frame, self.clock.count_frames_within(Fraction(WARMUP_SECONDS)))

    @property
    def lead_in_frames(self) -> int:
        """How many of these are played too."""
        return min(self.warmup_frames, self.clock.count_frames_within(Fraction(LEAD_IN_SECONDS)))

    @property
    def lead_in_samples(self) -> int:
        """The same in samples."""
        return self.start_sample - self.clock.start_sample(self.first_frame - self.lead_in_frames)

    @cached_property
    def frame_indices(self) -> NDArray[np.int64]:
        """Which frames of the footage are seen, run-up and all."""
        seen = frame_indices_at_ticks(self.film.times, self.clock)
        return seen[self.first_frame - self.warmup_frames : self.first_frame + self.frame_count]

    def frames(self) -> NDArray[np.uint8]:
        """Return them, ``(run_up + count, 64, 64)``."""
        return self.film.frames[self.frame_indices]

    def black_frames(self) -> BlackFrames:
        """Return what is on screen during the stretch itself."""
        frames = self.frames()[self.warmup_frames :]
        return BlackFrames(
            self.clock.frame_times(len(frames) + 1), frames.max(axis=(1, 2)) <= MAX_BLACK_VALUE
        )

    def pad_or_trim(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what was played to lead and stretch, exactly so long."""
        return pad_or_trim(samples, self.lead_in_samples + self.sample_count)

    @cached_property
    def reference(self) -> NDArray[np.float32] | None:
        """How lead and stretch truly sound; None where nobody knows."""
        if self.film.samples is None:
            return None
        first, stop = (
            self.start_sample - self.lead_in_samples,
            self.start_sample + self.sample_count,
        )
        return np.array(self.film.samples[first:stop])

    @cached_property
    def ground_truth(self) -> GroundTruth:
        """What a soundtrack is held against."""
        rate, lead, truth = self.clock.sample_rate, self.lead_in_samples, self.film.truth
        known = partial(GroundTruth, rate, lead, self.sample_count, self.reference)
        if truth is None:
            if self.reference is None:
                return known()
            heard = onsets_after_lead_in(self.reference, rate, lead)
            return known(heard[heard >= 0])
        begin, end = self.start_sample / rate, (self.start_sample + self.sample_count) / rate
        onsets = np.array(truth.onsets, np.float64)
        onsets = onsets[(onsets >= begin) & (onsets < end)] - begin
        times = truth.clock.frame_times(truth.frame_count + 1)
        whole = np.flatnonzero((times[:-1] >= begin) & (times[1:] <= end))
        pitched = [truth.pitch_hz[frame] for frame in whole]
        if all(pitch is None for pitch in pitched):
            return known(onsets)
        return known(onsets, tuple(pitched), times[whole[0] : whole[-1] + 2] - begin)

    def cache_key(self) -> list[object]:
        """Return what tells this stretch from others, in plain values."""
        clock = [str(self.clock.fps), self.clock.sample_rate]
        truth = self.film.truth is not None
        return [self.film.digest, clock, self.first_frame, self.frame_count, truth]


def split_into_segments(films: Iterable[EvaluationFilm], clock: Clock) -> Iterator[Segment]:
    """Cut footage into stretches by a brain's clock; what is shorter than a frame has none."""
    for film in films:
        rate = clock.sample_rate
        first = clock.count_frames_within(Fraction(film.start_sample, rate))
        first += clock.start_sample(first) < film.start_sample
        end = min(
            clock.count_frames_within(Fraction(film.end_sample, rate)),
            len(frame_indices_at_ticks(film.times, clock)),
        )
        while end > first and clock.start_sample(end) > film.end_sample:
            end -= 1
        longest = max(1, int(MAX_SEGMENT_SECONDS * clock.fps))
        parts = -(-(end - first) // longest)
        edges = [first + (end - first) * part // max(parts, 1) for part in range(parts + 1)]
        for part in range(parts):
            count = edges[part + 1] - edges[part]
            yield Segment(film, part + 1, clock, edges[part], count)


def _load_truth(source: Path, digest: str) -> SceneTruth | None:
    """Return the truth beside a drawn film, if it and the film are there as they were."""
    path = truth_path(source)
    try:
        if not path.is_file() or not source.is_file() or film_digest(source) != digest:
            return None
        return read_truth(path)
    except (FilmError, OSError):
        return None
