"""Segments of films that are not in the training data, on which systems are evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.config import Loudness
from frame2sound.brain.predictor import Predictor
from frame2sound.clock import Clock, frame_indices_at_ticks, sample_at
from frame2sound.comparison.block_stats import GroundTruth, onsets_after_lead_in
from frame2sound.errors import FilmError
from frame2sound.evaluation.levels import MAX_BLACK_VALUE
from frame2sound.evaluation.measurements import BlackFrames
from frame2sound.evaluation.media_loader import read_truth
from frame2sound.evaluation.spectral_distance import activity_threshold_db, loudest_frame_db
from frame2sound.film.decoding.audio_chunks import collect_samples, pad_or_trim
from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
from frame2sound.film.drawing.scene import SceneTruth
from frame2sound.film.drawing.scene_writer import truth_path
from frame2sound.film.small_frames import luma
from frame2sound.library.film_loudness import film_gain_db, sound_gain_db, with_gain
from frame2sound.library.pickler import film_digest, folder_title
from frame2sound.library.split import HeldOutRange

MAX_SEGMENT_SECONDS = 30.0
"""Longer films are split into segments of equal length, at most this long."""

WARMUP_SECONDS = 20.0
"""Frames before a segment from which networks with a state start."""

LEAD_IN_SECONDS = 1.0
"""The last part of the warm-up, which is rendered and measured with the segment."""

MAX_ANIMATION_SECONDS = 600.0
"""The rest of an animation is not read."""


@dataclass(frozen=True, eq=False)
class EvaluationFilm:
    """A film on which systems are evaluated, from one sample to another.

    Attributes
    ----------
    name : str
    kind : str
        "held out" or "animation".
    digest : str
        SHA-256 of the film's file.
    frames : uint8 array (N, 64, 64), or (N, 64, 64, 3) in colour
    times : float64 array (N + 1,)
    samples : float32 array (M,) or None
        The original sound; None for a silent film.
    truth : SceneTruth or None
        Ground truth of a demo film.
    start_sample, end_sample : int
        The range that is evaluated.
    gain_db : float
        The gain of its sound where it is compared with systems that learned all films equally loud.
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
    gain_db: float = 0.0

    @classmethod
    def from_held_out(cls, held_out: HeldOutRange) -> EvaluationFilm:
        """Return the held-out range of a film of a library.

        It has the ground truth if the source film is still in its place and unchanged.
        """
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
            film_gain_db(film),
        )

    @classmethod
    def from_animation(
        cls, path: Path, sample_rate: int, *, colour: bool = False
    ) -> EvaluationFilm:
        """Read at most ten minutes of an animation, with its sound if it has any.

        Raises
        ------
        FilmError
            The animation cannot be read, or has no frames.
        """
        digest = film_digest(path)
        reader = SubprocessFilmReader(path)
        frames, times, end_seconds = [], [], Fraction(0)
        for frame in reader.frames(colour=colour):
            frames.append(frame.picture)
            times.append(float(frame.start_seconds))
            end_seconds = frame.end_seconds
            if end_seconds >= MAX_ANIMATION_SECONDS:
                break
        if not frames:
            raise FilmError(f"{path} has no frames, expected at least one; give another film")
        end = sample_at(end_seconds, sample_rate)
        sound = None
        if reader.streams.audio_index is not None:
            chunks = SubprocessFilmReader(path, sample_rate).audio_chunks()
            sound = pad_or_trim(collect_samples(chunks, end), end)
        return cls(
            f"{folder_title(path)}-{digest[:8]}",
            "animation",
            digest,
            np.stack(frames),
            np.array([*times, float(end_seconds)]),
            sound,
            _load_truth(path, digest),
            0,
            end,
            0.0 if sound is None else sound_gain_db(sound, sample_rate),
        )

    def loudest_frame_db(self, sample_rate: int) -> float:
        """Return the level of the loudest analysis frame of its original sound, in dBFS."""
        assert self.samples is not None
        if sample_rate not in self._loudest_frames_db:
            evaluated = self.samples[self.start_sample : self.end_sample]
            self._loudest_frames_db[sample_rate] = loudest_frame_db(evaluated, sample_rate)
        return self._loudest_frames_db[sample_rate]

    @cached_property
    def _loudest_frames_db(self) -> dict[int, float]:
        return {}

    def frame_indices(self, clock: Clock) -> NDArray[np.int64]:
        """Return which of its frames is displayed at each tick of a clock."""
        if clock not in self._frame_indices:
            self._frame_indices[clock] = frame_indices_at_ticks(self.times, clock)
        return self._frame_indices[clock]

    @cached_property
    def _frame_indices(self) -> dict[Clock, NDArray[np.int64]]:
        return {}


@dataclass(frozen=True, eq=False)
class Segment:
    """A range of frames of a film, at the clock of the recipes.

    Its sound begins and ends at the boundary of a frame.

    Attributes
    ----------
    film : EvaluationFilm
    number : int
        Which segment of the film it is, from 1.
    clock : Clock
    first_frame, frame_count : int
        In frames of the clock.
    loudness : {"film", "equal"}
        Whether the reference is the film's sound as it is, or with the film's gain.
    """

    film: EvaluationFilm
    number: int
    clock: Clock
    first_frame: int
    frame_count: int
    loudness: Loudness = "film"

    @property
    def name(self) -> str:
        """Name of the film, and number of the segment."""
        return f"{self.film.name}-{self.number}"

    @property
    def start_sample(self) -> int:
        """First sample of the segment in the film."""
        return self.clock.start_sample(self.first_frame)

    @property
    def sample_count(self) -> int:
        """Length of the segment."""
        return self.clock.start_sample(self.first_frame + self.frame_count) - self.start_sample

    @property
    def seconds(self) -> float:
        """Length of the segment."""
        return self.sample_count / self.clock.sample_rate

    @property
    def warmup_frames(self) -> int:
        """Number of frames before the segment that a network gets first."""
        return min(self.first_frame, self.clock.count_frames_within(Fraction(WARMUP_SECONDS)))

    @property
    def lead_in_frames(self) -> int:
        """Number of warm-up frames that are rendered and measured too."""
        return min(self.warmup_frames, self.clock.count_frames_within(Fraction(LEAD_IN_SECONDS)))

    @property
    def lead_in_samples(self) -> int:
        """Length of the lead-in."""
        return self.start_sample - self.clock.start_sample(self.first_frame - self.lead_in_frames)

    @property
    def frame_indices(self) -> NDArray[np.int64]:
        """Indices in the film of the frames of warm-up and segment."""
        indices = self.film.frame_indices(self.clock)
        return indices[self.first_frame - self.warmup_frames : self.first_frame + self.frame_count]

    def frames(self) -> NDArray[np.uint8]:
        """Return the frames of warm-up and segment, as the film has them: grey or in colour.

        Their shape is (warmup_frames + frame_count, 64, 64), in colour with an axis of 3 more.
        """
        return self.film.frames[self.frame_indices]

    def frames_for(self, predictor: Predictor) -> NDArray[np.uint8]:
        """Return the frames of warm-up and segment as a predictor takes them."""
        frames = self.frames()
        return luma(frames) if frames.ndim == 4 and not predictor.colour else frames

    def black_frames(self) -> BlackFrames:
        """Return which frames of the segment are black."""
        frames = self.frames()[self.warmup_frames :]
        brightest = frames.reshape(len(frames), -1).max(axis=1)
        return BlackFrames(self.clock.frame_times(len(frames) + 1), brightest <= MAX_BLACK_VALUE)

    def pad_or_trim(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a soundtrack of lead-in and segment, padded or trimmed to their length."""
        return pad_or_trim(samples, self.lead_in_samples + self.sample_count)

    def at_loudness(self, loudness: Loudness) -> Segment:
        """Return the segment with the reference for systems that learned films at ``loudness``."""
        return self if loudness == self.loudness else self._at_other_loudness

    @cached_property
    def _at_other_loudness(self) -> Segment:
        return replace(self, loudness="equal" if self.loudness == "film" else "film")

    @property
    def gain_db(self) -> float:
        """The gain of the reference."""
        return self.film.gain_db if self.loudness == "equal" else 0.0

    @property
    def reference(self) -> NDArray[np.float32] | None:
        """The original sound of lead-in and segment, read anew; None if the film is silent."""
        if self.film.samples is None:
            return None
        first = self.start_sample - self.lead_in_samples
        original = np.array(self.film.samples[first : self.start_sample + self.sample_count])
        return with_gain(original, self.gain_db)

    @property
    def _threshold_db(self) -> float | None:
        """The level from which the sound is active, relative to the loudest of the whole film."""
        if self.film.samples is None:
            return None
        loudest = self.film.loudest_frame_db(self.clock.sample_rate)
        return activity_threshold_db(loudest + self.gain_db)

    @property
    def ground_truth(self) -> GroundTruth:
        """What a soundtrack of the segment is compared with; it holds the reference."""
        rate, lead, truth = self.clock.sample_rate, self.lead_in_samples, self.film.truth
        with_onsets = partial(
            GroundTruth,
            rate,
            lead,
            self.sample_count,
            self.reference,
            threshold_db=self._threshold_db,
        )
        if truth is None:
            if self.reference is None:
                return with_onsets()
            return with_onsets(self._detected_onsets)
        begin, end = self.start_sample / rate, (self.start_sample + self.sample_count) / rate
        onsets = np.array(truth.onsets, np.float64)
        onsets = onsets[(onsets >= begin) & (onsets < end)] - begin
        times = truth.clock.frame_times(truth.frame_count + 1)
        whole = np.flatnonzero((times[:-1] >= begin) & (times[1:] <= end))
        pitched = [truth.pitch_hz[frame] for frame in whole]
        if all(pitch is None for pitch in pitched):
            return with_onsets(onsets)
        return with_onsets(onsets, tuple(pitched), times[whole[0] : whole[-1] + 2] - begin)

    @cached_property
    def _detected_onsets(self) -> NDArray[np.float64]:
        assert self.reference is not None
        found = onsets_after_lead_in(self.reference, self.clock.sample_rate, self.lead_in_samples)
        return found[found >= 0]

    def cache_key(self) -> list[object]:
        """Return plain values that identify the segment; they are in the keys of records."""
        clock = [str(self.clock.fps), self.clock.sample_rate]
        has_truth = self.film.truth is not None
        gain = [self.gain_db] if self.gain_db else []
        return [self.film.digest, clock, self.first_frame, self.frame_count, has_truth, *gain]


def split_into_segments(films: Iterable[EvaluationFilm], clock: Clock) -> Iterator[Segment]:
    """Yield the segments of films at a clock; a film that is shorter than a frame has none."""
    for film in films:
        rate = clock.sample_rate
        first = clock.count_frames_within(Fraction(film.start_sample, rate))
        first += clock.start_sample(first) < film.start_sample
        end = min(
            clock.count_frames_within(Fraction(film.end_sample, rate)),
            len(film.frame_indices(clock)),
        )
        while end > first and clock.start_sample(end) > film.end_sample:
            end -= 1
        max_frames = max(1, int(MAX_SEGMENT_SECONDS * clock.fps))
        count = -(-(end - first) // max_frames)
        edges = [first + (end - first) * index // max(count, 1) for index in range(count + 1)]
        for number, (start, stop) in enumerate(pairwise(edges), 1):
            yield Segment(film, number, clock, start, stop - start)


def _load_truth(source: Path, digest: str) -> SceneTruth | None:
    """Return the ground truth next to a demo film; None without it or if the film has changed."""
    path = truth_path(source)
    try:
        if not path.is_file() or not source.is_file() or film_digest(source) != digest:
            return None
        return read_truth(path)
    except (FilmError, OSError):
        return None
